package emit

import (
	"hash/maphash"

	"github.com/causeway-gateway/causeway/routing"
)

// Feature is the part of a rule or listener that a note is about.
type Feature string

// Features of notes. A guard's feature is "guard:" and its kind.
const (
	FeaturePath              Feature = "path"
	FeatureHost              Feature = "host"
	FeatureMethod            Feature = "method"
	FeatureHeaders           Feature = "headers"
	FeatureQuery             Feature = "query"
	FeatureOrder             Feature = "order"
	FeatureBackend           Feature = "backend"
	FeatureWeights           Feature = "weights"
	FeatureBackendProtocol   Feature = "backend-protocol"
	FeatureBackendTLS        Feature = "backend-tls"
	FeatureRedirect          Feature = "redirect"
	FeatureRewrite           Feature = "rewrite"
	FeatureHostRewrite       Feature = "host-rewrite"
	FeatureRequestHeaders    Feature = "request-headers"
	FeatureResponseHeaders   Feature = "response-headers"
	FeatureCORS              Feature = "cors"
	FeatureMirror            Feature = "mirror"
	FeatureTimeouts          Feature = "timeouts"
	FeatureConnectTimeout    Feature = "connect-timeout"
	FeatureRetry             Feature = "retry"
	FeatureAffinity          Feature = "affinity"
	FeatureRespond           Feature = "respond"
	FeatureFault             Feature = "fault"
	FeatureTLS               Feature = "tls"
	FeatureClientCertificate Feature = "client-certificate"
	FeatureListener          Feature = "listener"
	FeatureForwarded         Feature = "forwarded" // X-Forwarded-*
	FeatureGateway           Feature = "gateway"   // what an existing Gateway must have
)

// Fate is what became of a feature.
type Fate uint8

// Fates, best first.
const (
	Kept           Fate = iota
	Approximated        // the message says what differs
	NeedsExtension      // the remedy says of which implementation
	Lost
)

// Note says that a feature of a rule or listener is not kept exactly.
type Note struct {
	Rule    *routing.Rule // nil at listener level
	Origin  routing.Origin
	Feature Feature
	Fate    Fate
	Message string
	Remedy  string
	// Closed is set where the rule was emitted without a backend, or left out
	// because nothing else takes its requests, so that nobody gets in.
	Closed bool
}

// remark is a note before it is known which rule it is about.
type remark struct {
	feature         Feature
	fate            Fate
	message, remedy string
	closed          bool
}

type noteKey struct {
	object  routing.ObjectRef
	path    string
	feature Feature
	message string
}

func (e *emitter) note(r *routing.Rule, m remark) {
	e.noteAt(r, r.Origin, m)
	for _, at := range r.Also {
		e.noteAt(r, at, m)
	}
	for _, twin := range e.twins[r] {
		e.noteAt(twin, twin.Origin, m)
	}
}

// noteAt records a note once per object, path, feature and message.
func (e *emitter) noteAt(r *routing.Rule, at routing.Origin, m remark) {
	k := noteKey{at.Object, at.Path, m.feature, m.message}
	h := maphash.Comparable(e.seed, k)
	for ; ; h++ {
		i, ok := e.noted[h]
		if !ok {
			break
		}
		if n := &e.notes[i]; k == (noteKey{n.Origin.Object, n.Origin.Path, n.Feature, n.Message}) {
			return
		}
	}
	e.noted[h] = int32(len(e.notes))
	e.notes = append(e.notes, Note{Rule: r, Origin: at, Feature: m.feature, Fate: m.fate, Message: m.message, Remedy: m.remedy, Closed: m.closed})
}
