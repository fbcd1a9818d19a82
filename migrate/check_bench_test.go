package migrate_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/causeway-gateway/causeway/fixtures/generate"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// BenchmarkVerify verifies the conversion of n Ingresses: compiling the output
// back, deriving the witnesses, asking both tables.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1000, 5000, 20000} {
		set, _, err := source.Read(b.Context(), source.Options{Files: []string{"-"}, Stdin: bytes.NewReader(generate.YAML(n, 1))})
		if err != nil {
			b.Fatal(err)
		}
		res := run(b, set, migrate.Options{})
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			witnesses := 0
			for b.Loop() {
				v, _, err := migrate.Check(b.Context(), res)
				if err != nil {
					b.Fatal(err)
				}
				if len(v.Surprises()) > 0 {
					b.Fatalf("%d surprises", len(v.Surprises()))
				}
				witnesses = v.Witnesses
			}
			b.ReportMetric(float64(witnesses), "witnesses")
		})
	}
}
