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
	skipping bool  // behind an element that a newline in a string broke, up to its end or a line that begins with {
	follows  bool  // what is skipped reads as the rest of the string and of the element
	margin   int   // blanks since the line began; -1 behind any other byte
	start    int   // the margin of the line in which the element begins
	before   byte  // the last byte of the string, or of what follows it, that is not blank
	skipped  int64 // objects since skipping began
	blanks   int64 // bytes that were skipped
	unread   int64 // objects that were skipped and may have been rows
	fault    string
}

// gap replaces the opening bracket and what is blank or skipped before an element. No client writes it
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
// the string may have begun with a quote too many, and the newline ends the element. Otherwise the string goes on.
func (a *array) quote(c byte) byte {
	switch {
	case c == '\n' && strings.IndexByte(`,{[}]:"`, a.before) < 0:
		a.escaped = false
		return '\r'
	case c == '\n':
		a.skipping, a.follows, a.margin, a.skipped = true, true, 0, 0
	}
	a.inString(c)
	return c
}

// inString takes a byte of a string, or the quote that ends it.
func (a *array) inString(c byte) {
	switch {
	case a.escaped || c == '\n':
		a.escaped = false
	case c == '\\':
		a.escaped = true
	case c == '"':
		a.quoted = false
	}
	if strings.IndexByte(blank, c) < 0 {
		a.before = c
	}
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

// skip blanks the rest of a broken element: up to its end as far as the rest follows from the string, or else up to a
// line that begins with an object, no deeper than the broken one, or with the bracket that ends the array.
func (a *array) skip(c byte) byte {
	switch {
	case c == '\n':
		a.margin = 0
	case c == '{' && a.margin >= 0 && a.margin <= a.start: // deeper objects are part of the broken element
		a.leave()
		a.depth, a.filled = 1, true
		return c
	case c == ']' && a.margin == 0:
		a.leave()
		a.ended = true
		return gap
	case c == '[' && a.margin == 0: // the next array; the end of this one was not seen
		a.leave()
		return gap
	case strings.IndexByte(blank, c) >= 0 && a.margin >= 0:
		a.margin++
	default:
		if a.margin = -1; c == '{' {
			a.skipped++
		}
	}
	if a.follows {
		a.follow(c)
	}
	if a.blanks++; a.blanks%shortLine == 0 {
		return '\n'
	}
	return gap
}

// shortLine is how many blanks in the place of what is skipped make a line. It is far from the length of a row that is
// too long.
const shortLine = 64 << 10

// leave ends skipping where the end of the broken element was not seen: what was skipped may have been rows.
func (a *array) leave() {
	a.unread += a.skipped
	a.skipping, a.follows, a.quoted, a.escaped, a.depth, a.filled, a.comma = false, false, false, false, 0, false, false
}

// follow reads a skipped byte as if the newline were one inside a string, as long as that makes sense. A line that
// begins outside of a string makes none: its first quote is followed by a letter. The end of the element ends skipping.
func (a *array) follow(c byte) {
	switch {
	case a.quoted:
		a.inString(c)
	case strings.IndexByte(blank, c) >= 0:
		return
	case strings.IndexByte(mayFollow(a.before), c) < 0:
		a.follows = false
		return
	default:
		a.nest(c)
		a.before = c
	}
	if !a.quoted && a.depth == 0 {
		a.skipping, a.follows = false, false
	}
}

// mayFollow returns the bytes that may follow a byte of JSON outside of strings, blanks aside.
func mayFollow(before byte) string {
	const scalar = "0123456789+-.eEtrufalsn"
	switch before {
	case '"', '}', ']':
		return ",:}]"
	case ',', ':', '[', '{':
		return `"{[]}` + scalar
	}
	return ",}]" + scalar
}
