package validate

import (
	stdjson "encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonFault returns the code of a line that is not JSON or too deep, "" for any other line.
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
	case deepest > maxDepth:
		return RowTooDeep
	}
	return ""
}

// loneSurrogates reports whether valid JSON has an escape that is half of a surrogate pair.
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

// pair is a member of a decoded object. The object keeps all its members, also two of one name.
type pair struct {
	name  string
	value any // stdjson.Number, string, bool, nil, []any or []pair
}

// decode returns the members of a row that is an object, and whether it is one. It uses encoding/json alone.
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

// sorted returns v with the members of its three outer levels in order.
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
