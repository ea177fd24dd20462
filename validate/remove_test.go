package validate

import (
	"strings"
	"testing"
)

// Remove reads the profile id alone: other columns change nothing, but no name may appear twice.
func TestRemove(t *testing.T) {
	good := func(id string) result {
		return result{Profile: `{"type":"profile","id":"` + id + `"}`, Key: `"` + id + `"`, Required: Present}
	}
	bad := func(key string, required Required, code Code, column, detail string) result {
		return result{Key: key, Required: required, Fault: Fault{code, column, detail}}
	}
	invalid := func(key, detail string) result { return bad(key, Present, ProfileIDInvalid, "profile_id", detail) }
	missing := func(required Required, detail string) result {
		return bad("", required, ProfileIDMissing, "profile_id", `column "profile_id" is `+detail)
	}
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name, row string
		want      result
	}{
		{"an id", `{"profile_id":"01GDDKASAP8TKDDA2GRZDSVP4H"}`, good("01GDDKASAP8TKDDA2GRZDSVP4H")},
		{"columns that add would reject",
			`{"email":5,"$x":1,"location":[],"properties":{"a":1,"a":2},"phone_number":1,"":0,` +
				`"profile_id":"\u00a0A_b-\u0031 "}`,
			good("A_b-1")},
		{"100 characters", `{"profile_id":"` + x(100) + `"}`, good(x(100))},
		{"101 characters", `{"profile_id":"` + x(101) + `"}`,
			invalid(`"`+x(100)+`"`, `"`+x(60)+`…" is not a profile id: it has more than 100 characters`)},
		{"a space", `{"profile_id":"a b"}`, invalid(`"a b"`, `"a b" is not a profile id: it contains ' '`)},
		{"a letter that is not ASCII", `{"profile_id":"é"}`,
			invalid(`"é"`, `"é" is not a profile id: it contains 'é'`)},
		{"an address", `{"profile_id":"a@b.co"}`,
			invalid(`"a@b.co"`, `"a@b.co" is an email address, not a profile id; use --by email`)},
		{"no id", `{"email":"a@b.co"}`, missing(Missing, `missing, but "email" is there; use --by email`)},
		{"a name in capitals", `{"PROFILE_ID":"x"}`, missing(Missing, `missing, but "PROFILE_ID" is there: `+
			`names are case-sensitive; use AS "profile_id" or --map PROFILE_ID=profile_id`)},
		{"a null id", `{"profile_id":null}`, missing(Present, "null")},
		{"a blank id", `{"profile_id":" "}`, missing(Present, "empty")},
		{"a number", `{"profile_id":7}`, bad("", WrongType, TypeWrong, "profile_id", castOf("profile_id"))},
		{"the id twice", `{"profile_id":"x","profile_id":"x"}`,
			bad(`"x"`, Present, DuplicateMember, "profile_id", appearsTwice("profile_id"))},
		{"another name twice", `{"profile_id":"x","y":1,"y":1}`,
			bad(`"x"`, Present, DuplicateMember, "y", appearsTwice("y"))},
	}
	for _, test := range tests {
		if got := check(t, Options{Operation: Remove}, test.row); got != test.want {
			t.Errorf("%s: %s\ngot  %+v\nwant %+v", test.name, test.row, got, test.want)
		}
	}
}
