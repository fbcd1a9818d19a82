package conformance

import (
	"bytes"
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"
)

// AsWritten says what in the bytes of a report is not as the suite writes it:
// "The reports MUST be uploaded exactly as they have been created by the
// conformance suite, without any modifications". The suite marshals a report by
// sigs.k8s.io/yaml (writeReport in conformance/conformance.go), so one that was
// not touched comes out of a round trip as it went in: no comments, sorted
// fields, its indentation.
func AsWritten(data []byte) error {
	var any map[string]any
	if err := yaml.UnmarshalStrict(data, &any); err != nil {
		return err
	}
	again, err := yaml.Marshal(any)
	if err != nil {
		return err
	}
	if bytes.Equal(again, data) {
		return nil
	}
	have, want := bytes.Split(data, []byte("\n")), bytes.Split(again, []byte("\n"))
	for i := range want {
		if i >= len(have) || !bytes.Equal(have[i], want[i]) {
			return fmt.Errorf("line %d is not as the suite writes it, which would be %q", i+1, want[i])
		}
	}
	return errors.New("there is more at its end than the suite writes")
}
