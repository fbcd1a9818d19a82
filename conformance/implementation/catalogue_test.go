package implementation

import (
	"errors"
	"strings"
	"testing"
)

func TestEveryEntryIsSound(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			d, err := ByName(name)
			if err != nil {
				t.Fatal(err)
			}
			if d.Name != name {
				t.Errorf("file %s.yaml describes %s", name, d.Name)
			}
			text, err := Text(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# ") || !strings.Contains(string(text), "https://") {
				t.Error("the file does not open with the pages its facts come from")
			}
		})
	}
}

func TestUnknownNames(t *testing.T) {
	for name, c := range map[string]struct{ reason, give, says string }{
		"misspelt":  {"the nearest entry helps", "trafik", "did you mean traefik?"},
		"unrelated": {"the catalogue is short enough to be listed", "apache", "contour, envoy-gateway"},
		"traversal": {"a name is not a path", "..", "the catalogue has"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(c.give)
			if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: got %v", c.reason, err)
			}
		})
	}
}
