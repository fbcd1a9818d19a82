// Package run drives a build of the official Gateway API conformance suite
// against an implementation in a cluster. It owns finding and building the
// suite's binary, its options, the reading of its events, progress, artifacts of
// failed tests, re-runs in fresh clusters, and the results in our own form. It
// owns neither clusters nor installation, which come in as [Clusters] and
// [Implementation], nor the official report, which stays as the suite wrote it.
// It imports no suite, so it works with any version.
package run
