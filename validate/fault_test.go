package validate

import (
	"strings"
	"testing"
)

// Details that several tests expect.
const (
	castText = "; cast it to text in the query"
	cast     = ": expected a string, got a number" + castText
)

// castOf is the detail of a column of numbers.
func castOf(column string) string {
	return `column "` + column + `"` + cast + ": cast(" + column + " as varchar)"
}

func appearsTwice(column string) string {
	return `column "` + column + `" appears twice; rename one of them in the query`
}

func bothFill(one, two, target string) string {
	return `columns "` + one + `" and "` + two + `" both fill "` + target + `"; leave one out with --drop`
}

func beginsWithDollar(column string) string {
	return `column "` + column + `" begins with $, as Klaviyo's own names do; rename it or leave it out`
}

// A bad row is rejected with its first fault: the code, the column, and a detail with the remedy. Its key is kept
// where it has a readable one.
func TestFaults(t *testing.T) {
	const key = `"a@b.co"`
	long := strings.Repeat("é", 70)
	tests := []struct {
		name     string
		row      string
		key      string
		required Required
		code     Code
		column   string
		detail   string
	}{
		{"a string", `"x"`, "", NotObject, NotAnObject, "", "expected an object, got a string"},
		{"null", `null`, "", NotObject, NotAnObject, "", "expected an object, got null"},
		{"an array of values", `[1,{"a":[]}]`,
			"", NotObject, NotAnObject, "", "expected an object, got an array; " + arrayHint},
		{"an array of objects", ` [ {"email":"a@b.co"}]`,
			"", NotObject, NotAnObject, "", "expected an object, got an array; " +
				"this array is inside another value or behind text on its line: " +
				"put each array on a line of its own (td query: use -o FILE), or pipe the rows through jq -c '.[]'"},

		{"a name twice, once escaped", `{"email":"a@b.co","x":1,"\u0078":2}`,
			key, Present, DuplicateMember, "x", appearsTwice("x")},
		{"the email twice, once null", `{"email":"a@b.co","email":null}`,
			key, Present, DuplicateMember, "email", appearsTwice("email")},
		{"the email twice, of a wrong type", `{"email":1,"email":2}`,
			"", WrongType, DuplicateMember, "email", appearsTwice("email")},
		{"a null twice", `{"x":null,"x":null}`,
			"", Missing, DuplicateMember, "x", appearsTwice("x")},
		{"a null twice in location", `{"email":"a@b.co","location":{"zip":null,"zip":null}}`,
			key, Present, DuplicateMember, "location.zip", appearsTwice("location.zip")},
		{"an unknown member twice in location", `{"email":"a@b.co","location":{"no":1,"no":1}}`,
			key, Present, DuplicateMember, "location.no", appearsTwice("location.no")},
		{"a reserved name twice in properties", `{"email":"a@b.co","properties":{"$p":1,"$p":1}}`,
			key, Present, DuplicateMember, "properties.$p", appearsTwice("properties.$p")},
		{"a name twice with every escape",
			`{"x\/\"\\😀":1,"\u0078\u002f\u0022\u005c\ud83d\uDE00":2}`,
			"", Missing, DuplicateMember, "x/\"\\😀", appearsTwice(`x/\"\\😀`)},
		{"the first of several names that appear twice", `{"x":1,"email":"a@b.co","x":1,"y":1,"y":1,"email":"c@d.co"}`,
			key, Present, DuplicateMember, "x", appearsTwice("x")},
		{"the first of several in properties",
			`{"email":"a@b.co","properties":{"x":1,"x":1,"y":1,"y":1,"z":1},"properties":{}}`,
			key, Present, DuplicateMember, "properties.x", appearsTwice("properties.x")},

		{"location.city and city", `{"email":"a@b.co","location":{"city":"x"},"city":"y"}`,
			key, Present, DuplicateMember, "city", bothFill("location.city", "city", "location.city")},
		{"the first of two collisions", `{"email":"a@b.co","city":"c","zip":"z","location":{"city":"c","zip":"z"}}`,
			key, Present, DuplicateMember, "location.city", bothFill("city", "location.city", "location.city")},
		{"a collision before a name that appears twice",
			`{"email":"a@b.co","city":"c","location":{"city":"c"},"zip":"z","zip":"z"}`,
			key, Present, DuplicateMember, "location.city", bothFill("city", "location.city", "location.city")},
		{"a column and a property, after nulls", `{"email":"a@b.co","m":null,"x":1,"properties":{"n":null,"x":2}}`,
			key, Present, DuplicateMember, "properties.x", bothFill("x", "properties.x", "properties.x")},
		{"a column and a later property", `{"email":"a@b.co","x":1,"properties":{"y":1,"x":2}}`,
			key, Present, DuplicateMember, "properties.x", bothFill("x", "properties.x", "properties.x")},

		{"no columns", `{}`, "", Missing, EmailMissing, "email",
			`column "email" is missing; the row has no columns`},
		{"no email", `{"x":1}`, "", Missing, EmailMissing, "email", `column "email" is missing; the row has "x"`},
		{"no email among many columns", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1}`,
			"", Missing, EmailMissing, "email", `column "email" is missing; ` +
				`the row has "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" and 2 more`},
		{"a null email", `{"email":null,"$x":1}`, "", Present, EmailMissing, "email", `column "email" is null`},
		{"an empty email", `{"email":""}`, "", Present, EmailMissing, "email", `column "email" is empty`},
		{"a blank email", `{"email":" \t\u3000"}`, "", Present, EmailMissing, "email", `column "email" is empty`},
		{"another spelling", `{"x":1,"Email Address":"a@b.co"}`, "", Missing, EmailMissing, "email",
			`column "email" is missing, but "Email Address" is there; ` +
				`use AS "email" or --map 'Email Address=email'`},
		{"another word", `{"x":1,"mail":"a@b.co","e-mail":"a@b.co"}`, "", Missing, EmailMissing, "email",
			`column "email" is missing, but "mail" is there; use AS "email" or --map mail=email`},
		{"another word before the name in capitals", `{"mail":"a@b.co","Email":"a@b.co"}`,
			"", Missing, EmailMissing, "email", `column "email" is missing, but "Email" is there: ` +
				`names are case-sensitive; use AS "email" or --map Email=email`},
		{"a name in capitals", `{"EMAIL":"a@b.co"}`, "", Missing, EmailMissing, "email",
			`column "email" is missing, but "EMAIL" is there: ` +
				`names are case-sensitive; use AS "email" or --map EMAIL=email`},
		{"mysqlsh's answer", `{"rows":[{"email":"a@b.co"}],"hasData":true}`, "", Missing, EmailMissing, "email",
			`column "email" is missing; this is mysqlsh's whole answer, not a row: pipe it through jq -c '.rows[]'`},
		{"mysqlsh's answer in another order", ` { "hasData":true,"rows":[]}`, "", Missing, EmailMissing, "email",
			`column "email" is missing; this is mysqlsh's whole answer, not a row: pipe it through jq -c '.rows[]'`},
		{"athena's answer", `{"ResultSet":{"Rows":[]}}`, "", Missing, EmailMissing, "email",
			`column "email" is missing; this is athena's whole answer, not a row: ` +
				"use UNLOAD (…) TO … WITH (format='JSON') and read its files"},
		{"a separator in the only name", `{"email;name":"a@b.co;A"}`, "", Missing, EmailMissing, "email",
			`column "email" is missing; "email;name" is a single column: add --ifs ";" to mlr`},
		{"a separator in one of two names", `{"x;y":1,"z":2}`,
			"", Missing, EmailMissing, "email", `column "email" is missing; the row has "x;y", "z"`},

		{"a number for the email", `{"email":5}`, "", WrongType, TypeWrong, "email", castOf("email")},
		{"an array for the email", `{"email":["a@b.co"]}`, "", WrongType, TypeWrong, "email",
			`column "email": expected a string, got an array; cast it to text in the query`},
		{"an object for the email", `{"email":{}}`, "", WrongType, TypeWrong, "email",
			`column "email": expected a string, got an object; cast it to text in the query`},
		{"a boolean for the email", `{"email":false}`, "", WrongType, TypeWrong, "email",
			`column "email": expected a string, got a boolean` + castText + ": cast(email as varchar)"},
		{"an invalid email before a reserved name", `{"$x":1,"email":" bob@ "}`,
			`"bob@"`, Present, EmailInvalid, "email", `"bob@" has nothing after the @`},
		{"an invalid email with escapes", `{"email":"\"\u0007b"}`,
			`"\"\u0007b"`, Present, EmailInvalid, "email", `"\"\ab" has no @`},
		{"an invalid email that is cut", `{"email":"` + long + long + `"}`,
			`"` + long + long[:60] + `"`, Present, EmailInvalid, "email", `"` + long[:120] + `…" has no @`},

		{"a wrong type before a reserved name", `{"email":"a@b.co","first_name":5,"$x":1}`,
			key, Present, TypeWrong, "first_name", castOf("first_name")},
		{"a reserved name before a wrong type", `{"$x":1,"email":"a@b.co","first_name":5}`,
			key, Present, NameReserved, "$x", beginsWithDollar("$x")},
		{"an object for an attribute", `{"email":"a@b.co","zip":{}}`, key, Present, TypeWrong, "zip",
			`column "zip": expected a string, got an object; cast it to text in the query`},
		{"a boolean for the latitude", `{"email":"a@b.co","latitude":true}`, key, Present, TypeWrong, "latitude",
			`column "latitude": expected a number or a string, got a boolean`},
		{"an array for the longitude", `{"email":"a@b.co","location":{"longitude":[]}}`,
			key, Present, TypeWrong, "location.longitude",
			`column "location.longitude": expected a number or a string, got an array`},
		{"a number in location", `{"email":"a@b.co","location":{"city":1}}`,
			key, Present, TypeWrong, "location.city", `column "location.city"` + cast + ": cast(city as varchar)"},
		{"a string for location", `{"email":"a@b.co","location":"Tokyo"}`,
			key, Present, TypeWrong, "location", `column "location": expected an object, got a string`},
		{"an unknown member of location", `{"email":"a@b.co","location":{"town":"x"}}`,
			key, Present, TypeWrong, "location.town",
			`Klaviyo's location has no member "town"; make it a column of its own or leave it out`},
		{"an array for properties", `{"email":"a@b.co","properties":[]}`,
			key, Present, TypeWrong, "properties", `column "properties": expected an object, got an array`},
		{"a reserved name in properties", `{"email":"a@b.co","properties":{"$p":0}}`,
			key, Present, NameReserved, "properties.$p", beginsWithDollar("properties.$p")},
		{"a column without a name", `{"email":"a@b.co","":0}`,
			key, Present, NameReserved, "", "a column has no name; name it in the query"},
		{"a number for the external id", `{"email":"a@b.co","external_id":7}`,
			key, Present, TypeWrong, "external_id", castOf("external_id")},
		{"a long external id", `{"email":"a@b.co","external_id":"` + strings.Repeat("x", 256) + `"}`,
			key, Present, TypeWrong, "external_id", `column "external_id": expected at most 255 characters, got 256`},
		{"a reserved name that is cut", `{"email":"a@b.co","$` + long + `":0}`,
			key, Present, NameReserved, "$" + long[:118], beginsWithDollar("$" + long[:118] + "…")},

		{"a number for the phone number", `{"phone_number":819012345678,"email":"a@b.co"}`,
			key, Present, TypeWrong, "phone_number",
			castOf("phone_number") + ", or add -S to mlr: a number loses + and leading zeros"},
		{"a number for the zip code", `{"email":"a@b.co","zip":2134}`, key, Present, TypeWrong, "zip",
			castOf("zip") + ", or add -S to mlr: a number loses leading zeros"},
		{"an array for the phone number", `{"phone_number":["+819012345678"],"email":"a@b.co"}`,
			key, Present, TypeWrong, "phone_number",
			`column "phone_number": expected a string, got an array; cast it to text in the query`},
		{"no country code", `{"phone_number":"090 1234 5678","email":"a@b.co"}`,
			key, Present, PhoneInvalid, "phone_number",
			`"090 1234 5678" has no country code; write it as +…, or set --default-country`},
		{"no country code, and an unknown country",
			`{"phone_number":"090 1234 5678","email":"a@b.co","country":"Jpan"}`,
			key, Present, PhoneInvalid, "phone_number",
			`"090 1234 5678" has no country code` + unknownCountry("Jpan")},
		{"the number and the country escaped",
			`{"email":"a@b.co","phone_number":"\u0030901234","country":"\u004apan"}`,
			key, Present, PhoneInvalid, "phone_number",
			`"0901234" has no country code` + unknownCountry("Jpan")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := check(t, Options{}, test.row)
			want := result{Key: test.key, Required: test.required, Fault: Fault{test.code, test.column, test.detail}}
			if got != want {
				t.Errorf("%s\ngot  %+v\nwant %+v", test.row, got, want)
			}
		})
	}
}
