package harness

import (
	"strings"
	"testing"
)

func TestOptionsAreReadStrictly(t *testing.T) {
	for name, tc := range map[string]struct{ reason, in, want string }{
		"sound": {
			reason: "what the driver writes is accepted",
			in:     "gatewayClassName: x\nconformanceProfiles: [GATEWAY-HTTP]\nskipTests: [HTTPRouteWeight]\nsupportedFeatures: [HTTPRouteCORS]\ntimeoutConfig: {requestTimeout: 5s}\nusableNetworkAddresses: [{type: IPAddress, value: 192.0.2.1}]\n",
		},
		"empty":            {reason: "defaults will do", in: ""},
		"misspelt key":     {reason: "the suite would drop it", in: "gatewayClasName: x\n", want: `unknown field "gatewayClasName"`},
		"doubled key":      {reason: "which one counts?", in: "mode: a\nmode: b\n", want: "already set"},
		"misspelt timeout": {reason: "its own decoder drops it", in: "timeoutConfig: {reqestTimeout: 5s}\n", want: "timeoutConfig: this suite does not know reqestTimeout"},
		"bare number":      {reason: "30 would be nanoseconds", in: "timeoutConfig: {requestTimeout: 30}\n", want: `30 has no unit`},
		"bad duration":     {reason: "no duration", in: "timeoutConfig: {requestTimeout: soon}\n", want: `invalid duration "soon"`},
		"unknown test":     {reason: "it would skip nothing", in: "skipTests: [HTTPRouteWait]\n", want: "skipTests: this suite does not know HTTPRouteWait"},
		"unknown feature":  {reason: "it would support nothing", in: "supportedFeatures: [HTTPRouteCors]\n", want: "supportedFeatures: this suite does not know HTTPRouteCors"},
		"unknown exempt":   {reason: "it would exempt nothing", in: "exemptFeatures: [CORS]\n", want: "exemptFeatures: this suite does not know CORS"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkOptions([]byte(tc.in))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%s: error %v, want %q", tc.reason, err, tc.want)
			}
		})
	}
}
