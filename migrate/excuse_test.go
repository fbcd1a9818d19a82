package migrate_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate"
)

// TestLedgerExcusesOnlyWhatItSays plants wrong backends, timeouts and header
// changes into the output and verifies it with its own ledger: what the ledger
// says of paths, redirects or affinity must not excuse them.
func TestLedgerExcusesOnlyWhatItSays(t *testing.T) {
	inputs, _ := filepath.Glob("../fixtures/traps/*/input.yaml")
	inputs = append(inputs, "../fixtures/shop")
	planted, excused := 0, 0
	for _, in := range inputs {
		o := migrate.Options{Emit: emit.Options{Version: gatewayapi.Default, Channel: gatewayapi.Standard, DefaultCertificate: "certs/default", AllowUnguarded: true}}
		res := run(t, readLoosely(t, in), o)
		clean, _, err := migrate.Check(t.Context(), res)
		if err != nil {
			t.Fatal(err)
		}
		for n, m := range mutations(res.Objects) {
			kind := strings.SplitN(m.name, " in ", 2)[0]
			if !slices.Contains([]string{"other backend", "other backend port", "other gRPC backend", "other host rewrite", "other request header"}, kind) || n > 400 {
				continue
			}
			objs, _ := m.do(deepCopy(res.Objects))
			mutant := *res
			mutant.Objects = objs
			v, _, err := migrate.Check(t.Context(), &mutant)
			if err != nil {
				t.Fatal(err)
			}
			if len(v.Differences) <= len(clean.Differences) && v.Witnesses == clean.Witnesses && len(v.Surprises()) == 0 && !changes(t, res, &mutant) {
				continue // a rule that decides nothing
			}
			planted++
			if len(v.Surprises()) == 0 {
				excused++
				t.Errorf("%s: %s is excused by the ledger", in, m.name)
			}
		}
	}
	fmt.Printf("planted into migrations: %d, excused by their ledgers: %d\n", planted, excused)
	if planted < 50 {
		t.Errorf("only %d planted", planted)
	}
}

// changes reports whether two outputs differ for a request that is drawn
// blindly.
func changes(t *testing.T, a, b *migrate.Result) bool {
	t.Helper()
	return newCrowd(a.Objects, 7).sees(tableOf(a.Objects), tableOf(b.Objects), 3000) != nil
}
