package validate

import (
	"reflect"
	"strings"
	"testing"
)

// With --nulls clear, a null clears the custom property that a value would fill, and nothing else. Without the flag it
// is left out.
func TestNulls(t *testing.T) {
	for _, test := range []struct {
		name, row string
		o         Options
		want      string // after the email
	}{
		{"columns and members of properties",
			`{"email":"a@b.co","plan":null,"first_name":"A","properties":{"x":null,"y":1},"points":null}`, Options{},
			`,"first_name":"A","properties":{"y":1}},"meta":{"patch_properties":{"unset":["plan","x","points"]}}`},
		{"names that need escapes",
			`{"email":"a@b.co","a \"b\" c":null,"\u0063":null,"é":null}`, Options{},
			`},"meta":{"patch_properties":{"unset":["a \"b\" c","\u0063","é"]}}`},
		{"mapped columns", `{"email":"a@b.co","tier":null,"a":null,"plan":1}`,
			Options{Map: mapping{"tier": "properties.pl\"an", "a": "title"}},
			`,"properties":{"plan":1}},"meta":{"patch_properties":{"unset":["pl\"an"]}}`},
		{"a column that only looks like an attribute", `{"email":"a@b.co","FIRST_NAME":null,"location.city":null}`,
			Options{}, `},"meta":{"patch_properties":{"unset":["FIRST_NAME","location.city"]}}`},
		{"attributes, location and dropped columns",
			`{"email":"a@b.co","title":null,"city":null,"d":null,"location":{"zip":null,"town":null},"properties":null}`,
			Options{Drop: []string{"d"}}, `}`},
		{"empty strings that count as null",
			`{"email":"a@b.co","plan":"","title":"","phone_number":"","properties":{"x":""}}`, Options{Empty: Null},
			`},"meta":{"patch_properties":{"unset":["plan","x"]}}`},
		{"empty strings that do not", `{"email":"a@b.co","plan":"","properties":{"x":""}}`, Options{},
			`,"properties":{"plan":"","x":""}}`},
		{"nulls inside values", `{"email":"a@b.co","a":{"b":null},"c":[null]}`, Options{},
			`,"properties":{"a":{"b":null},"c":[null]}}`},
	} {
		test.o.Nulls = Clear
		want := result{Profile: `{"type":"profile","attributes":{"email":"a@b.co"` + test.want + `}`,
			Key: `"a@b.co"`, Required: Present}
		if got := check(t, test.o, test.row); got != want {
			t.Errorf("%s\ngot  %+v\nwant %+v", test.name, got, want)
		}
		test.o.Nulls = Ignore
		kept, _, _ := strings.Cut(test.want, `,"meta"`)
		want.Profile = `{"type":"profile","attributes":{"email":"a@b.co"` + kept + `}`
		if got := check(t, test.o, test.row); got != want {
			t.Errorf("%s, ignored\ngot  %+v\nwant %+v", test.name, got, want)
		}
	}
}

// A null that clears has its name checked as a value has, and cannot stand beside a value for the same property.
func TestNullFaults(t *testing.T) {
	for row, want := range map[string]Fault{
		`{"email":"a@b.co","plan":null,"properties":{"plan":1}}`: {
			DuplicateMember, "properties.plan", bothFill("plan", "properties.plan", "properties.plan")},
		`{"email":"a@b.co","properties":{"plan":null},"plan":"x"}`: {
			DuplicateMember, "plan", bothFill("properties.plan", "plan", "properties.plan")},
		`{"email":"a@b.co","tier":null,"vip":1}`: {DuplicateMember, "vip", bothFill("tier", "vip", "properties.vip")},
		`{"email":"a@b.co","$source":null}`: {NameReserved, "$source",
			`column "$source" begins with $, as Klaviyo's own names do; rename it or leave it out`},
		`{"email":"a@b.co","properties":{"$x":null}}`: {NameReserved, "properties.$x",
			`column "properties.$x" begins with $, as Klaviyo's own names do; rename it or leave it out`},
	} {
		o := Options{Nulls: Clear, Map: mapping{"tier": "properties.vip"}}
		if got := check(t, o, row); got.Fault != want {
			t.Errorf("%s\ngot  %+v\nwant %+v", row, got.Fault, want)
		}
		if o.Nulls = Ignore; check(t, o, row).Fault.Code != "" {
			t.Errorf("%s is rejected without --nulls clear", row)
		}
	}
}

// The names of the cleared properties count towards the greatest size of a profile.
func TestNullSize(t *testing.T) {
	row := func(name int) string { return `{"email":"a@b.co","` + strings.Repeat("n", name) + `":null}` }
	most := maxProfile - len(check(t, Options{Nulls: Clear}, row(1)).Profile) + 1
	if got := check(t, Options{Nulls: Clear}, row(most)); len(got.Profile) != maxProfile {
		t.Errorf("got %d bytes and %+v", len(got.Profile), got.Fault)
	}
	if got := check(t, Options{Nulls: Clear}, row(most+1)); got.Fault.Code != ProfileTooLarge {
		t.Errorf("got %+v", got.Fault)
	}
	if got := check(t, Options{}, row(most+1)); got.Fault.Code != "" {
		t.Errorf("ignored: got %+v", got.Fault)
	}
}

// Columns counts the rows that clear a property, and NotCleared those with a null that Klaviyo cannot clear. Rejected
// rows count nowhere.
func TestNullCounts(t *testing.T) {
	rows := `{"email":"a@b.co","plan":null,"title":null,"location":{"city":null}}
{"email":"b@b.co","plan":"x","title":"T","properties":{"p":null},"phone_number":" ","d":null}
{"email":"c@b.co","plan":null,"location":null,"properties":null}
{"email":"d@b.co","plan":null,"title":null,"zip":5}
{"email":null,"plan":null}
`
	o := Options{Nulls: Clear, Drop: []string{"d"}}
	c := columnsOf(t, o, rows, rows)
	want := []Column{
		{"email", "email", 6, 0}, {"plan", "properties.plan", 2, 4}, {"title", "title", 2, 2},
		{"properties.p", "properties.p", 0, 2},
	}
	if got := c.Columns(); !reflect.DeepEqual(got, want) || got[1].Cleared() != 4 || got[2].Cleared() != 0 {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	want = []Column{
		{"location", "location", 0, 2}, {"title", "title", 2, 2}, {"location.city", "location.city", 0, 2},
		{"properties", "properties", 0, 2}, {"phone_number", "phone_number", 0, 2},
	}
	if got := c.NotCleared(); !reflect.DeepEqual(got, want) {
		t.Errorf("not cleared\ngot  %v\nwant %v", got, want)
	}
	o.Nulls = Ignore
	if c := columnsOf(t, o, rows); c.NotCleared() != nil || len(c.Columns()) != 3 {
		t.Errorf("ignored: %v and %v", c.NotCleared(), c.Columns())
	}
}

// Rows.Unset has the names that a row clears, whatever the rows around it.
func TestUnset(t *testing.T) {
	var scratch Scratch
	var out Rows
	checker(t, Options{Nulls: Clear}).Check([]byte(`{"email":"a@b.co","x":null,"y":null}`+"\n"+
		`{"email":"b@b.co","x":1}`+"\n"+`{"email":"?","x":null}`+"\n"+`{"email":"c@b.co","x\"]}}":null}`),
		true, &scratch, &out)
	var got []string
	for i := range out.Rows {
		got = append(got, string(out.Unset(i)))
	}
	if want := []string{`"x","y"`, "", "", `"x\"]}}"`}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
