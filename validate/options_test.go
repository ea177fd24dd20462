package validate

import (
	"strings"
	"testing"
)

type mapping = map[string]string

// Options that contradict each other or name something unknown are refused, with the flag as the user would write it.
func TestOptionErrors(t *testing.T) {
	const country = "--default-country: expected an ISO 3166 alpha-2 code such as JP or US, got "
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"a code that is not in the standard", Options{DefaultCountry: "UK"}, country + `"UK"`},
		{"a country by name", Options{DefaultCountry: "Japan"}, country + `"Japan"`},
		{"a calling code", Options{Operation: Remove, DefaultCountry: "001"}, country + `"001"`},

		{"an unknown target", Options{Map: mapping{"a": "plan"}},
			`--map a=plan: no attribute of Klaviyo is named "plan"; use properties.plan for a custom property`},
		{"a column that a shell would split", Options{Map: mapping{"it's a": "plan"}},
			`--map 'it'"'"'s a=plan': no attribute of Klaviyo is named "plan"; use properties.plan for a custom property`},
		{"no target", Options{Map: mapping{"a": ""}},
			`--map a=: expected a target after =; use properties.NAME for a custom property`},
		{"an attribute in capitals", Options{Map: mapping{"a": "Email"}},
			`--map a=Email: no attribute of Klaviyo is named "Email"; use email, or properties.Email for a custom property`},
		{"a location member in capitals", Options{Map: mapping{"a": "ZIP"}},
			`--map a=ZIP: no attribute of Klaviyo is named "ZIP"; use zip, or properties.ZIP for a custom property`},
		{"the location object", Options{Map: mapping{"a": "location"}},
			`--map a=location: location is an object; use location.NAME`},
		{"the properties object", Options{Map: mapping{"a": "properties"}},
			`--map a=properties: properties is an object; use properties.NAME`},
		{"an unknown location member", Options{Map: mapping{"a": "location.town"}},
			`--map a=location.town: no member of the location is named "town"`},
		{"an attribute in location", Options{Map: mapping{"a": "location.email"}},
			`--map a=location.email: no member of the location is named "email"`},
		{"a property without a name", Options{Map: mapping{"a": "properties."}},
			`--map a=properties.: expected a name after "properties."`},
		{"a property of Klaviyo", Options{Map: mapping{"a": "properties.$x"}},
			`--map 'a=properties.$x': names that begin with $ are reserved for Klaviyo`},
		{"a property that is not UTF-8", Options{Map: mapping{"a": "properties.\xff"}},
			"--map 'a=properties.\xff': the name is not UTF-8"},
		{"profile_id for add", Options{Map: mapping{"a": "profile_id"}},
			`--map a=profile_id: no attribute of Klaviyo is named "profile_id"; ` +
				`use properties.profile_id for a custom property`},
		{"two columns for one location member", Options{Map: mapping{"b": "city", "a": "location.city"}},
			`--map a=location.city and --map b=city cannot be combined: both fill "location.city"`},
		{"two columns for one property", Options{Map: mapping{"b": "properties.x", "a": "properties.x"}},
			`--map a=properties.x and --map b=properties.x cannot be combined: both fill "properties.x"`},
		{"no column for email", Options{Map: mapping{"email": "properties.x"}},
			`--map email=properties.x: add needs email, and no other column is mapped to it`},
		{"mapped and dropped", Options{Map: mapping{"a": "city"}, Drop: []string{"a"}},
			`--drop a and --map a=city cannot be combined: a dropped column fills nothing`},
		{"mapped to email and dropped", Options{Map: mapping{"a": "email"}, Drop: []string{"a"}},
			`--drop a and --map a=email cannot be combined: a dropped column fills nothing`},
		{"email dropped", Options{Drop: []string{"x", "email"}}, `--drop email: add needs this column`},

		{"remove by email", Options{Operation: Remove, Map: mapping{"a": "email"}},
			`--map a=email: expected profile_id, got "email"; remove reads no other column`},
		{"swapped for remove", Options{Operation: Remove, Map: mapping{"profile_id": "my id"}},
			`--map 'profile_id=my id': expected profile_id, got "my id"; ` +
				`--map is COLUMN=TARGET: did you mean --map 'my id=profile_id'?`},
		{"swapped", Options{Map: mapping{"email": "mail"}},
			`--map email=mail: no attribute of Klaviyo is named "mail"; ` +
				`--map is COLUMN=TARGET: did you mean --map mail=email?`},
		{"swapped, in another case", Options{Map: mapping{"email": "EMAIL"}},
			`--map email=EMAIL: no attribute of Klaviyo is named "EMAIL"; ` +
				`--map is COLUMN=TARGET: did you mean --map EMAIL=email?`},
		{"swapped with a member of the location", Options{Map: mapping{"city": "My town"}},
			`--map 'city=My town': no attribute of Klaviyo is named "My town"; ` +
				`--map is COLUMN=TARGET: did you mean --map 'My town=city'?`},
		{"a look-alike", Options{Map: mapping{"PHONE": "phone"}},
			`--map PHONE=phone: no attribute of Klaviyo is named "phone"; did you mean --map PHONE=phone_number? ` +
				`(properties.phone is a custom property)`},
		{"two columns for profile_id", Options{Operation: Remove, Map: mapping{"a": "profile_id", "b": "profile_id"}},
			`--map a=profile_id and --map b=profile_id cannot be combined: both fill "profile_id"`},
		{"profile_id dropped", Options{Operation: Remove, Drop: []string{"profile_id"}},
			`--drop profile_id: remove needs this column`},
	}
	for _, test := range tests {
		c, err := New(test.o)
		if c != nil || err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.name, err, test.want)
		}
	}
}

// Columns that the options map or drop go where the options say, and the required column is the one that is mapped to
// it.
func TestMapping(t *testing.T) {
	profile := func(attributes string) result {
		profile := `{"type":"profile","attributes":{` + attributes + `}}`
		return result{Profile: profile, Key: `"a@b.co"`, Required: Present}
	}
	fault := func(key string, required Required, code Code, column, detail string) result {
		return result{Key: key, Required: required, Fault: Fault{code, column, detail}}
	}
	twice := func(column, detail string) result {
		return fault(`"a@b.co"`, Present, DuplicateMember, column, detail)
	}
	mail := Options{Map: mapping{"mail": "email"}}
	id := Options{Operation: Remove, Map: mapping{"id": "profile_id"}}
	tests := []struct {
		name string
		o    Options
		row  string
		want result
	}{
		{"targets of every kind",
			Options{Map: mapping{
				"fname": "first_name", "a": "city", "b": "location.zip", "c": "properties.C \"d\"",
				"tel": "phone_number",
			}},
			`{"email":"a@b.co","c":{"x":1},"b":"1","fname":"A","a":"x","tel":"+1 201 555 0123"}`,
			profile(`"email":"a@b.co","first_name":"A","phone_number":"+12015550123",` +
				`"location":{"zip":"1","city":"x"},"properties":{"C \"d\"":{"x":1}}`)},
		{"names that need a new name",
			Options{Map: mapping{
				"$source": "properties.source", "": "title", "city": "properties.city", "é": "properties.x",
			}},
			`{"email":"a@b.co","$source":1,"":"T","city":5,"\u00e9":0}`,
			profile(`"email":"a@b.co","title":"T","properties":{"source":1,"city":5,"x":0}`)},
		{"a property with an attribute's name", Options{Map: mapping{"email": "email", "id": "properties.first_name"}},
			`{"email":"a@b.co","id":1}`, profile(`"email":"a@b.co","properties":{"first_name":1}`)},
		{"dropped columns are not checked",
			Options{Drop: []string{"x", "$y", "phone_number", "location", "properties", "city", "x"}},
			`{"x":1,"email":"a@b.co","$y":1,"phone_number":5,"location":{"a":1,"a":2},"properties":7,"city":{}}`,
			profile(`"email":"a@b.co"`)},
		{"a dropped column twice", Options{Drop: []string{"x"}}, `{"x":1,"email":"a@b.co","x":1}`,
			twice("x", appearsTwice("x"))},
		{"location and properties as values", Options{Map: mapping{"location": "city", "properties": "properties.p"}},
			`{"email":"a@b.co","location":"x","properties":{"a":1,"a":2}}`,
			profile(`"email":"a@b.co","location":{"city":"x"},"properties":{"p":{"a":1,"a":2}}`)},
		{"location as a value of a wrong type", Options{Map: mapping{"location": "city"}},
			`{"email":"a@b.co","location":{}}`,
			fault(`"a@b.co"`, Present, TypeWrong, "location",
				`column "location": expected a string, got an object; cast it to text in the query`)},
		{"the country in another column", Options{DefaultCountry: "jp", Map: mapping{"land": "country"}},
			`{"email":"a@b.co","phone_number":"201 555 0123","land":"US"}`,
			profile(`"email":"a@b.co","phone_number":"+12015550123","location":{"country":"US"}`)},
		{"a dropped country", Options{DefaultCountry: "jp", Drop: []string{"country"}},
			`{"email":"a@b.co","phone_number":"03-1234-5678","country":"US"}`,
			profile(`"email":"a@b.co","phone_number":"+81312345678"`)},

		{"email from another column, null in its own", mail, `{"mail":" a@b.co","email":null}`,
			profile(`"email":"a@b.co"`)},
		{"email from another column and its own", mail, `{"mail":"a@b.co","email":"c@d.co"}`,
			twice("email", bothFill("mail", "email", "email"))},
		{"only email where another column is required", mail, `{"email":"c@d.co"}`,
			fault("", Missing, EmailMissing, "mail",
				`column "mail" is missing, but "email" is there; use AS "mail" or --map email=email`)},
		{"the required column null", mail, `{"email":"c@d.co","mail":null}`,
			fault("", Present, EmailMissing, "mail", `column "mail" is null`)},
		{"the required column in capitals", mail, `{"Mail":"c@d.co"}`,
			fault("", Missing, EmailMissing, "mail",
				`column "mail" is missing, but "Mail" is there: `+
					`names are case-sensitive; use AS "mail" or --map Mail=email`)},
		{"a required column that a shell would split", Options{Map: mapping{"e mail": "email"}}, `{"E Mail":"c@d.co"}`,
			fault("", Missing, EmailMissing, "e mail", `column "e mail" is missing, but "E Mail" is there: `+
				`names are case-sensitive; use AS "e mail" or --map 'E Mail=email'`)},
		{"the required column a number", mail, `{"mail":5}`,
			fault("", WrongType, TypeWrong, "mail", castOf("mail"))},
		{"the required column invalid", mail, `{"mail":"x"}`,
			fault(`"x"`, Present, EmailInvalid, "mail", `"x" has no @`)},
		{"email as a property", Options{Map: mapping{"mail": "email", "email": "properties.old"}},
			`{"mail":"a@b.co","email":"c@d.co"}`, profile(`"email":"a@b.co","properties":{"old":"c@d.co"}`)},
		{"email dropped", Options{Map: mapping{"mail": "email"}, Drop: []string{"email"}},
			`{"mail":"a@b.co","email":"c@d.co"}`, profile(`"email":"a@b.co"`)},
		{"a mapped property and a column of its name", Options{Map: mapping{"x": "properties.y"}},
			`{"email":"a@b.co","y":1,"x":2}`, twice("x", bothFill("y", "x", "properties.y"))},
		{"a mapped property and a member of its name", Options{Map: mapping{"x": "properties.y"}},
			`{"email":"a@b.co","properties":{"y":1},"x":2}`,
			twice("x", bothFill("properties.y", "x", "properties.y"))},
		{"a mapped property and a member of the column's name", Options{Map: mapping{"x": "properties.y"}},
			`{"email":"a@b.co","x":1,"properties":{"x":2}}`, profile(`"email":"a@b.co","properties":{"y":1,"x":2}`)},
		{"a mapped attribute and its own column", Options{Map: mapping{"x": "title"}},
			`{"email":"a@b.co","x":"1","title":"2"}`, twice("title", bothFill("x", "title", "title"))},
		{"a mapped phone number, blank in its own column", Options{Map: mapping{"tel": "phone_number"}},
			`{"email":"a@b.co","phone_number":" ","tel":"+12015550123"}`,
			profile(`"email":"a@b.co","phone_number":"+12015550123"`)},
		{"a mapped phone number that is invalid", Options{Map: mapping{"tel": "phone_number"}},
			`{"email":"a@b.co","tel":"1"}`,
			fault(`"a@b.co"`, Present, PhoneInvalid, "tel",
				`"1" has no country code; write it as +…, or set --default-country`)},

		{"a mapped profile id", Options{Operation: Remove, Map: mapping{"id": "profile_id"}, Drop: []string{"x"}},
			`{"id":"P","x":1}`, result{Profile: `{"type":"profile","id":"P"}`, Key: `"P"`, Required: Present}},
		{"a mapped profile id and its own column", id, `{"id":"P","profile_id":"Q"}`,
			fault(`"P"`, Present, DuplicateMember, "profile_id", bothFill("id", "profile_id", "profile_id"))},
	}
	for _, test := range tests {
		if got := check(t, test.o, test.row); got != test.want {
			t.Errorf("%s: %+v %s\ngot  %+v\nwant %+v", test.name, test.o, test.row, got, test.want)
		}
	}
}

// Unmet names the mapped and dropped columns that no row had, in order.
func TestUnmet(t *testing.T) {
	c := checker(t, Options{Map: mapping{"x": "city", "n": "title"}, Drop: []string{"d", "a"}})
	var scratch Scratch
	var out Rows
	for _, step := range []struct{ rows, want string }{
		{"", "a d n x"},
		{`{"email":"a@b.co","properties":{"a":1}}`, "a d n x"},
		{`{"email":"a@b.co","x":null}` + "\n" + `{"a":1}`, "d n"},
		{`{"D":1,"n":2}`, "d"},
		{`{"d":0}`, ""},
	} {
		c.Check([]byte(step.rows), true, &scratch, &out)
		if got := strings.Join(c.Unmet(), " "); got != step.want {
			t.Errorf("after %q: got %q, want %q", step.rows, got, step.want)
		}
	}
}
