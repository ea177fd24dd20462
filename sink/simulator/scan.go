package simulator

import (
	"bytes"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"
)

// maxDepth is the deepest nesting of arrays and objects in a body. The JSON package has no limit of its own,
// and deep nesting would kill the process.
const maxDepth = 500

// validJSON reports whether b is one JSON value in UTF-8 that is not nested too deeply.
// The other functions of this file expect JSON that has passed this check.
func validJSON(b []byte) bool {
	return !tooDeep(b) && utf8.Valid(b) && json.Valid(b)
}

func tooDeep(b []byte) bool {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			if depth++; depth > maxDepth {
				return true
			}
		case ']', '}':
			depth--
		}
	}
	return false
}

// walker reads through JSON once. b is the unread rest, without white space before it.
type walker struct{ b []byte }

func walk(b []byte) *walker {
	w := &walker{b}
	w.trim()
	return w
}

func (w *walker) trim() {
	for len(w.b) > 0 && (w.b[0] == ' ' || w.b[0] == '\n' || w.b[0] == '\t' || w.b[0] == '\r') {
		w.b = w.b[1:]
	}
}

// advance skips n bytes and the white space after them.
func (w *walker) advance(n int) {
	w.b = w.b[n:]
	w.trim()
}

// object calls visit for each member of the next object, in order. quoted is the name as written, name its
// decoded text. visit must read the member's value with one of the walker's methods.
func (w *walker) object(visit func(quoted, name []byte)) {
	w.advance(1)
	for w.b[0] != '}' {
		quoted := w.value()
		w.advance(1)
		name, _ := text(quoted)
		visit(quoted, name)
		if w.b[0] == ',' {
			w.advance(1)
		}
	}
	w.advance(1)
}

// array calls visit for each element of the next array, in order. visit must read the element.
func (w *walker) array(visit func(i int)) {
	w.advance(1)
	for i := 0; w.b[0] != ']'; i++ {
		visit(i)
		if w.b[0] == ',' {
			w.advance(1)
		}
	}
	w.advance(1)
}

// value reads the next value and returns it.
func (w *walker) value() []byte {
	n := valueEnd(w.b)
	value := w.b[:n:n]
	w.advance(n)
	return value
}

// since returns the text read since the rest was b, without the white space at its end.
func (w *walker) since(b []byte) []byte {
	n := len(b) - len(w.b)
	return bytes.TrimRight(b[:n:n], " \t\r\n")
}

func valueEnd(b []byte) int {
	switch b[0] {
	case '"':
		return stringEnd(b)
	case '{', '[':
		depth := 0
		for i := 0; ; {
			switch b[i] {
			case '"':
				i += stringEnd(b[i:])
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					return i + 1
				}
			}
			i++
		}
	}
	for i, c := range b {
		if c == ',' || c == '}' || c == ']' || c <= ' ' {
			return i
		}
	}
	return len(b)
}

func stringEnd(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// members calls visit for each member of an object, in order.
func members(object []byte, visit func(quoted, name, value []byte)) {
	w := walk(object)
	w.object(func(quoted, name []byte) { visit(quoted, name, w.value()) })
}

// elements calls visit for each element of an array, in order.
func elements(array []byte, visit func(i int, value []byte)) {
	w := walk(array)
	w.array(func(i int) { visit(i, w.value()) })
}

// text returns the decoded text of a JSON string. It is a part of value unless value has escapes.
func text(value []byte) (s []byte, ok bool) {
	if value[0] != '"' {
		return nil, false
	}
	if bytes.IndexByte(value, '\\') >= 0 {
		return json.Unescape(value), true
	}
	return value[1 : len(value)-1], true
}

func isNull(value []byte) bool   { return value[0] == 'n' }
func isObject(value []byte) bool { return value[0] == '{' }
func isArray(value []byte) bool  { return value[0] == '[' }
func isNumber(value []byte) bool { return value[0] == '-' || '0' <= value[0] && value[0] <= '9' }

// find returns the value of an object's member, or nil without that member.
func find(object []byte, wanted string) []byte {
	var found []byte
	members(object, func(_, name, value []byte) {
		if string(name) == wanted {
			found = value
		}
	})
	return found
}

// quote appends s as a JSON string.
func quote(b []byte, s string) []byte {
	b, _ = json.Append(b, s, 0) // never fails for a string
	return b
}
