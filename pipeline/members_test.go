package pipeline

import (
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink"
)

// A member's row has its identifiers, the time of joining, and the fields that were asked for: null where the profile
// has none, and always on one line.
func TestMemberRow(t *testing.T) {
	m := &sink.Member{
		ID: `a"b`, Since: time.Date(2026, 11, 28, 5, 0, 0, 0, time.UTC), Attributes: &sink.Attributes{
			Email: json.RawMessage(`"ann@example.com"`), PhoneNumber: json.RawMessage(`null`),
			Location:   json.RawMessage("{\n  \"city\": \"Oslo\"\r\n}"),
			Properties: json.RawMessage("{\"plan\":\"gold\",\n\"n\":1,\"a b\":[\n1]}"),
		},
	}
	const begin = `{"profile_id":"a\"b","email":"ann@example.com","phone_number":null,"external_id":null,` +
		`"member_since":"2026-11-28T05:00:00Z"`
	for _, c := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"no fields", nil, "}\n"},
		{"attributes", []string{"location", "first_name"}, `,"first_name":null,"location":{"city":"Oslo"}}` + "\n"},
		{"properties", []string{"properties"}, `,"properties":{"plan":"gold","n":1,"a b":[1]}}` + "\n"},
		{"some properties", []string{"properties.a b", "properties.none", "properties.plan"},
			`,"properties":{"a b":[1],"plan":"gold"}}` + "\n"},
		{"all and some properties", []string{"properties.n", "properties"},
			`,"properties":{"plan":"gold","n":1,"a b":[1]}}` + "\n"},
	} {
		f, err := ParseFields(c.fields)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(f.append(nil, m)); got != begin+c.want {
			t.Errorf("%s:\ngot  %swant %s", c.name, got, begin+c.want)
		}
	}
	for _, name := range []string{"email", "plan", "properties.", ""} {
		if _, err := ParseFields([]string{name}); err == nil {
			t.Errorf("%q is accepted as a field", name)
		}
	}
}
