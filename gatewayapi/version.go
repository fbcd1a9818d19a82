package gatewayapi

import "fmt"

// Version is a minor release of the Gateway API, "v1.6".
type Version string

// Channel is the release channel of the installed CRDs.
type Channel string

// Channels.
const (
	Standard     Channel = "standard"
	Experimental Channel = "experimental"
)

// Versions lists the supported releases, oldest first.
var Versions = []Version{"v1.4", "v1.5", "v1.6", "v1.7"}

// Default is the release that is written for unless told otherwise.
const Default Version = "v1.6"

// ParseVersion accepts a supported release with or without the v.
func ParseVersion(s string) (Version, error) {
	for _, v := range Versions {
		if s == string(v) || "v"+s == string(v) {
			return v, nil
		}
	}
	return "", fmt.Errorf("Gateway API version %q is not supported: use one of %v", s, Versions)
}

// ParseChannel accepts standard and experimental.
func ParseChannel(s string) (Channel, error) {
	switch c := Channel(s); c {
	case Standard, Experimental:
		return c, nil
	}
	return "", fmt.Errorf("channel %q does not exist: use standard or experimental", s)
}

// AtLeast reports whether v is min or newer.
func (v Version) AtLeast(min Version) bool {
	iv, im := -1, -1
	for i, x := range Versions {
		if x == v {
			iv = i
		}
		if x == min {
			im = i
		}
	}
	return iv >= im
}
