package pipeline

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
			p[i] = '\r'
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

// quote takes a byte of a string. A newline in a string is never JSON: it ends the element.
func (a *array) quote(c byte) byte {
	switch {
	case c == '\n':
		a.quoted, a.escaped, a.depth, a.filled, a.comma = false, false, 0, false, false
		a.skipping, a.margin = true, 0
	case a.escaped:
		a.escaped = false
	case c == '\\':
		a.escaped = true
	case c == '"':
		a.quoted = false
	}
	return c
}

// nest takes a byte inside an element.
func (a *array) nest(c byte) {
	a.filled = true
	switch c {
	case '"':
		a.quoted = true
	case '{', '[':
		a.depth++
	case '}', ']':
		a.depth--
	}
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
			return gap
		}
		return c
	}
	a.filled = true
	a.quoted = c == '"'
	return c
}

// separate ends an element.
func (a *array) separate() {
	if !a.filled && a.fault == "" {
		a.fault = "an array in the input has a comma with no element beside it"
	}
	a.filled, a.comma = false, false
}

// skip blanks the rest of a broken element, up to a line that begins with an object or with the bracket that ends
// the array.
func (a *array) skip(c byte) byte {
	switch {
	case c == '\n':
		a.margin = 0
	case c == '{' && a.margin >= 0:
		a.skipping, a.depth, a.filled = false, 1, true
		return c
	case c == ']' && a.margin == 0:
		a.skipping, a.ended = false, true
	case (c == ' ' || c == '\t' || c == '\r') && a.margin >= 0:
		a.margin++
	default:
		a.margin = -1
	}
	return gap
}
