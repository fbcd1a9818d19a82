// Package suite is the official Gateway API conformance suite of one version,
// built as a test binary. Everything but the version's list of profiles is in
// the harness module beside it.
package suite

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"

	"github.com/causeway-gateway/causeway/conformance/suites/harness"
)

func TestMain(m *testing.M) {
	harness.Main(m,
		suite.GatewayHTTPConformanceProfile,
		suite.GatewayGRPCConformanceProfile,
		suite.GatewayTLSConformanceProfile,
		suite.GatewayTCPConformanceProfile,
		suite.GatewayUDPConformanceProfile,
		suite.MeshHTTPConformanceProfile,
		suite.MeshGRPCConformanceProfile,
	)
}

func TestConformance(t *testing.T) { harness.Run(t) }
