package validate

import (
	"bytes"
	"encoding/json"
	"strings"
)

// several reports whether a line that is not one object may hold several rows: more than one object or array begins
// outside of objects. An array of values is one row. Quotes may be broken, so this is no proof.
func several(line []byte) bool {
	quoted, depth, begun := false, 0, 0 // depth is that of objects
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++ // whatever it escapes is no quote
		case quoted:
			n := bytes.IndexAny(line[i:], `"\`)
			if n < 0 {
				return begun > 1
			}
			i += n - 1
		case c == '{' || c == '[':
			if depth == 0 {
				begun++
			}
			if c == '{' {
				depth++
			}
		case c == '}' && depth > 0:
			depth--
		}
	}
	return begun > 1
}

// wraps reports whether a line that is not a good row may be an object around several rows: it has the column, in any
// case, in an object in an array, and not at its top level. The line may be cut or broken, so this is no proof.
func wraps(line []byte, column string) bool {
	if i := space(line, 0); i == len(line) || line[i] != '{' {
		return false
	}
	var open []byte // the brackets that are open
	arrays, found := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '"':
			end := i + 1
			for end < len(line) && line[end] != '"' {
				if line[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(line) {
				return found
			}
			name := line[i : end+1]
			i = end
			if len(open) == 0 || open[len(open)-1] != '{' || len(open) > 1 && (found || arrays == 0) {
				continue
			}
			if after := space(line, end+1); after == len(line) || line[after] != ':' || !isNamed(name, column) {
				continue
			}
			if len(open) == 1 {
				return false
			}
			found = true
		case '{', '[':
			open = append(open, c)
			if c == '[' {
				arrays++
			}
		case '}', ']':
			if n := len(open); n > 0 {
				if open[n-1] == '[' {
					arrays--
				}
				open = open[:n-1]
			}
		}
	}
	return found
}

// isNamed reports whether the JSON string quoted is a name, in any case.
func isNamed(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return strings.EqualFold(string(quoted[1:len(quoted)-1]), name)
	}
	var text string
	return json.Unmarshal(quoted, &text) == nil && strings.EqualFold(text, name)
}
