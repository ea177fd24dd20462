package validate

import (
	"bytes"
	stdjson "encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"
)

// FuzzRow compares the result of a row, and the profile, with encoding/json and with the rules of expected, which
// work on decoded values. A Scratch that is reused never changes the result.
func FuzzRow(f *testing.F) {
	for _, row := range []string{
		string(bytes.TrimSpace(benchRows(1))),
		`{"email":"a@b.co","location":{"city":"x","latitude":1.5,"zip":null},` +
			`"properties":{"a":[1,{"b":null}],"$c":null},"d":true}`,
		`{"em\u0061il":" A\u0040b.co ","x":"\ud83d\ude00","y":1e+5,"phone_number":"+1 201 555 0123",` +
			`"external_id":"7"}`,
		`{"email":"a@b.co","city":"x","location":{"city":"y"}}`,
		`{"email":"a@b.co","a":1,"properties":{"a":2}}`,
		`{"email":"a@b.co","a":1,"a":2}`,
		`{"email":"a@b.co","properties":{"a":1,"a":2}}`,
		`{"email":5}`, `{"$x":1,"email":"a@b.co"}`, `{"email":"a@b.co","":[]}`, `{"EMAIL":"a"}`,
		`{"email":"a@b.co","phone_number":"090-1234-5678","country":"JP"}`,
		phoneRow("491712345678", "DE"), phoneRow("030 901820.0", "Germany"), phoneRow("0901234", "Germnay"),
		`{"email":"a@b.co","a":"","phone_number":"","location":{"city":""},"properties":{"b":""}}`,
		`{"email":"a@b.co","a":null,"é \"q\"":null,"title":null,"zip":"","properties":{"x":null,"y":"","$z":null}}`,
		`{"email":"a@b.co","a":null,"properties":{"a":1},"b":null,"location":{"city":null},"\u0078":null}`,
		`{"email":"a@b.co","properties":null,"location":null,"d":null,"phone_number":"1","":null}`,
		`{"\ufeffemail":"a@b.co"}`, `{"email":"a@b.co","\"x\"":1}`, `{"email":"'a@b.co"}`, `{"email":"mailto:a!@b.co1"}`,
		`{"profile_id":"01GDDKASAP8TKDDA2GRZDSVP4H","x":-0.5E-7}`,
		`[1]`, `"\ud800"`, `{"a":01}`, `{"a":NaN}`, `{"a":1,}`, `{"a":"x\\"y\\""}`, "{\"a\":\"\xff\"}",
		`{"a":{"b":[[]]}}x`, `(1 row)`, `{`, "\ufeff{}",
		strings.Repeat("[", 101) + strings.Repeat("]", 101),
		`{"a":` + strings.Repeat(`{"":[`, 49) + `1` + strings.Repeat("]}", 49) + `}`,
	} {
		f.Add(row)
	}
	checkers := ruleCheckers(f)
	f.Fuzz(func(t *testing.T, row string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		row = strings.ReplaceAll(row, "\n", " ")
		var shared Scratch
		var again Rows
		for _, c := range checkers {
			var scratch Scratch
			var out Rows
			c.Check([]byte(row), true, &scratch, &out)
			c.Check([]byte(row+"\n"+`{"b":1,"email":"a@b.co"}`+"\n"+row), true, &shared, &again)
			got, last := results(&out), results(&again)
			if n := len(got); n > 0 && !reflect.DeepEqual(last[len(last)-n:], got) {
				t.Fatalf("%q: %+v, then %+v", row, got, last)
			}
			again.Reset()
			compare(t, c, row, &out)
		}
	})
}

// failer is what testing and rapid have in common.
type failer interface {
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// compare checks the result of one row against the rules.
func compare(t failer, c *Checker, row string, out *Rows) {
	got := results(out)
	row = strings.Trim(strings.TrimPrefix(row, "\ufeff"), " \t\r")
	if row == "" {
		if len(got) != 0 {
			t.Fatalf("blank line: %+v", got)
		}
		return
	}
	if len(got) != 1 {
		t.Fatalf("%q: %d rows", row, len(got))
	}
	v := got[0]
	if v.Key != "" && !stdjson.Valid([]byte(v.Key)) || !utf8.ValidString(v.Key+v.Fault.Column+v.Fault.Detail) {
		t.Errorf("%q: %+v", row, v)
	}
	if code := jsonFault(row); code != "" || v.Fault.Code == JSONInvalid || v.Fault.Code == RowTooDeep {
		if v.Fault.Code != code && !(code != "" && v.Fault.Code == RowTooDeep) || v.Required != NotObject {
			t.Errorf("%q: got %+v, want %s", row, v, code)
		}
		return
	}
	members, isObject := decode(t, row)
	if !isObject {
		if v.Fault.Code != NotAnObject || v.Required != NotObject {
			t.Errorf("%q: %+v", row, v)
		}
		return
	}
	want := expected(c, members)
	if want.ok != (v.Fault.Code == "") {
		t.Fatalf("%q: got %+v, want a good row: %t", row, v, want.ok)
	}
	values, cleared := int64(0), int64(0)
	for _, column := range out.columns {
		values += column.Rows
		cleared += column.Cleared()
	}
	if !want.ok {
		if values != 0 || cleared != 0 || v.DroppedPhone {
			t.Errorf("%q: got %+v and columns %v", row, v, out.columns)
		}
		return
	}
	if v.DroppedPhone != want.droppedPhone || values != want.values || cleared != int64(len(want.unset)) {
		t.Errorf("%q: got %+v and columns %v, want %t, %d values and %d cleared",
			row, v, out.columns, want.droppedPhone, want.values, len(want.unset))
	}
	if unset := out.Unset(0); !strings.HasSuffix(v.Profile, "["+string(unset)+"]}}}") && unset != nil {
		t.Errorf("%q: the profile %s unsets %s", row, v.Profile, unset)
	}
	if !json.Valid([]byte(v.Profile)) || len(v.Profile) > maxProfile {
		t.Errorf("%q: %s", row, v.Profile)
	}
	profile, isObject := decode(t, v.Profile)
	if !isObject || !reflect.DeepEqual(sorted(profile), sorted(want.profile)) {
		t.Errorf("%q:\ngot  %+v\nwant %+v", row, sorted(profile), sorted(want.profile))
	}
}
