package main

import "testing"

// The server counts the profiles of a body, whoever encoded it: klaviyo-export or one of the scripts.
func TestServerCountsProfiles(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       int64
	}{
		{"no profiles", opening + closing, 0},
		{
			"nested braces and a brace in a string",
			opening + `{"type":"profile","attributes":{"email":"a@example.com","properties":{"n":{"a":{}}}}},` +
				`{"type":"profile","attributes":{"email":"{b"}}` + closing,
			2,
		},
		{
			"spaces and another order",
			`{"data": {"attributes": {"profiles": {"data": [` +
				`{"attributes": {"email": "a@example.com"}, "type": "profile"}` +
				`]}}, "type": "profile-bulk-import-job"}}`,
			1,
		},
		{"empty body", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := profiles([]byte(c.body)); got != c.want {
				t.Errorf("expected %d profiles, got %d in %s", c.want, got, c.body)
			}
		})
	}
}
