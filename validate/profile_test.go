package validate

import (
	"strings"
	"testing"
)

// A good row becomes a profile with the values byte for byte, attributes, location and properties in their places.
func TestProfiles(t *testing.T) {
	const (
		a          = `"email":"a@b.co"`
		attributes = `,"external_id":"7","_kx":"k","first_name":"A","last_name":"B","organization":"C",` +
			`"locale":"ja-JP","title":"D","image":"https://x/y"`
		location = `,"address1":"1","address2":"2","city":"c","country":"JP","region":"r","zip":"z",` +
			`"timezone":"Asia/Tokyo","ip":"::1"`
	)
	tests := []struct{ name, row, attributes string }{
		{"email alone", `{"email":"a@b.co"}`, a},
		{"every attribute",
			`{"email":"a@b.co"` + attributes + `}`, a + attributes},
		{"email in its place", `{"title":"","email":"a@b.co","image":"i"}`, `"title":"",` + a + `,"image":"i"`},
		{"location columns",
			`{"latitude":35.60,"longitude":"139.7","email":"a@b.co"` + location + `}`,
			a + `,"location":{"latitude":35.60,"longitude":"139.7"` + location + `}`},
		{"location object among columns",
			`{"zip":"1","location":{"city":"c","latitude":-0.0},"email":"a@b.co","region":"r"}`,
			a + `,"location":{"zip":"1","city":"c","latitude":-0.0,"region":"r"}`},
		{"custom properties of every type",
			`{"email":"a@b.co","a":1,"b":"x","c":true,"d":[1,{"x":null}],"e":{"$x":1},"f":false}`,
			a + `,"properties":{"a":1,"b":"x","c":true,"d":[1,{"x":null}],"e":{"$x":1},"f":false}`},
		{"properties are merged in the row's order", `{"a":1,"properties":{"b":2,"c":{}},"email":"a@b.co","d":3}`,
			a + `,"properties":{"a":1,"b":2,"c":{},"d":3}`},
		{"attribute names in properties are custom",
			`{"email":"a@b.co","properties":{"email":1,"city":"x","location":{},"properties":2}}`,
			a + `,"properties":{"email":1,"city":"x","location":{},"properties":2}`},
		{"nulls are left out",
			`{"email":"a@b.co","first_name":null,"city":null,"x":null,"$y":null,"":null,"phone_number":null,` +
				`"location":{"zip":null,"nowhere":null},"properties":{"z":null,"$z":null}}`,
			a},
		{"null objects", `{"email":"a@b.co","location":null,"properties":null}`, a},
		{"empty objects", `{"email":"a@b.co","location":{},"properties":{}}`, a},
		{"numbers keep their text",
			`{"email":"a@b.co","n":12345678901234567890.10,"m":1E+400,"o":-0,"p":9,"q":-9.9e-9}`,
			a + `,"properties":{"n":12345678901234567890.10,"m":1E+400,"o":-0,"p":9,"q":-9.9e-9}`},
		{"escapes stand as they are", `{"email":"a@b.co","first_name":"\u00e9\/\ud83d\ude00","x\u0079":"<&>\u2028"}`,
			a + `,"first_name":"\u00e9\/\ud83d\ude00","properties":{"x\u0079":"<&>\u2028"}`},
		{"surrogate pairs at the ends of their ranges",
			`{"email":"a@b.co","title":"\uD800\uDC00\udbff\udfff\ud7ff\ue000"}`,
			a + `,"title":"\uD800\uDC00\udbff\udfff\ud7ff\ue000"`},
		{"escaped names of attributes", `{"em\u0061il":"a@b.co","\u0063ity":"c","loc\u0061tion":{"z\u0069p":"1"}}`,
			a + `,"location":{"city":"c","zip":"1"}`},
		{"escaped email", `{"email":"\u0061\u0040b.co"}`, a},
		{"email trimmed", `{"email":"\t\u3000a@b.co \u00a0\n"}`, a},
		{"email keeps its case", `{"email":" Ann.O'X+y/z@B.CO"}`, `"email":"Ann.O'X+y/z@B.CO"`},
		{"white space", " \t{ \"a\"\t: [ 1 ] , \"email\" :\"a@b.co\" , \"b\": 2 }\t ",
			a + `,"properties":{"a":[ 1 ],"b":2}`},
		{"deep duplicates pass", `{"email":"a@b.co","x":{"a":1,"a":2},"properties":{"y":{"a":1,"a":2}}}`,
			a + `,"properties":{"x":{"a":1,"a":2},"y":{"a":1,"a":2}}`},
		{"names differ in case", `{"email":"a@b.co","Email":"x","EMAIL":1}`,
			a + `,"properties":{"Email":"x","EMAIL":1}`},
		{"dotted columns are custom", `{"email":"a@b.co","location.city":"x","properties.y":1,"city":"c"}`,
			a + `,"location":{"city":"c"},"properties":{"location.city":"x","properties.y":1}`},
		{"a null does not collide",
			`{"email":"a@b.co","city":null,"x":1,"location":{"city":"c"},"properties":{"x":null}}`,
			a + `,"location":{"city":"c"},"properties":{"x":1}`},
		{"profile_id is custom", `{"email":"a@b.co","profile_id":5}`, a + `,"properties":{"profile_id":5}`},
		{"empty phone", `{"email":"a@b.co","phone_number":" \u00a0"}`, a},
		{"phone", `{"phone_number":"+81 (0)90-1234-5678","email":"a@b.co"}`, `"phone_number":"+819012345678",` + a},
		{"phone of the row's country, which comes later",
			`{"phone_number":"090-1234-5678","email":"a@b.co","country":" jp "}`,
			`"phone_number":"+819012345678",` + a + `,"location":{"country":" jp "}`},
		{"phone of the location's country",
			`{"phone_number":"(201) 555-0123","email":"a@b.co","location":{"country":"US"}}`,
			`"phone_number":"+12015550123",` + a + `,"location":{"country":"US"}`},
		{"external id of 255 characters",
			`{"email":"a@b.co","external_id":"` + strings.Repeat("é", 254) + `\u00e9"}`,
			a + `,"external_id":"` + strings.Repeat("é", 254) + `\u00e9"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := check(t, Options{}, test.row)
			_, email, _ := strings.Cut(test.attributes, `"email":"`)
			email, _, _ = strings.Cut(email, `"`)
			profile := `{"type":"profile","attributes":{` + test.attributes + `}}`
			want := result{Profile: profile, Key: `"` + email + `"`, Required: Present}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}
