package pipeline

import "strings"

// array turns the elements of a JSON array into lines, byte for byte in place, so that rows are checked in one way
// only. Commas between elements become newlines. Newlines inside an element become \r, which JSON allows and forbids
// in the same places. The bytes behind the array stay as they are.
type array struct {
	depth    int // of brackets inside the element
	quoted   bool
	escaped  bool
	filled   bool // the element has begun
	comma    bool // an element must follow
	ended    bool
	skipping bool // behind an element that a newline in a string broke, up to a line that begins with {
	margin   int  // blanks since the line began; -1 behind any other byte
	start    int  // the margin of the line in which the element begins
	before   byte // the last byte of the string that is not blank
	fault    string
}

// gap stands in the place of the opening bracket and of what is blank or skipped before an element. No client writes it
// in front of a row, so pick can tell it from the row.
const gap = '\r'

// rewrite takes the next bytes after the array's opening bracket, and returns how many of them belong to the array.
func (a *array) rewrite(p []byte) int {
	for i, c := range p {
		switch {
		case a.skipping:
			p[i] = a.skip(c)
		case a.quoted:
			p[i] = a.quote(c)
		case c == '\n':
			p[i], a.margin = '\r', 0
		case a.depth > 0 || c == '{' || c == '[':
			a.nest(c)
		default:
			p[i] = a.between(c)
		}
		if a.ended {
			return i + 1
		}
	}
	return len(p)
}

// quote takes a byte of a string. A newline in a string is never JSON. Where the line ends as lines between values do,
// the string began with a quote too many, and the newline ends the element. Otherwise the string goes on.
func (a *array) quote(c byte) byte {
	switch {
	case c == '\n' && strings.IndexByte(`,{[}]:"`, a.before) < 0:
		return '\r'
	case c == '\n':
		a.quoted, a.escaped, a.depth, a.filled, a.comma = false, false, 0, false, false
		a.skipping, a.margin = true, 0
		return c
	case a.escaped:
		a.escaped = false
	case c == '\\':
		a.escaped = true
	case c == '"':
		a.quoted = false
	}
	if c != ' ' && c != '\t' && c != '\r' {
		a.before = c
	}
	return c
}

// nest takes a byte inside an element.
func (a *array) nest(c byte) {
	if !a.filled {
		a.begin()
	}
	switch c {
	case '"':
		a.quoted, a.before = true, c
	case '{', '[':
		a.depth++
	case '}', ']':
		a.depth--
	}
}

// begin marks that an element begins.
func (a *array) begin() {
	if a.margin >= 0 {
		a.start = a.margin
	}
	a.filled, a.margin = true, -1
}

// between takes a byte outside brackets.
func (a *array) between(c byte) byte {
	switch c {
	case ',':
		a.separate()
		a.comma = true
		return '\n'
	case ']':
		if a.comma || a.filled {
			a.separate()
		}
		a.ended = true
		return '\n'
	case ' ', '\t', '\r':
		if !a.filled {
			if a.margin >= 0 {
				a.margin++
			}
			return gap
		}
		return c
	}
	a.begin()
	a.quoted, a.before = c == '"', c
	return c
}

// separate ends an element.
func (a *array) separate() {
	if !a.filled && a.fault == "" {
		a.fault = "an array in the input has a comma with no element beside it"
	}
	a.filled, a.comma = false, false
}

// skip blanks the rest of a broken element, up to a line that begins with an object, no deeper than the broken one, or
// with the bracket that ends the array.
func (a *array) skip(c byte) byte {
	switch {
	case c == '\n':
		a.margin = 0
	case c == '{' && a.margin >= 0 && a.margin <= a.start: // deeper objects are part of the broken element
		a.skipping, a.depth, a.filled = false, 1, true
		return c
	case c == ']' && a.margin == 0:
		a.skipping, a.ended = false, true
	case (c == ' ' || c == '\t' || c == '\r') && a.margin >= 0:
		a.margin++
	case c == '[' && a.margin == 0: // the next array; the end of this one was not seen
		a.skipping, a.depth, a.filled, a.comma = false, 0, false, false
	default:
		if a.margin = -1; c == '{' && a.fault == "" {
			a.fault = "an array in the input has a line break inside a string: objects behind it on that line were not read"
		}
	}
	return gap
}
