package validate

import (
	"bytes"
	stdjson "encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"
)

// FuzzRow holds the verdict on a row, and the profile, against encoding/json and the rules written down once more over
// decoded values.
func FuzzRow(f *testing.F) {
	for _, row := range []string{
		string(bytes.TrimSpace(benchRows(1))),
		`{"email":"a@b.co","location":{"city":"x","latitude":1.5,"zip":null},"properties":{"a":[1,{"b":null}],"$c":null},"d":true}`,
		`{"em\u0061il":" A\u0040b.co ","x":"\ud83d\ude00","y":1e+5,"phone_number":"+1 201 555 0123","external_id":"7"}`,
		`{"email":"a@b.co","city":"x","location":{"city":"y"}}`, `{"email":"a@b.co","a":1,"properties":{"a":2}}`, `{"email":"a@b.co","a":1,"a":2}`,
		`{"email":"a@b.co","properties":{"a":1,"a":2}}`, `{"email":5}`, `{"$x":1,"email":"a@b.co"}`, `{"email":"a@b.co","":[]}`, `{"EMAIL":"a"}`,
		`{"email":"a@b.co","phone_number":"090-1234-5678","country":"JP"}`, `{"profile_id":"01GDDKASAP8TKDDA2GRZDSVP4H","x":-0.5E-7}`,
		`[1]`, `"\ud800"`, `{"a":01}`, `{"a":NaN}`, `{"a":1,}`, `{"a":"x\\"y\\""}`, "{\"a\":\"\xff\"}", `{"a":{"b":[[]]}}x`, `(1 row)`, `{`, "\ufeff{}",
		strings.Repeat("[", 101) + strings.Repeat("]", 101), `{"a":` + strings.Repeat(`{"":[`, 49) + `1` + strings.Repeat("]}", 49) + `}`,
	} {
		f.Add(row)
	}
	checkers := []*Checker{
		checker(f, Options{}), checker(f, Options{Operation: Remove}),
		checker(f, Options{DefaultCountry: "US", Map: map[string]string{"a": "properties.b", "x": "city", "EMAIL": "email"}, Drop: []string{"d"}}),
	}
	f.Fuzz(func(t *testing.T, row string) {
		row = strings.ReplaceAll(row, "\n", " ")
		var shared Rows
		for _, c := range checkers {
			var out Rows
			c.Check([]byte(row), true, &out)
			c.Check([]byte(row+"\n"+`{"b":1,"email":"a@b.co"}`+"\n"+row), true, &shared)
			got, again := verdicts(&out), verdicts(&shared)
			if n := len(got); n > 0 && (!reflect.DeepEqual(again[len(again)-n:], got)) {
				t.Fatalf("%q: %+v, then %+v", row, got, again)
			}
			shared.Reset()
			compare(t, c, row, got)
		}
	})
}

// failer is what testing and rapid have in common.
type failer interface {
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// compare checks the verdict on one row against the rules.
func compare(t failer, c *Checker, row string, got []verdict) {
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
			t.Errorf("%q: want %s, got %+v", row, code, v)
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
	want, ok := expected(c, members)
	if ok != (v.Fault.Code == "") {
		t.Fatalf("%q: want good %t, got %+v", row, ok, v)
	}
	if !ok {
		return
	}
	if !json.Valid([]byte(v.Profile)) || len(v.Profile) > MaxProfile {
		t.Errorf("%q: %s", row, v.Profile)
	}
	profile, isObject := decode(t, v.Profile)
	if !isObject || !reflect.DeepEqual(sorted(profile), sorted(want)) {
		t.Errorf("%q:\ngot  %+v\nwant %+v", row, sorted(profile), sorted(want))
	}
}

// jsonFault returns the code for a line that is no JSON text or too deep, "" for others.
func jsonFault(row string) Code {
	depth, deepest, inString := 0, 0, false
	for i := 0; i < len(row); i++ {
		switch c := row[i]; {
		case c == '\\' && inString:
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == '{' || c == '['):
			depth++
			deepest = max(depth, deepest)
		case !inString && (c == '}' || c == ']'):
			depth--
		}
	}
	switch {
	case !stdjson.Valid([]byte(row)) || !utf8.ValidString(row) || loneSurrogates(row):
		return JSONInvalid
	case deepest > MaxDepth:
		return RowTooDeep
	}
	return ""
}

// loneSurrogates says whether valid JSON has an escape that is half of a pair.
func loneSurrogates(row string) bool {
	unit := func(s string) uint64 {
		if !strings.HasPrefix(s, `\u`) || len(s) < 6 {
			return 0
		}
		n, _ := strconv.ParseUint(s[2:6], 16, 16)
		return n
	}
	for i := 0; i < len(row); i++ {
		if row[i] != '\\' {
			continue
		}
		switch n := unit(row[i:]); {
		case n >= 0xDC00 && n <= 0xDFFF:
			return true
		case n >= 0xD800 && n <= 0xDBFF:
			if low := unit(row[i+6:]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 11
		default:
			i++
		}
	}
	return false
}

// pair is a member of an object that was decoded with all its members, also those of one name.
type pair struct {
	name  string
	value any // stdjson.Number, string, bool, nil, []any or []pair
}

func decode(t failer, row string) ([]pair, bool) {
	d := stdjson.NewDecoder(strings.NewReader(row))
	d.UseNumber()
	var value func() any
	value = func() any {
		token, err := d.Token()
		if err != nil {
			t.Fatal(row, err)
		}
		switch token {
		case stdjson.Delim('['):
			list := []any{}
			for d.More() {
				list = append(list, value())
			}
			d.Token()
			return list
		case stdjson.Delim('{'):
			members := []pair{}
			for d.More() {
				name, _ := d.Token()
				members = append(members, pair{name.(string), value()})
			}
			d.Token()
			return members
		}
		return token
	}
	members, ok := value().([]pair)
	return members, ok
}

// sorted returns v with the members of its outer three levels in order.
func sorted(v any) any {
	members, ok := v.([]pair)
	if !ok {
		return v
	}
	members = slices.Clone(members)
	for i := range members {
		if slices.Contains([]string{"attributes", "location", "properties"}, members[i].name) {
			members[i].value = sorted(members[i].value)
		}
	}
	slices.SortStableFunc(members, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return members
}

// expected applies the rules to a decoded row and returns the profile, or false for a row to reject.
func expected(c *Checker, row []pair) ([]pair, bool) {
	e := expectation{checker: c, ok: !twice(row)}
	for _, m := range row {
		if text, ok := m.value.(string); ok && (m.name == "country" || e.goesTo(m.name) == "location.country") {
			e.country = text
		}
		if object, ok := m.value.([]pair); ok && m.name == "location" && e.goesTo("location") == "location" {
			e.ok = e.ok && !twice(object)
			for _, n := range object {
				if text, ok := n.value.(string); ok && n.name == "country" {
					e.country = text
				}
			}
		}
	}
	for _, m := range row {
		e.top(m)
	}
	if c.operation == Remove {
		return []pair{{"type", "profile"}, {"id", e.key}}, e.ok && e.key != ""
	}
	for _, list := range [][]pair{e.attributes, e.location, e.properties} {
		e.ok = e.ok && !twice(list)
	}
	if len(e.location) > 0 {
		e.attributes = append(e.attributes, pair{"location", e.location})
	}
	if len(e.properties) > 0 {
		e.attributes = append(e.attributes, pair{"properties", e.properties})
	}
	return []pair{{"type", "profile"}, {"attributes", e.attributes}}, e.ok && e.key != ""
}

func twice(members []pair) bool {
	seen := map[string]bool{}
	for _, m := range members {
		if seen[m.name] {
			return true
		}
		seen[m.name] = true
	}
	return false
}

type expectation struct {
	checker                          *Checker
	country, key                     string
	attributes, location, properties []pair
	ok                               bool
}

const (
	attributeNames = " email phone_number external_id _kx first_name last_name organization locale title image "
	locationNames  = " address1 address2 city country region zip timezone ip latitude longitude "
)

// goesTo returns what the fuzzed checkers do with a column.
func (e *expectation) goesTo(column string) string {
	if e.checker.operation == Remove {
		if column == "profile_id" {
			return column
		}
		return ""
	}
	if e.checker.renames {
		switch column {
		case "a":
			return "properties.b"
		case "x":
			return "location.city"
		case "EMAIL":
			return "email"
		case "d":
			return ""
		}
	}
	switch {
	case strings.Contains(column, " "):
	case strings.Contains(locationNames, " "+column+" "):
		return "location." + column
	case strings.Contains(attributeNames, " "+column+" "), column == "location", column == "properties":
		return column
	}
	return "properties." + column
}

func (e *expectation) top(m pair) {
	to := e.goesTo(m.name)
	if m.value == nil || to == "" {
		return
	}
	text, isText := m.value.(string)
	list, isObject := m.value.([]pair)
	switch to {
	case "profile_id":
		text = strings.TrimSpace(text)
		e.ok = e.ok && isText && validProfileID([]byte(text))
		e.key = text
	case "email":
		text = strings.TrimSpace(text)
		e.ok = e.ok && isText && validEmail([]byte(text))
		if m.name == e.checker.required {
			e.key = text
		}
		e.attributes = append(e.attributes, pair{to, text})
	case "phone_number":
		e.phone(text, isText)
	case "location", "properties":
		e.ok = e.ok && isObject && !twice(list)
		for _, n := range list {
			e.member(to+"."+n.name, n.value)
		}
	default:
		e.member(to, m.value)
	}
}

func (e *expectation) phone(text string, isText bool) {
	e.ok = e.ok && isText
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	home := e.checker.country
	if country := strings.ToUpper(strings.TrimSpace(e.country)); len(country) == 2 && checkerKnows(country) {
		home = country
	}
	number, reason := parsePhone([]byte(text), home)
	e.ok = e.ok && reason == ""
	e.attributes = append(e.attributes, pair{"phone_number", number})
}

func checkerKnows(country string) bool {
	_, err := New(Options{DefaultCountry: country})
	return err == nil
}

// member adds a value to where the path says.
func (e *expectation) member(to string, value any) {
	if value == nil {
		return
	}
	text, isText := value.(string)
	if name, ok := strings.CutPrefix(to, "location."); ok {
		_, isNumber := value.(stdjson.Number)
		known := !strings.Contains(name, " ") && name != "" && strings.Contains(locationNames, " "+name+" ")
		e.ok = e.ok && known && (isText || isNumber && strings.HasSuffix(name, "itude"))
		e.location = append(e.location, pair{name, value})
	} else if name, ok := strings.CutPrefix(to, "properties."); ok {
		e.ok = e.ok && name != "" && name[0] != '$'
		e.properties = append(e.properties, pair{name, value})
	} else {
		e.ok = e.ok && isText && (to != "external_id" || utf8.RuneCountInString(text) <= 255)
		e.attributes = append(e.attributes, pair{to, value})
	}
}
