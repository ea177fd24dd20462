package validate

import (
	"strings"
	"testing"
)

// Each identifier names the person by its own rules: Klaviyo and results get it in the one form that
// Klaviyo's own answers have, a rejected row's result has it as the row does.
func TestBy(t *testing.T) {
	long := strings.Repeat("x", 150)
	tests := []struct {
		name, row    string
		o            Options
		profile, key string
		code         Code
		detail       string
	}{
		{"add by phone", `{"phone_number":" +49 30 901820 ","first_name":"Ann"}`, Options{By: "phone_number"},
			`{"type":"profile","attributes":{"phone_number":"+4930901820","first_name":"Ann"}}`,
			`"+4930901820"`, "", ""},
		{"add by phone in E.164", `{"phone_number":"+4930901820"}`, Options{By: "phone_number"},
			`{"type":"profile","attributes":{"phone_number":"+4930901820"}}`, `"+4930901820"`, "", ""},
		{"add by phone with the row's country", `{"phone_number":"030 901820","country":"DE"}`, Options{By: "phone_number"},
			`{"type":"profile","attributes":{"phone_number":"+4930901820","location":{"country":"DE"}}}`,
			`"+4930901820"`, "", ""},
		{"add by phone with an email beside it", `{"email":" a@b.co ","phone_number":"+4930901820"}`,
			Options{By: "phone_number"},
			`{"type":"profile","attributes":{"email":"a@b.co","phone_number":"+4930901820"}}`,
			`"+4930901820"`, "", ""},
		{"an empty email beside it", `{"email":" ","phone_number":"+4930901820"}`, Options{By: "phone_number"},
			`{"type":"profile","attributes":{"phone_number":"+4930901820"}}`, `"+4930901820"`, "", ""},
		{"a bad email beside it", `{"email":"a@b","phone_number":"+4930901820"}`, Options{By: "phone_number"},
			"", `"+4930901820"`, EmailInvalid, `"a@b" has a domain without a dot`},
		{"no phone number", `{"phone_number":null}`, Options{By: "phone_number"},
			"", "", PhoneMissing, `column "phone_number" is null`},
		{"an empty phone number", `{"phone_number":""}`, Options{By: "phone_number"},
			"", "", PhoneMissing, `column "phone_number" is empty`},
		{"a phone number without a country", `{"phone_number":"030 901820"}`, Options{By: "phone_number"},
			"", `"030 901820"`, PhoneInvalid,
			`"030 901820" has no country code; write it as +…, or set --default-country`},
		{"remove by phone", `{"phone_number":"030 901820","email":5}`,
			Options{Operation: Remove, By: "phone_number", DefaultCountry: "DE"},
			`"+4930901820"`, `"+4930901820"`, "", ""},
		{"remove by phone with the row's country", `{"phone_number":"020 7946 0018","country":"GB"}`,
			Options{Operation: Remove, By: "phone_number", DefaultCountry: "DE"},
			`"+442079460018"`, `"+442079460018"`, "", ""},
		{"remove by phone with a country in location", `{"phone_number":"020 7946 0018","location":{"country":"GB"}}`,
			Options{Operation: Remove, By: "phone_number", DefaultCountry: "DE"},
			`"+442079460018"`, `"+442079460018"`, "", ""},
		{"remove by phone with a country that is no text", `{"phone_number":"030 901820","country":49}`,
			Options{Operation: Remove, By: "phone_number", DefaultCountry: "DE"},
			"", `"030 901820"`, TypeWrong,
			`column "country": expected a string, got a number; cast it to text in the query: cast(country as varchar)`},
		{"remove by email", `{"email":" Ann@Example.com ","phone_number":5}`, Options{Operation: Remove, By: "email"},
			`"Ann@Example.com"`, `"Ann@Example.com"`, "", ""},
		{"remove by a bad email", `{"email":"ann"}`, Options{Operation: Remove, By: "email"},
			"", `"ann"`, EmailInvalid, `"ann" has no @`},
		{"remove by external id", `{"external_id":" A \"7\"\\ é "}`, Options{Operation: Remove, By: "external_id"},
			`"A \"7\"\\ é"`, `"A \"7\"\\ é"`, "", ""},
		{"add by a long external id", `{"external_id":"` + long + `"}`, Options{By: "external_id"},
			`{"type":"profile","attributes":{"external_id":"` + long + `"}}`, `"` + long + `"`, "", ""},
		{"too long an external id", `{"external_id":"` + long + long + `"}`, Options{By: "external_id"},
			"", `"` + long[:100] + `"`, ExternalIDInvalid, `"` + long[:60] + `…" has more than 255 characters`},
		{"no external id", `{"external_id":""}`, Options{By: "external_id"},
			"", "", ExternalIDMissing, `column "external_id" is empty`},
		{"an external id that is a number", `{"external_id":7}`, Options{By: "external_id"}, "", "", TypeWrong,
			`column "external_id": expected a string, got a number; cast it to text in the query: ` +
				`cast(external_id as varchar)`},
		{"the wrong identifier", `{"email":"a@b.co"}`, Options{By: "external_id"}, "", "", ExternalIDMissing,
			`column "external_id" is missing, but "email" is there; use --by email`},
		{"a look-alike of another identifier", `{"Mobile":"+4930901820"}`, Options{Operation: Remove},
			"", "", ProfileIDMissing, `column "profile_id" is missing, but "Mobile" is there; ` +
				`use --by phone_number --map Mobile=phone_number`},
		{"a mapped column", `{"Mobile":"+4930901820"}`,
			Options{Operation: Remove, By: "phone_number", Map: map[string]string{"Mobile": "phone_number"}},
			`"+4930901820"`, `"+4930901820"`, "", ""},
	}
	for _, test := range tests {
		var scratch Scratch
		var out Rows
		checker(t, test.o).Check([]byte(test.row), true, &scratch, &out)
		row := out.Rows[0]
		var fault Fault
		if row.Fault != nil {
			fault = *row.Fault
		}
		profile, key := string(out.Data[row.Start:row.End]), string(out.Data[row.KeyStart:row.KeyEnd])
		if profile != test.profile || key != test.key || fault.Code != test.code || fault.Detail != test.detail {
			t.Errorf("%s: %s\ngot  %s key %s %+v\nwant %s key %s {%s %s}", test.name, test.row,
				profile, key, fault, test.profile, test.key, test.code, test.detail)
		}
	}
}

// Two ways to write one identifier are one person: emails without regard to case, phone numbers in E.164. External ids
// are compared exactly.
func TestIdentityBy(t *testing.T) {
	tests := []struct {
		o        Options
		one, two string
		same     bool
	}{
		{Options{By: "phone_number"}, `{"phone_number":"+49 30 901820"}`,
			`{"phone_number":"030/901820","country":"DE"}`, true},
		{Options{By: "phone_number"}, `{"phone_number":"+4930901820"}`, `{"phone_number":"+4930901821"}`, false},
		{Options{Operation: Remove, By: "email"}, `{"email":"ANN@b.co"}`, `{"email":"ann@B.co"}`, true},
		{Options{By: "external_id"}, `{"external_id":"a"}`, `{"external_id":"A"}`, false},
		{Options{By: "external_id"}, `{"external_id":"a"}`, `{"external_id":"\u0061 "}`, true},
	}
	for _, test := range tests {
		var scratch Scratch
		var out Rows
		checker(t, test.o).Check([]byte(test.one+"\n"+test.two), true, &scratch, &out)
		if got := out.Rows[0].Identity == out.Rows[1].Identity; got != test.same || out.Rows[0].Identity == [2]uint64{} {
			t.Errorf("%s and %s: got the same person: %v, want %v", test.one, test.two, got, test.same)
		}
	}
}

// An identifier that the operation does not accept is refused with those that it accepts.
func TestByRefused(t *testing.T) {
	tests := []struct {
		o    Options
		want string
	}{
		{Options{By: "profile_id"}, `--by: add expects email, phone_number or external_id, got "profile_id"`},
		{Options{Operation: Remove, By: "zip"},
			`--by: remove expects profile_id, email, phone_number or external_id, got "zip"`},
		{Options{By: "phone_number", BadPhone: Drop},
			"--bad-phone drop and --by phone_number cannot be combined: the number names the person"},
		{Options{Operation: Remove, By: "email", Map: map[string]string{"x": "first_name"}},
			`--map x=first_name: expected email, got "first_name"; remove reads no other column`},
		{Options{By: "external_id", Drop: []string{"external_id"}}, `--drop external_id: add needs this column`},
	}
	for _, test := range tests {
		if _, err := New(test.o); err == nil || err.Error() != test.want {
			t.Errorf("%+v: got %v, want %s", test.o, err, test.want)
		}
	}
}
