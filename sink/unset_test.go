package sink

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"
)

// A property that a profile shows as null is gone, and one that several profiles have is named once.
func TestUnsetLeft(t *testing.T) {
	p := Unset{Names: []string{"plan", "n", "none", "é"}}
	for _, properties := range []string{`{"plan":null,"é":"","other":1}`, `{"n":null,"é":[]}`, `null`} {
		var profile profileResource
		if err := json.Unmarshal([]byte(`{"attributes":{"properties":`+properties+`}}`), &profile); err != nil {
			t.Fatal(err)
		}
		p.keep(&profile)
	}
	if diff := cmp.Diff([]string{"é"}, p.Left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}
