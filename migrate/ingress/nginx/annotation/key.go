package annotation

import (
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

// Type is how the controller reads a ConfigMap value.
type Type string

// Types.
const (
	Bool     Type = "bool"
	Int      Type = "int"
	Float    Type = "float"
	String   Type = "string"
	Duration Type = "duration"
	List     Type = "list" // separated by commas
)

// Affects is what part of a request's fate a ConfigMap key touches.
type Affects string

// What keys affect.
const (
	Routing       Affects = "routing"       // which answer or backend, or what is sent to it
	Access        Affects = "access"        // who may enter
	TLS           Affects = "tls"           // handshakes and certificates
	Tuning        Affects = "tuning"        // time, size and resources
	Observability Affects = "observability" // logs and traces
	None          Affects = "none"          // nothing any more
)

// Key is one key of the controller's ConfigMap.
type Key struct {
	Name string
	Type Type
	// Default is the value of the newest release that has the key.
	Default string
	Affects Affects
	// Becomes is the best a migration can make of a value that is not the
	// default; Words say what it becomes or what to do instead.
	Becomes ledger.Status
	Words   string
	// Row names the annotation it is the default of, "" for none.
	Row string
	// Since and Removed are as in Row.
	Since, Removed string
	// Before is the default of releases before Changed, when it changed.
	Before, Changed string
}

// DefaultIn returns the default in a release; nil means the newest.
func (k *Key) DefaultIn(release *ReleaseInfo) string {
	if release != nil && k.Changed != "" && release.Before(k.Changed) {
		return k.Before
	}
	return k.Default
}

// In reports whether the release reads the key.
func (k *Key) In(release *ReleaseInfo) bool {
	if release == nil {
		return k.Removed == ""
	}
	return (k.Since == "" || !release.Before(k.Since)) && (k.Removed == "" || release.Before(k.Removed))
}

// keyTable holds all keys sorted by name; built once, never changed.
var keyTable = buildKeys()

func buildKeys() []Key {
	keys := slices.Concat(routingKeys, accessKeys, tlsKeys, tuningKeys, observabilityKeys)
	slices.SortFunc(keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return keys
}

// ConfigKey finds a ConfigMap key. The key is a copy.
func ConfigKey(name string) (*Key, bool) {
	i, ok := slices.BinarySearchFunc(keyTable, name, func(k Key, name string) int { return strings.Compare(k.Name, name) })
	if !ok {
		return nil, false
	}
	key := keyTable[i]
	return &key, true
}

// Keys returns a copy of every key, sorted by name.
func Keys() []Key { return slices.Clone(keyTable) }
