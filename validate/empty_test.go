package validate

import "testing"

// With --empty null an empty string counts as null wherever it would fill something, and stays a value where it would
// not. A blank string is not empty.
func TestEmpty(t *testing.T) {
	for _, test := range []struct{ name, row, keep, null string }{
		{"attributes, location and properties",
			`{"email":"a@b.co","first_name":"","city":"","x":"","location":{"zip":""},"properties":{"y":"","z":1}}`,
			`"email":"a@b.co","first_name":"","location":{"city":"","zip":""},"properties":{"x":"","y":"","z":1}`,
			`"email":"a@b.co","properties":{"z":1}`},
		{"blank strings", `{"email":"a@b.co","first_name":" ","x":"\u00a0"}`,
			`"email":"a@b.co","first_name":" ","properties":{"x":"\u00a0"}`,
			`"email":"a@b.co","first_name":" ","properties":{"x":"\u00a0"}`},
		{"deeper ones", `{"email":"a@b.co","x":{"y":""},"z":[""],"properties":{"a":{"b":""}}}`,
			`"email":"a@b.co","properties":{"x":{"y":""},"z":[""],"a":{"b":""}}`,
			`"email":"a@b.co","properties":{"x":{"y":""},"z":[""],"a":{"b":""}}`},
		{"the phone number", `{"email":"a@b.co","phone_number":""}`, `"email":"a@b.co"`, `"email":"a@b.co"`},
	} {
		for mode, want := range map[Empty]string{Keep: test.keep, Null: test.null} {
			want := result{Profile: `{"type":"profile","attributes":{` + want + `}}`, Key: `"a@b.co"`, Required: Present}
			if got := check(t, Options{Empty: mode}, test.row); got != want {
				t.Errorf("%s, %d: %s\ngot  %+v\nwant %+v", test.name, mode, test.row, got, want)
			}
		}
	}
	// What empty strings collide with, and where a name is not allowed.
	for row, want := range map[string]string{
		`{"email":"a@b.co","city":"","location":{"city":"c"}}`: `"email":"a@b.co","location":{"city":"c"}`,
		`{"email":"a@b.co","x":"","properties":{"x":1}}`:       `"email":"a@b.co","properties":{"x":1}`,
		`{"email":"a@b.co","$x":"","location":{"town":""}}`:    `"email":"a@b.co"`,
		`{"email":"a@b.co","location":"","properties":""}`:     `"email":"a@b.co"`,
	} {
		if got := check(t, Options{Empty: Keep}, row); got.Fault.Code == "" {
			t.Errorf("%s is accepted", row)
		}
		got := check(t, Options{Empty: Null}, row)
		if want := `{"type":"profile","attributes":{` + want + `}}`; got.Profile != want {
			t.Errorf("%s\ngot  %+v\nwant %s", row, got, want)
		}
	}
	for _, mode := range []Empty{Keep, Null} {
		want := result{Required: Present, Fault: Fault{EmailMissing, "email", `column "email" is empty`}}
		if got := check(t, Options{Empty: mode}, `{"email":""}`); got != want {
			t.Errorf("%d: got %+v", mode, got)
		}
		want.Fault = Fault{ProfileIDMissing, "profile_id", `column "profile_id" is empty`}
		if got := check(t, Options{Empty: mode, Operation: Remove}, `{"profile_id":""}`); got != want {
			t.Errorf("%d, remove: got %+v", mode, got)
		}
	}
}
