package validate

import (
	"fmt"
	"reflect"
	"testing"
)

// columnsOf checks each text as a chunk of its own, counts them in order, and returns the checker.
func columnsOf(t *testing.T, o Options, chunks ...string) *Checker {
	t.Helper()
	c := checker(t, o)
	var scratch Scratch
	var out Rows
	for _, chunk := range chunks {
		out.Reset()
		c.Check([]byte(chunk), false, &scratch, &out)
		c.Count(&out)
	}
	return c
}

// Columns counts the values of good rows, by column and what it became, in order of first meeting.
func TestColumns(t *testing.T) {
	o := Options{Map: mapping{"tier": "properties.plan", "town": "city"}, Drop: []string{"note"}}
	for _, test := range []struct {
		name   string
		o      Options
		chunks []string
		want   []Column
	}{
		{"no rows", Options{}, nil, nil},
		{"every kind", o, []string{
			`{"email":"a@b.co","tier":"x","town":"c","note":"n","points":1,"first_name":null}` + "\n" +
				`{"email":"c@b.co","location":{"zip":"1"},"properties":{"a":1,"b":null},"town":null,"first_name":"A"}`,
			`{"last_name":"L","email":"d@b.co","properties":{"a":2},"location.city":"x"}`,
		}, []Column{
			{"email", "email", 3, 0}, {"tier", "properties.plan", 1, 0}, {"town", "location.city", 1, 0},
			{"note", "dropped", 1, 0},
			{"points", "properties.points", 1, 0}, {"location.zip", "location.zip", 1, 0},
			{"properties.a", "properties.a", 2, 0},
			{"first_name", "first_name", 1, 0}, {"last_name", "last_name", 1, 0},
			{"location.city", "properties.location.city", 1, 0},
		}},
		{"rejected rows", Options{}, []string{
			`{"email":"a@b.co","x":1}` + "\n" + `{"email":"x","x":1,"y":1}` + "\n" +
				`{"email":"c@b.co","x":1,"location":{"city":"c"},"properties":{"p":1,"$q":1}}` + "\n" +
				`{"email":"d@b.co","location":{"city":1}}` + "\n" + `{"email":"d@b.co","y":1,"y":1}` + "\n" + `x`,
			`{"email":"x","z":1}`,
		}, []Column{{"email", "email", 1, 0}, {"x", "properties.x", 1, 0}}},
		{"phone numbers", Options{BadPhone: Drop}, []string{
			`{"email":"a@b.co","phone_number":"+12015550123"}` + "\n" + `{"email":"a@b.co","phone_number":" "}` + "\n" +
				`{"email":"a@b.co","phone_number":"x"}` + "\n" + `{"email":"a@b.co","phone_number":"x","$x":1}`,
		}, []Column{{"email", "email", 3, 0}, {"phone_number", "phone_number", 1, 0}}},
		{"empty strings", Options{Empty: Null}, []string{
			`{"email":"a@b.co","title":"","properties":{"x":""}}` + "\n" + `{"email":"a@b.co","title":"t"}`,
		}, []Column{{"email", "email", 2, 0}, {"title", "title", 1, 0}}},
		{"a location as a value", Options{Map: mapping{"location": "city"}}, []string{
			`{"email":"a@b.co","location":"c"}` + "\n" + `{"email":"a@b.co","location":{"city":"c"}}` + "\n" +
				`{"email":"a@b.co"}`,
		}, []Column{{"email", "email", 2, 0}, {"location", "location.city", 1, 0}}},
		{"remove", Options{Operation: Remove}, []string{`{"profile_id":"P","email":"a@b.co","x":null}`},
			[]Column{{"profile_id", "profile_id", 1, 0}, {"email", "dropped", 1, 0}}},
	} {
		if got := columnsOf(t, test.o, test.chunks...).Columns(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s\ngot  %v\nwant %v", test.name, got, test.want)
		}
	}
}

// The order of columns is that of the input, whichever chunks a Scratch has seen before.
func TestColumnOrder(t *testing.T) {
	c := checker(t, Options{})
	first, second := `{"email":"a@b.co","b":1,"a":1}`, `{"c":1,"email":"a@b.co","a":1,"b":1}`
	var scratch Scratch
	var one, two Rows
	c.Check([]byte(second), false, &scratch, &two)
	c.Check([]byte(first), false, &scratch, &one)
	c.Count(&one)
	c.Count(&two)
	want := []Column{
		{"email", "email", 2, 0}, {"b", "properties.b", 2, 0}, {"a", "properties.a", 2, 0}, {"c", "properties.c", 1, 0},
	}
	if got := c.Columns(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Columns holds the first 200 columns. Their counts stay right when a Scratch forgets columns in the middle of a chunk.
func TestManyColumns(t *testing.T) {
	var chunk string
	for i := range 3 * maxColumns {
		chunk += fmt.Sprintf(`{"email":"a@b.co","x%d":1,"y":1}`+"\n", i)
	}
	got := columnsOf(t, Options{}, chunk, chunk).Columns()
	if len(got) != maxCounted {
		t.Fatalf("got %d columns", len(got))
	}
	for i, want := range map[int]Column{
		0: {"email", "email", 6 * maxColumns, 0}, 1: {"x0", "properties.x0", 2, 0},
		2:   {"y", "properties.y", 6 * maxColumns, 0},
		199: {"x197", "properties.x197", 2, 0},
	} {
		if got[i] != want {
			t.Errorf("column %d: got %v, want %v", i, got[i], want)
		}
	}
}

// A custom property that looks like an attribute is told with the attribute, unless another column fills that one or
// the options name the column.
func TestLookalikes(t *testing.T) {
	for _, test := range []struct {
		name string
		o    Options
		row  string
		want []Lookalike
	}{
		{"names of attributes and nothing else", Options{},
			`{"email":"a@b.co","first_name":"A","plan":1,"points":2,"x1":1,"properties":{"phone":1}}`, nil},
		{"other spellings", Options{},
			`{"email":"a@b.co","FIRST_NAME":"A","lastname":"B","phoneNumber":"+12015550123","Zip Code":"1","external-id":"x"}`,
			[]Lookalike{
				{"FIRST_NAME", "first_name"}, {"lastname", "last_name"}, {"phoneNumber", "phone_number"},
				{"Zip Code", "zip"}, {"external-id", "external_id"},
			}},
		{"other words", Options{},
			`{"email":"a@b.co","phone":"1","firstname":"A","postcode":"1","surname":"B","state":"s","company":"C","lat":1}`,
			[]Lookalike{
				{"phone", "phone_number"}, {"firstname", "first_name"}, {"postcode", "zip"},
				{"surname", "last_name"}, {"state", "region"}, {"company", "organization"},
				{"lat", "latitude"},
			}},
		{"flattened objects", Options{}, `{"email":"a@b.co","location.city":"c","properties.plan":1,"location.email":1}`,
			[]Lookalike{{"location.city", "city"}, {"properties.plan", "properties.plan"}}},
		{"two for one attribute", Options{}, `{"email":"a@b.co","phone":"1","mobile":"2"}`,
			[]Lookalike{{"phone", "phone_number"}}},
		{"an attribute that is filled", Options{}, `{"email":"a@b.co","mail":"c@d.co","zip":"1","postcode":"2"}`, nil},
		{"a mapped column", Options{Map: mapping{"mail": "email", "email": "properties.email", "phone": "properties.phone"}},
			`{"mail":"a@b.co","email":"x","phone":"1"}`, nil},
		{"a dropped column", Options{Drop: []string{"phone"}}, `{"email":"a@b.co","phone":"1"}`, nil},
		{"a column without values", Options{}, `{"email":"a@b.co","phone":null}`, nil},
		{"remove", Options{Operation: Remove}, `{"profile_id":"P","phone":"1"}`, nil},
	} {
		if got := columnsOf(t, test.o, test.row).Lookalikes(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s\ngot  %v\nwant %v", test.name, got, test.want)
		}
	}
	for name, target := range synonyms {
		if o := (Options{Map: mapping{"x": target.name()}}); target != email {
			if _, err := New(o); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
