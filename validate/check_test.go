package validate

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func checker(t testing.TB, o Options) *Checker {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// verdict is a row with what its offsets point at.
type verdict struct {
	Profile, Key string
	Required     Required
	Fault        Fault
}

func verdicts(r *Rows) (all []verdict) {
	for _, row := range r.Rows {
		v := verdict{
			Profile: string(r.Data[row.Start:row.End]), Key: string(r.Data[row.KeyStart:row.KeyEnd]), Required: row.Required,
		}
		if row.Fault != nil {
			v.Fault = *row.Fault
		}
		all = append(all, v)
	}
	return all
}

// check checks one line that ends the input.
func check(t testing.TB, o Options, line string) verdict {
	t.Helper()
	var out Rows
	checker(t, o).Check([]byte(line), true, &out)
	if len(out.Rows) != 1 {
		t.Fatalf("%q gives %d rows", line, len(out.Rows))
	}
	return verdicts(&out)[0]
}

func TestProfiles(t *testing.T) {
	const a = `"email":"a@b.co"`
	tests := []struct{ name, row, attributes string }{
		{"email alone", `{"email":"a@b.co"}`, a},
		{"every attribute", `{"email":"a@b.co","external_id":"7","_kx":"k","first_name":"A","last_name":"B","organization":"C","locale":"ja-JP","title":"D","image":"https://x/y"}`,
			a + `,"external_id":"7","_kx":"k","first_name":"A","last_name":"B","organization":"C","locale":"ja-JP","title":"D","image":"https://x/y"`},
		{"email in its place", `{"title":"","email":"a@b.co","image":"i"}`, `"title":"",` + a + `,"image":"i"`},
		{"location columns", `{"latitude":35.60,"longitude":"139.7","email":"a@b.co","address1":"1","address2":"2","city":"c","country":"JP","region":"r","zip":"z","timezone":"Asia/Tokyo","ip":"::1"}`,
			a + `,"location":{"latitude":35.60,"longitude":"139.7","address1":"1","address2":"2","city":"c","country":"JP","region":"r","zip":"z","timezone":"Asia/Tokyo","ip":"::1"}`},
		{"location object among columns", `{"zip":"1","location":{"city":"c","latitude":-0.0},"email":"a@b.co","region":"r"}`,
			a + `,"location":{"zip":"1","city":"c","latitude":-0.0,"region":"r"}`},
		{"custom properties of every type", `{"email":"a@b.co","a":1,"b":"x","c":true,"d":[1,{"x":null}],"e":{"$x":1},"f":false}`,
			a + `,"properties":{"a":1,"b":"x","c":true,"d":[1,{"x":null}],"e":{"$x":1},"f":false}`},
		{"properties are merged in the row's order", `{"a":1,"properties":{"b":2,"c":{}},"email":"a@b.co","d":3}`,
			a + `,"properties":{"a":1,"b":2,"c":{},"d":3}`},
		{"attribute names in properties are custom", `{"email":"a@b.co","properties":{"email":1,"city":"x","location":{},"properties":2}}`,
			a + `,"properties":{"email":1,"city":"x","location":{},"properties":2}`},
		{"nulls are left out", `{"email":"a@b.co","first_name":null,"city":null,"x":null,"$y":null,"":null,"phone_number":null,"location":{"zip":null,"nowhere":null},"properties":{"z":null,"$z":null}}`, a},
		{"null objects", `{"email":"a@b.co","location":null,"properties":null}`, a},
		{"empty objects", `{"email":"a@b.co","location":{},"properties":{}}`, a},
		{"numbers keep their text", `{"email":"a@b.co","n":12345678901234567890.10,"m":1E+400,"o":-0,"p":9,"q":-9.9e-9}`,
			a + `,"properties":{"n":12345678901234567890.10,"m":1E+400,"o":-0,"p":9,"q":-9.9e-9}`},
		{"escapes stand as they are", `{"email":"a@b.co","first_name":"\u00e9\/\ud83d\ude00","x\u0079":"<&>\u2028"}`,
			a + `,"first_name":"\u00e9\/\ud83d\ude00","properties":{"x\u0079":"<&>\u2028"}`},
		{"surrogate pairs at the ends of their ranges", `{"email":"a@b.co","title":"\uD800\uDC00\udbff\udfff\ud7ff\ue000"}`,
			a + `,"title":"\uD800\uDC00\udbff\udfff\ud7ff\ue000"`},
		{"escaped names of attributes", `{"em\u0061il":"a@b.co","\u0063ity":"c","loc\u0061tion":{"z\u0069p":"1"}}`,
			a + `,"location":{"city":"c","zip":"1"}`},
		{"escaped email", `{"email":"\u0061\u0040b.co"}`, a},
		{"email trimmed", `{"email":"\t\u3000a@b.co \u00a0\n"}`, a},
		{"email keeps its case", `{"email":" Ann.O'X+y/z@B.CO"}`, `"email":"Ann.O'X+y/z@B.CO"`},
		{"white space", " \t{ \"a\"\t: [ 1 ] , \"email\" :\"a@b.co\" , \"b\": 2 }\t ", a + `,"properties":{"a":[ 1 ],"b":2}`},
		{"deep duplicates pass", `{"email":"a@b.co","x":{"a":1,"a":2},"properties":{"y":{"a":1,"a":2}}}`,
			a + `,"properties":{"x":{"a":1,"a":2},"y":{"a":1,"a":2}}`},
		{"names differ in case", `{"email":"a@b.co","Email":"x","EMAIL":1}`, a + `,"properties":{"Email":"x","EMAIL":1}`},
		{"dotted columns are custom", `{"email":"a@b.co","location.city":"x","properties.y":1,"city":"c"}`,
			a + `,"location":{"city":"c"},"properties":{"location.city":"x","properties.y":1}`},
		{"a null does not collide", `{"email":"a@b.co","city":null,"x":1,"location":{"city":"c"},"properties":{"x":null}}`,
			a + `,"location":{"city":"c"},"properties":{"x":1}`},
		{"profile_id is custom", `{"email":"a@b.co","profile_id":5}`, a + `,"properties":{"profile_id":5}`},
		{"empty phone", `{"email":"a@b.co","phone_number":" \u00a0"}`, a},
		{"phone", `{"phone_number":"+81 (0)90-1234-5678","email":"a@b.co"}`, `"phone_number":"+819012345678",` + a},
		{"phone of the row's country, which comes later", `{"phone_number":"090-1234-5678","email":"a@b.co","country":" jp "}`,
			`"phone_number":"+819012345678",` + a + `,"location":{"country":" jp "}`},
		{"phone of the location's country", `{"phone_number":"(201) 555-0123","email":"a@b.co","location":{"country":"US"}}`,
			`"phone_number":"+12015550123",` + a + `,"location":{"country":"US"}`},
		{"external id of 255 characters", `{"email":"a@b.co","external_id":"` + strings.Repeat("é", 254) + `\u00e9"}`,
			a + `,"external_id":"` + strings.Repeat("é", 254) + `\u00e9"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := check(t, Options{}, test.row)
			_, email, _ := strings.Cut(test.attributes, `"email":"`)
			email, _, _ = strings.Cut(email, `"`)
			want := verdict{Profile: `{"type":"profile","attributes":{` + test.attributes + `}}`, Key: `"` + email + `"`, Required: Present}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	const key = `"a@b.co"`
	long := strings.Repeat("é", 70)
	tests := []struct {
		row      string
		key      string
		required Required
		code     Code
		column   string
		detail   string
	}{
		{`"x"`, "", NotObject, NotAnObject, "", "the row is a string, not an object"},
		{`null`, "", NotObject, NotAnObject, "", "the row is null, not an object"},
		{`[1,{"a":[]}]`, "", NotObject, NotAnObject, "", "the row is an array, not an object; " + arrayHint},
		{` [ {"email":"a@b.co"}]`, "", NotObject, NotAnObject, "", "the row is an array, not an object; " + lateHint},
		{`{"email":"a@b.co","x":1,"\u0078":2}`, key, Present, DuplicateMember, "x", "`x` is there twice"},
		{`{"email":"a@b.co","email":null}`, key, Present, DuplicateMember, "email", "`email` is there twice"},
		{`{"x":null,"x":null}`, "", Missing, DuplicateMember, "x", "`x` is there twice"},
		{`{"email":"a@b.co","location":{"zip":null,"zip":null}}`, key, Present, DuplicateMember, "location.zip", "`location.zip` is there twice"},
		{`{"email":"a@b.co","location":{"no":1,"no":1}}`, key, Present, DuplicateMember, "location.no", "`location.no` is there twice"},
		{`{"email":"a@b.co","properties":{"$p":1,"$p":1}}`, key, Present, DuplicateMember, "properties.$p", "`properties.$p` is there twice"},
		{`{"email":"a@b.co","location":{"city":"x"},"city":"y"}`, key, Present, DuplicateMember, "city",
			"`location.city` and `city` both fill `location.city`: leave one out (--drop)"},
		{`{"email":"a@b.co","m":null,"x":1,"properties":{"n":null,"x":2}}`, key, Present, DuplicateMember, "properties.x",
			"`x` and `properties.x` both fill `properties.x`: leave one out (--drop)"},
		{`{"email":"a@b.co","x":1,"properties":{"y":1,"x":2}}`, key, Present, DuplicateMember, "properties.x",
			"`x` and `properties.x` both fill `properties.x`: leave one out (--drop)"},
		{`{"\b\f\n\r\t\/\"\\😀x":1,"\u0008\u000c\u000A\u000d\u0009\u002f\u0022\u005c\ud83d\uDE00\u0078":2}`, "", Missing, DuplicateMember, "\b\f\n\r\t/\"\\😀x",
			"`\\u0008\\u000c\\u000a\\u000d\\u0009/\"\\😀x` is there twice"},
		{`{"x":1,"email":"a@b.co","x":1,"y":1,"y":1,"email":"c@d.co"}`, key, Present, DuplicateMember, "x", "`x` is there twice"},
		{`{"email":"a@b.co","properties":{"x":1,"x":1,"y":1,"y":1,"z":1},"properties":{}}`, key, Present, DuplicateMember, "properties.x", "`properties.x` is there twice"},
		{`{"email":"a@b.co","city":"c","zip":"z","location":{"city":"c","zip":"z"}}`, key, Present, DuplicateMember, "location.city",
			"`city` and `location.city` both fill `location.city`: leave one out (--drop)"},
		{`{"email":"a@b.co","city":"c","location":{"city":"c"},"zip":"z","zip":"z"}`, key, Present, DuplicateMember, "location.city",
			"`city` and `location.city` both fill `location.city`: leave one out (--drop)"},
		{`{"email":1,"email":2}`, "", WrongType, DuplicateMember, "email", "`email` is there twice"},

		{`{}`, "", Missing, EmailMissing, "email", "column `email` is missing"},
		{`{"email":null,"$x":1}`, "", Present, EmailMissing, "email", "column `email` is null"},
		{`{"email":""}`, "", Present, EmailMissing, "email", "column `email` is empty"},
		{`{"email":" \t\u3000"}`, "", Present, EmailMissing, "email", "column `email` is empty"},
		{`{" email":"a@b.co"}`, "", Missing, EmailMissing, "email", "` email` is there, `email` is not: names are case-sensitive, use AS \"email\""},
		{`{"EMAIL":"a@b.co"}`, "", Missing, EmailMissing, "email", "`EMAIL` is there, `email` is not: names are case-sensitive, use AS \"email\" or --map 'EMAIL=email'"},
		{`{"rows":[{"email":"a@b.co"}],"hasData":true}`, "", Missing, EmailMissing, "email",
			"column `email` is missing; this is mysqlsh's answer, not a row: put jq -c '.rows[]' before"},
		{` { "hasData":true,"rows":[]}`, "", Missing, EmailMissing, "email",
			"column `email` is missing; this is mysqlsh's answer, not a row: put jq -c '.rows[]' before"},
		{`{"ResultSet":{"Rows":[]}}`, "", Missing, EmailMissing, "email",
			"column `email` is missing; this is athena's answer, not a row: use UNLOAD (…) TO … WITH (format='JSON') and read its files"},
		{`{"email;name":"a@b.co;A"}`, "", Missing, EmailMissing, "email", "column `email` is missing; `email;name` is one column: add --ifs \";\" to mlr"},
		{`{"x;y":1,"z":2}`, "", Missing, EmailMissing, "email", "column `email` is missing"},
		{`{"x":1}`, "", Missing, EmailMissing, "email", "column `email` is missing"},
		{`{"email":5}`, "", WrongType, TypeWrong, "email", "column `email` holds a number, not a string: cast it to text"},
		{`{"email":["a@b.co"]}`, "", WrongType, TypeWrong, "email", "column `email` holds an array, not a string: cast it to text"},
		{`{"email":{}}`, "", WrongType, TypeWrong, "email", "column `email` holds an object, not a string: cast it to text"},
		{`{"email":false}`, "", WrongType, TypeWrong, "email", "column `email` holds a boolean, not a string: cast it to text"},
		{`{"$x":1,"email":" bob@ "}`, `"bob@"`, Present, EmailInvalid, "email", "`bob@` has nothing after the @"},
		{`{"email":"\"\u0007b"}`, `"\"\u0007b"`, Present, EmailInvalid, "email", "`\"\\u0007b` has no @"},
		{`{"email":"` + long + long + `"}`, `"` + long + long[:60] + `"`, Present, EmailInvalid, "email", "`" + long[:120] + "…` has no @"},

		{`{"email":"a@b.co","first_name":5,"$x":1}`, key, Present, TypeWrong, "first_name", "column `first_name` holds a number, not a string: cast it to text"},
		{`{"$x":1,"email":"a@b.co","first_name":5}`, key, Present, NameReserved, "$x", "`$x` begins with $, as Klaviyo's own names do: give it another name, or leave it out"},
		{`{"email":"a@b.co","zip":{}}`, key, Present, TypeWrong, "zip", "column `zip` holds an object, not a string: cast it to text"},
		{`{"email":"a@b.co","latitude":true}`, key, Present, TypeWrong, "latitude", "column `latitude` holds a boolean, not a number or a string"},
		{`{"email":"a@b.co","location":{"longitude":[]}}`, key, Present, TypeWrong, "location.longitude", "column `location.longitude` holds an array, not a number or a string"},
		{`{"email":"a@b.co","location":{"city":1}}`, key, Present, TypeWrong, "location.city", "column `location.city` holds a number, not a string: cast it to text"},
		{`{"email":"a@b.co","location":"Tokyo"}`, key, Present, TypeWrong, "location", "column `location` holds a string, not an object"},
		{`{"email":"a@b.co","location":{"town":"x"}}`, key, Present, TypeWrong, "location.town", "Klaviyo's location has no member `town`: make it a column of its own, or leave it out"},
		{`{"email":"a@b.co","properties":[]}`, key, Present, TypeWrong, "properties", "column `properties` holds an array, not an object"},
		{`{"email":"a@b.co","properties":{"$p":0}}`, key, Present, NameReserved, "properties.$p", "`properties.$p` begins with $, as Klaviyo's own names do: give it another name, or leave it out"},
		{`{"email":"a@b.co","":0}`, key, Present, NameReserved, "", "a column has no name: give it one in the query"},
		{`{"email":"a@b.co","external_id":7}`, key, Present, TypeWrong, "external_id", "column `external_id` holds a number, not a string: cast it to text"},
		{`{"email":"a@b.co","external_id":"` + strings.Repeat("x", 256) + `"}`, key, Present, TypeWrong, "external_id", "the external id has 256 characters, and Klaviyo takes 255"},
		{`{"email":"a@b.co","$` + long + `":0}`, key, Present, NameReserved, "$" + long[:118],
			"`$" + long[:118] + "…` begins with $, as Klaviyo's own names do: give it another name, or leave it out"},
		{`{"phone_number":819012345678,"email":"a@b.co"}`, key, Present, TypeWrong, "phone_number",
			"column `phone_number` holds a number, not a string: cast it to text, or add -S to mlr: a number loses + and leading zeros"},
		{`{"phone_number":"090 1234 5678","email":"a@b.co"}`, key, Present, PhoneInvalid, "phone_number",
			"`090 1234 5678` has no country code: write it as +…, or give --default-country"},
		{`{"phone_number":"090 1234 5678","email":"a@b.co","country":"Japan"}`, key, Present, PhoneInvalid, "phone_number",
			"`090 1234 5678` has no country code: write it as +…, or give --default-country (the row's country `Japan` is no ISO 3166 alpha-2 code)"},
	}
	for _, test := range tests {
		got := check(t, Options{}, test.row)
		want := verdict{Key: test.key, Required: test.required, Fault: Fault{test.code, test.column, test.detail}}
		if got != want {
			t.Errorf("%s\ngot  %+v\nwant %+v", test.row, got, want)
		}
	}
}

func TestJSONFaults(t *testing.T) {
	const not = "the row is not JSON: "
	tests := []struct{ row, detail string }{
		{`{"a":NaN}`, not + "`N` begins no value at byte 6; " + numbersHint},
		{`{"a":-Infinity}`, not + "a number is not written as in 0, -1.5 or 2e9 at byte 6; " + numbersHint},
		{`{"a":0xff}`, not + "instead of a comma or a closing bracket comes `x` at byte 7; " + digitsHint},
		{`{"a":0b11}`, not + "instead of a comma or a closing bracket comes `b` at byte 7; " + digitsHint},
		{`{"a":"0"x}`, not + "instead of a comma or a closing bracket comes `x` at byte 9"},
		{`{"a":10"b":1}`, not + "instead of a comma or a closing bracket comes `\"` at byte 8"},
		{`{"a":[1,inf]}`, not + "`i` begins no value at byte 9; " + numbersHint},
		{`{"a":01}`, not + "a number is not written as in 0, -1.5 or 2e9 at byte 6; " + digitsHint},
		{`{"a":1.}`, not + "a number is not written as in 0, -1.5 or 2e9 at byte 6; " + digitsHint},
		{`{"a":.5}`, not + "`.` begins no value at byte 6; " + digitsHint},
		{`{"a":+1}`, not + "`+` begins no value at byte 6; " + digitsHint},
		{`{"a":1e}`, not + "a number is not written as in 0, -1.5 or 2e9 at byte 6; " + digitsHint},
		{`{"a":-}`, not + "a number is not written as in 0, -1.5 or 2e9 at byte 6; " + digitsHint},
		{`{"a":True}`, not + "`T` begins no value at byte 6"},
		{`{"a":nul}`, not + "`n` begins no value at byte 6"},
		{"{\"a\":\"x\ty\"}", not + "a control character in a string is not escaped, `\\u0009` at byte 8"},
		{`{"a":"\x"}`, not + "an escape is none of JSON's at byte 7"},
		{`{"a":"\u12g4"}`, not + "an escape is none of JSON's at byte 7"},
		{`{"a":"\u12G4"}`, not + "an escape is none of JSON's at byte 7"},
		{`{"a":"\ud83d"}`, not + "an escape is half of a surrogate pair at byte 7, the text was cut inside a character"},
		{`{"a":"\ud83d\u0041"}`, not + "an escape is half of a surrogate pair at byte 7, the text was cut inside a character"},
		{`{"a":"\udc00"}`, not + "an escape is half of a surrogate pair at byte 7, the text was cut inside a character"},
		{`{"a":"\udfff"}`, not + "an escape is half of a surrogate pair at byte 7, the text was cut inside a character"},
		{`{"a":"\udbff\udbff"}`, not + "an escape is half of a surrogate pair at byte 7, the text was cut inside a character"},
		{`{"a":"\ud800\ue000"}`, not + "an escape is half of a surrogate pair at byte 7, the text was cut inside a character"},
		{`{"a":"\ude00x"}`, not + "an escape is half of a surrogate pair at byte 7, the text was cut inside a character"},
		{`{"x":{"\ud83dab":1}}`, not + "an escape is half of a surrogate pair at byte 8, the text was cut inside a character"},
		{`{"a":1,}`, not + "nothing comes after a comma at byte 8"},
		{`{"a":[1,]}`, not + "nothing comes after a comma at byte 9"},
		{`{"a":{"b":1,}}`, not + "nothing comes after a comma at byte 13"},
		{`{"a" 1}`, not + "instead of a colon after a name comes `1` at byte 6"},
		{`{"a":1,"b"}`, not + "instead of a colon after a name comes `}` at byte 11; " + nestingHint},
		{`{"x":{"a" 1}}`, not + "instead of a colon after a name comes `1` at byte 11"},
		{`{"a":1 "b":2}`, not + "instead of a comma or a closing bracket comes `\"` at byte 8"},
		{`{"a":[1}`, not + "instead of a comma or a closing bracket comes `}` at byte 8"},
		{`{a:1}`, not + "instead of a name in double quotes comes `a` at byte 2"},
		{`{'a':1}`, not + "instead of a name in double quotes comes `'` at byte 2; strings and names take double quotes: print rows with json.dumps"},
		{`{"x":[{,}]}`, not + "instead of a name in double quotes comes `,` at byte 8"},
		{`{"a":1},`, not + "after its end comes `,` at byte 8; rows stand on lines of their own without commas between them: add jq -c '.[]' for an array"},
		{`{"a":1}]`, not + "after its end comes `]` at byte 8; rows stand on lines of their own without commas between them: add jq -c '.[]' for an array"},
		{`{"a":1}{"a":2}`, not + "after its end comes `{` at byte 8; " + severalHint},
		{`{"email":"a@b.co"} x`, not + "after its end comes `x` at byte 20"},
		{`{"a":"say \\"hi\\""}`, not + "instead of a comma or a closing bracket comes `h` at byte 14; " + backslashes},
		{`{"a":"é` + "\x00" + `"}`, not + "a control character in a string is not escaped, `\\u0000` at byte 9"},
		{"{\"a\":\"caf\xe9\"}", "the row is not UTF-8: byte 10 is 0xe9; " + bytesHint},
		{"{\"a\":\"\xed\xa0\xbd\"}", "the row is not UTF-8: byte 7 is 0xed; " + bytesHint},
		{"\xff\xfe{\x00\"\x00", "the row is not UTF-8: byte 1 is 0xff; " + utf16Hint},
		{"{\x00\"\x00a\x00", not + "instead of a name in double quotes comes `\\u0000` at byte 2; " + utf16Hint},
		{"[\x00{\x00\"\x00a", not + "`\\u0000` begins no value at byte 2; " + utf16Hint},
		{"\x00{\x00\"\x00a", not + "`\\u0000` begins no value at byte 1; " + utf16Hint},

		{`["a@b.co",1`, not + "it ends in the middle of a value; " + arrayHint},
		{`[["a@b.co",1],`, not + "it ends in the middle of a value; " + arrayHint},
		{`[{"email":"a@b.co"},`, not + "it ends in the middle of a value; " + lateHint},
		{`[{"email":"a@b.co"}`, not + "it ends in the middle of a value; " + lateHint},
		{`  [`, not + "it ends in the middle of a value; " + nestedHint},
		{`(12 rows)`, not + "`(` begins no value at byte 1; " + notRowPrefix + "use psql -AtXq"},
		{`(1 row)`, not + "`(` begins no value at byte 1; " + notRowPrefix + "use psql -AtXq"},
		{`SET`, not + "`S` begins no value at byte 1; " + notRowPrefix + "use psql -AtXq"},
		{`Timing is on.`, not + "`T` begins no value at byte 1; " + notRowPrefix + "use psql -AtXq"},
		{`Time: 0.123 ms`, not + "`T` begins no value at byte 1; " + notRowPrefix + "use psql -AtXq"},
		{`(12 rows affected)`, not + "`(` begins no value at byte 1; " + notRowPrefix + "put SET NOCOUNT ON before the query"},
		{`(1 row affected)`, not + "`(` begins no value at byte 1; " + notRowPrefix + "put SET NOCOUNT ON before the query"},
		{`JSON_F52E2B61-18A1-11d1-B105-00805F49916B`, not + "`J` begins no value at byte 1; " + notRowPrefix + "use sqlcmd -h -1 -y 0"},
		{`Job 123 is queued.`, not + "`J` begins no value at byte 1; " + notRowPrefix + "use td query -o FILE and read that file"},
		{`Use 'td job:show 123' to show the status.`, not + "`U` begins no value at byte 1; " + notRowPrefix + "use td query -o FILE and read that file"},
		{`Status      : success`, not + "`S` begins no value at byte 1; " + notRowPrefix + "use td query -o FILE and read that file"},
		{`Result      :`, not + "`R` begins no value at byte 1; " + notRowPrefix + "use td query -o FILE and read that file"},
		{`-------------`, not + "a number is not written as in 0, -1.5 or 2e9 at byte 1; " + notRowPrefix + "use psql -AtXq, or sqlcmd -h -1"},
		{"\rWaiting on bqjob_r1 ... (0s) Current status: DONE", not + "`W` begins no value at byte 2; " + notRowPrefix + "use bq query --quiet"},
		{`3 Row(s) produced. Time Elapsed: 0.1s`, not + "after its end comes `R` at byte 3; " + notRowPrefix + "use snowsql -o friendly=false -o timing=false"},
		{`+-----+-----+`, not + "`+` begins no value at byte 1; " + tableHint},
		{`| email |`, not + "`|` begins no value at byte 1; " + tableHint},
		{`┌───────┐`, not + "`┌` begins no value at byte 1; " + tableHint},
		{` email | name`, not + "`e` begins no value at byte 2; " + tableHint},
		{"email\tname", not + "`e` begins no value at byte 1; " + tabsHint},
		{`  "email": "a@b.co",`, not + "after its end comes `:` at byte 10; " + linesHint},
		{`  "rows": 1,`, not + "after its end comes `:` at byte 9; " + linesHint},
		{`  "meta":`, not + "after its end comes `:` at byte 9; this is clickhouse's answer, not a row: use FORMAT JSONEachRow"},
		{`}`, not + "`}` begins no value at byte 1; " + linesHint},
		{`email,name`, not + "`e` begins no value at byte 1; " + objectsHint},
		{`a@b.co|Ann`, not + "`a` begins no value at byte 1; " + tableHint},
		{`-5,"x"`, not + "after its end comes `,` at byte 3; " + objectsHint},
		{`"a@b.co","Ann"`, not + "after its end comes `,` at byte 9; " + quotedHint},
	}
	for _, test := range tests {
		want := verdict{Fault: Fault{JSONInvalid, "", test.detail}}
		if got := check(t, Options{}, test.row); got != want {
			t.Errorf("%s\ngot  %+v\nwant %+v", test.row, got, want)
		}
		if got := check(t, Options{Operation: Remove}, test.row); got != want {
			t.Errorf("remove: %s\ngot  %+v\nwant %+v", test.row, got, want)
		}
	}
}

// A row cut anywhere is named as cut when it ends the input, and as broken JSON when it doesn't.
func TestCut(t *testing.T) {
	const row = `{"email":"a\u0040b.co","a":[1.5e+7,true,{"x":-2,"y":"\ud83d\ude00太"},[]],"b":null}`
	c := checker(t, Options{})
	const mid = "the row is not JSON: it ends in the middle of a value"
	for n := 1; n < len(row); n++ {
		mid := mid
		plain := mid
		switch quotes := strings.Count(row[:n], `"`); {
		case n == 1:
			plain += "; " + linesHint
		case quotes%2 == 1:
			plain += "; " + brokenHint
		}
		if whole := len(strings.ToValidUTF8(row[:n], "")); whole < n {
			mid = fmt.Sprintf("the row is not UTF-8: byte %d is 0xe5", whole+1)
			plain = mid + "; " + bytesHint
		}
		for _, test := range []struct {
			lines, detail string
			last          bool
		}{
			{row[:n], mid + "; " + cutHint, true},
			{row[:n], plain, false},
			{row[:n] + "\n", plain, true},
			{row[:n] + "\r\n", plain, true},
		} {
			var out Rows
			c.Check([]byte(test.lines), test.last, &out)
			want := []verdict{{Fault: Fault{JSONInvalid, "", test.detail}}}
			if got := verdicts(&out); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q, last %t:\ngot  %+v\nwant %+v", test.lines, test.last, got, want)
			}
		}
	}
}

// A line that ends inside a string is told from one that ends elsewhere.
func TestBrokenString(t *testing.T) {
	const mid = "the row is not JSON: it ends in the middle of a value"
	for line, detail := range map[string]string{
		`{"a":"b`:              mid + "; " + brokenHint,
		`{"a":"say \"hi\" and`: mid + "; " + brokenHint,
		`{"a":"b\\`:            mid + "; " + brokenHint,
		`{"a":"b\\",`:          mid,
		`{"a":"\"b\"",`:        mid,
	} {
		if got := check(t, Options{}, line+"\n"); got.Fault.Detail != detail {
			t.Errorf("%s\ngot  %s\nwant %s", line, got.Fault.Detail, detail)
		}
	}
}

func TestLines(t *testing.T) {
	const a, b = `{"email":"a@b.co"}`, `{"email":"b@b.co"}`
	profile := func(email string) string { return `{"type":"profile","attributes":{"email":"` + email + `"}}` }
	tests := []struct {
		name, lines string
		data        string
		rows        int
	}{
		{"nothing", "", "", 0},
		{"blank lines", "\n \t\r\n\r\n\n  ", "", 0},
		{"two rows", a + "\n" + b + "\n", profile("a@b.co") + "," + profile("b@b.co") + ",", 2},
		{"no last newline", a + "\n" + b, profile("a@b.co") + "," + profile("b@b.co") + ",", 2},
		{"CRLF and blank lines", "\r\n" + a + "\r\n\n" + b + " \r\n\r\n", profile("a@b.co") + "," + profile("b@b.co") + ",", 2},
		{"byte order marks", "\ufeff" + a + "\n\ufeff\n\ufeff" + b, profile("a@b.co") + "," + profile("b@b.co") + ",", 2},
		{"bad rows between", "x\n" + a + "\n\xff\n" + `{"email":"x"}` + "\n" + b, profile("a@b.co") + `,"x"` + profile("b@b.co") + ",", 5},
	}
	for _, test := range tests {
		var out Rows
		checker(t, Options{}).Check([]byte(test.lines), true, &out)
		if len(out.Rows) != test.rows || string(out.Data) != test.data {
			t.Errorf("%s: %d rows, %s", test.name, len(out.Rows), out.Data)
		}
	}
}

func TestRemove(t *testing.T) {
	o := Options{Operation: Remove}
	tests := []struct {
		row  string
		want verdict
	}{
		{`{"profile_id":"01GDDKASAP8TKDDA2GRZDSVP4H"}`,
			verdict{Profile: `{"type":"profile","id":"01GDDKASAP8TKDDA2GRZDSVP4H"}`, Key: `"01GDDKASAP8TKDDA2GRZDSVP4H"`, Required: Present}},
		{`{"email":5,"$x":1,"location":[],"properties":{"a":1,"a":2},"phone_number":1,"":0,"profile_id":"\u00a0A_b-\u0031 "}`,
			verdict{Profile: `{"type":"profile","id":"A_b-1"}`, Key: `"A_b-1"`, Required: Present}},
		{`{"profile_id":"` + strings.Repeat("x", 100) + `"}`,
			verdict{Profile: `{"type":"profile","id":"` + strings.Repeat("x", 100) + `"}`, Key: `"` + strings.Repeat("x", 100) + `"`, Required: Present}},
		{`{"profile_id":"` + strings.Repeat("x", 101) + `"}`,
			verdict{Key: `"` + strings.Repeat("x", 100) + `"`, Required: Present,
				Fault: Fault{ProfileIDInvalid, "profile_id", "`" + strings.Repeat("x", 60) + "…` is no profile id: it is longer than 100 characters"}}},
		{`{"profile_id":"a b"}`, verdict{Key: `"a b"`, Required: Present, Fault: Fault{ProfileIDInvalid, "profile_id", "`a b` is no profile id: it holds ` `"}}},
		{`{"profile_id":"a@b.co"}`, verdict{Key: `"a@b.co"`, Required: Present,
			Fault: Fault{ProfileIDInvalid, "profile_id", "`a@b.co` is no profile id but looks like an address: remove needs Klaviyo's profile ids"}}},
		{`{"profile_id":"é"}`, verdict{Key: `"é"`, Required: Present, Fault: Fault{ProfileIDInvalid, "profile_id", "`é` is no profile id: it holds `é`"}}},
		{`{"email":"a@b.co"}`, verdict{Required: Missing, Fault: Fault{ProfileIDMissing, "profile_id", "column `profile_id` is missing"}}},
		{`{"PROFILE_ID":"x"}`, verdict{Required: Missing, Fault: Fault{ProfileIDMissing, "profile_id",
			"`PROFILE_ID` is there, `profile_id` is not: names are case-sensitive, use AS \"profile_id\" or --map 'PROFILE_ID=profile_id'"}}},
		{`{"profile_id":null}`, verdict{Required: Present, Fault: Fault{ProfileIDMissing, "profile_id", "column `profile_id` is null"}}},
		{`{"profile_id":" "}`, verdict{Required: Present, Fault: Fault{ProfileIDMissing, "profile_id", "column `profile_id` is empty"}}},
		{`{"profile_id":7}`, verdict{Required: WrongType, Fault: Fault{TypeWrong, "profile_id", "column `profile_id` holds a number, not a string: cast it to text"}}},
		{`{"profile_id":"x","profile_id":"x"}`, verdict{Key: `"x"`, Required: Present, Fault: Fault{DuplicateMember, "profile_id", "`profile_id` is there twice"}}},
		{`{"profile_id":"x","y":1,"y":1}`, verdict{Key: `"x"`, Required: Present, Fault: Fault{DuplicateMember, "y", "`y` is there twice"}}},
	}
	for _, test := range tests {
		if got := check(t, o, test.row); got != test.want {
			t.Errorf("%s\ngot  %+v\nwant %+v", test.row, got, test.want)
		}
	}
}

func TestDepth(t *testing.T) {
	nest := func(levels int, open, close string) string {
		return strings.Repeat(open, levels) + "1" + strings.Repeat(close, levels)
	}
	for _, test := range []struct{ open, close string }{{"[", "]"}, {`{"x":`, "}"}, {`[{"x":[`, "]}]"}} {
		levels := strings.Count(test.open, "[") + strings.Count(test.open, "{")
		for _, column := range []string{"x", "properties"} {
			n := (MaxDepth - 1) / levels
			good := `{"email":"a@b.co","` + column + `":` + nest(n, test.open, test.close) + `}`
			if got := check(t, Options{}, good); column == "x" && got.Profile == "" || got.Fault.Code == RowTooDeep {
				t.Errorf("%s: %+v", good, got)
			}
			want := verdict{Fault: Fault{RowTooDeep, "", "the row has more than 100 nesting levels"}}
			bad := `{"email":"a@b.co","` + column + `":` + nest(n+1, test.open, test.close) + `}`
			if got := check(t, Options{}, bad); got != want {
				t.Errorf("%s: %+v", bad, got)
			}
		}
	}
	row := strings.Repeat("[", MaxRow)
	if got := check(t, Options{}, row); got.Fault.Code != RowTooDeep {
		t.Errorf("a million brackets: %+v", got.Fault)
	}
}

func TestLengths(t *testing.T) {
	row := func(n int) string {
		const around = `{"email":"a@b.co","x":""}`
		return `{"email":"a@b.co","x":"` + strings.Repeat("x", n-len(around)) + `"}`
	}
	const envelope = `{"type":"profile","attributes":{"email":"a@b.co","properties":{"x":""}}}`
	fits := len(row(1000)) - 1000 + MaxProfile - len(envelope) + len(`{"email":"a@b.co","x":""}`)
	if got := check(t, Options{}, row(fits)); len(got.Profile) != MaxProfile || got.Fault != (Fault{}) {
		t.Errorf("profile of %d bytes: %+v", len(got.Profile), got.Fault)
	}
	want := verdict{Key: `"a@b.co"`, Required: Present, Fault: Fault{ProfileTooLarge, "", "the profile is 100001 bytes long, and Klaviyo takes 100000: leave columns out (--drop)"}}
	if got := check(t, Options{}, row(fits+1)); got != want {
		t.Errorf("got %.200v", got)
	}
	want.Fault.Detail = fmt.Sprintf("the profile is %d bytes long, and Klaviyo takes 100000: leave columns out (--drop)", MaxRow-25+len(envelope))
	if got := check(t, Options{}, row(MaxRow)+"\r\n"); got != want {
		t.Errorf("got %.200v", got)
	}
	want = verdict{Fault: Fault{RowTooLong, "", "the row is longer than 1048576 bytes"}}
	if got := check(t, Options{}, row(MaxRow+1)); got != want {
		t.Errorf("got %.200v", got)
	}

	c := checker(t, Options{})
	for head, hint := range map[string]string{
		"":                                   "",
		`{"email":"a@b`:                      "",
		"\xe3\x81":                           "",
		` [["email",`:                        "; " + arrayHint,
		` [{"email":`:                        "; " + lateHint,
		`{ "rows":[`:                         "; this is mysqlsh's answer, not a row: put jq -c '.rows[]' before",
		`{"hasData":true,`:                   "; this is mysqlsh's answer, not a row: put jq -c '.rows[]' before",
		`{"meta":[{"name":"email","type":"`:  "; this is clickhouse's answer, not a row: use FORMAT JSONEachRow",
		`{"rowsum":5,"email":"a@b.co","x":"`: "",
	} {
		var out Rows
		c.TooLong([]byte(head), &out)
		want.Fault.Detail = "the row is longer than 1048576 bytes" + hint
		if got := verdicts(&out); len(got) != 1 || got[0] != want {
			t.Errorf("%q: %+v", head, got)
		}
	}
}

func TestIdentity(t *testing.T) {
	identity := func(o Options, row string) [2]uint64 {
		var out Rows
		checker(t, o).Check([]byte(row), true, &out)
		return out.Rows[0].Identity
	}
	remove := Options{Operation: Remove}
	a := identity(Options{}, `{"email":"AnnZ@B.co","x":1}`)
	if b := identity(Options{}, `{"email":"\u0061nnz@b.CO "}`); a != b || a[0] == 0 || a[0] == a[1] {
		t.Errorf("same address: %x %x", a, b)
	}
	if b := identity(Options{}, `{"email":"annz@b.com"}`); a[0] == b[0] || a[1] == b[1] {
		t.Errorf("other address: %x %x", a, b)
	}
	if b := identity(Options{}, `{"email":"ann@b.co","$":1}`); b != [2]uint64{} {
		t.Errorf("rejected: %x", b)
	}
	if a, b := identity(remove, `{"profile_id":"a"}`), identity(remove, `{"profile_id":"A"}`); a[0] == b[0] || a[1] == b[1] || a[0] == 0 {
		t.Errorf("ids: %x %x", a, b)
	}
}

// Quadratic work on any of these would take minutes.
func TestManyMembers(t *testing.T) {
	const n = 60_000
	var names strings.Builder
	for i := range n {
		fmt.Fprintf(&names, `,"%x":0`, i)
	}
	unique := names.String()
	for _, row := range []string{
		`{"email":"a@b.co"` + unique + `}`,
		`{"email":"a@b.co","location":{` + unique[1:] + `}}`,
		`{"email":"a@b.co","properties":{` + unique[1:] + `}}`,
		`{"email":"a@b.co"` + unique[:len(unique)/2] + `,"properties":{` + unique[1:len(unique)/2] + `}}`,
		`{"email":"a@b.co"` + strings.Repeat(`,"x":0`, n) + `}`,
	} {
		var out Rows
		c := checker(t, Options{})
		for range 3 {
			c.Check([]byte(row), true, &out)
		}
		if len(out.Rows) != 3 || out.Rows[0].Fault == nil || *out.Rows[0].Fault != *out.Rows[2].Fault {
			t.Errorf("%.60s: %+v", row, out.Rows)
		}
		if len(out.columns.entries) > n+100 {
			t.Errorf("%.60s: %d columns are remembered", row, len(out.columns.entries))
		}
		out.Trim()
		out.Reset()
		c.Check([]byte(`{"email":"a@b.co"}`), true, &out)
		if kept := cap(out.columns.entries) + cap(out.scan.members) + cap(out.scan.nested) + cap(out.customs); kept > 3*maxColumns {
			t.Errorf("%.60s: %d entries are kept for small rows", row, kept)
		}
	}
}

// Names that are always new are forgotten.
func TestLongNames(t *testing.T) {
	var out Rows
	c := checker(t, Options{})
	for i := range 20 {
		row := fmt.Sprintf(`{"email":"a@b.co","%s%d":null}`, strings.Repeat("x", 900_000), i)
		c.Check([]byte(row), false, &out)
	}
	if len(out.Rows) != 20 || out.Rows[19].Fault != nil || cap(out.columns.names) > 2*MaxRow {
		t.Errorf("%d rows, %d bytes of names are kept", len(out.Rows), cap(out.columns.names))
	}
}

// What Rows remembers of former rows and checkers never changes a verdict.
func TestReuse(t *testing.T) {
	adds := checker(t, Options{})
	others := []*Checker{
		adds, checker(t, Options{Operation: Remove}),
		checker(t, Options{Map: map[string]string{"x": "email", "y": "city", "z": "properties.a"}, Drop: []string{"first_name"}}),
	}
	rows := []string{
		`{"email":"a@b.co","x":"x@b.co","y":"c","z":1}`, `{"x":"x@b.co","a":5,"z":1}`, `{"email":"a@b.co","x":1,"x":2}`,
		`{"profile_id":"p","email":"a@b.co","first_name":"A"}`, `{"email":"a@b.co","location":{"city":"c"},"y":"c"}`,
		`{"email":"a@b.co","properties":{"x":1,"email":2},"x":3}`, `{"email":"a@b.co","properties":{"x":1,"email":2}}`,
		`{"a":1,"z":2,"properties":{"a":3}}`, `[]`, `{"email`, `{}`, `{"\u0078":"x@b.co","email":"a@b.co"}`,
		`{"email":"a@b.co","first_name":5}`, `{"properties":{"email":1},"location":{"email":1},"email":"a@b.co"}`,
	}
	var out Rows
	for i := range 20 * len(rows) * len(others) {
		c := others[i*7%len(others)]
		row := rows[i*i%len(rows)] + "\n" + rows[i*5%len(rows)]
		out.Reset()
		c.Check([]byte(row), true, &out)
		var fresh Rows
		c.Check([]byte(row), true, &fresh)
		if got, want := verdicts(&out), verdicts(&fresh); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\ngot  %+v\nwant %+v", row, got, want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	c := checker(t, Options{Map: map[string]string{"mail": "email"}, DefaultCountry: "JP"})
	const row = `{"mail":"a@b.co","phone_number":"03-1234-5678","x":1}`
	want := verdict{Profile: `{"type":"profile","attributes":{"email":"a@b.co","phone_number":"+81312345678","properties":{"x":1}}}`, Key: `"a@b.co"`, Required: Present}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			var out Rows
			for range 20 {
				out.Reset()
				c.Check([]byte(row), false, &out)
				if got := verdicts(&out); got[0] != want {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
	group.Wait()
}

func TestAllocations(t *testing.T) {
	add := string(benchRows(1)) + `{"em\u0061il":" A\u0040b.co ","\u00e9":1,"loc\u0061tion":{"city":"x"},"properties":{"a":1}}` + "\n"
	for _, test := range []struct {
		o     Options
		lines string
	}{
		{Options{}, add},
		{Options{Map: map[string]string{"plan": "properties.a b", "points": "properties.a name longer than any buffer on the stack"}, Drop: []string{"vip"}}, string(benchRows(2))},
		{Options{Operation: Remove}, `{"profile_id":"01GDDKASAP8TKDDA2GRZDSVP4H","x":{"y":[1]}}`},
	} {
		c := checker(t, test.o)
		var out Rows
		lines := []byte(test.lines)
		allocs := testing.AllocsPerRun(100, func() {
			out.Reset()
			c.Check(lines, false, &out)
			for _, row := range out.Rows {
				if row.Fault != nil {
					t.Fatal(row.Fault)
				}
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", test.lines, allocs)
		}
	}
}
