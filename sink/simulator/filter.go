package simulator

import (
	"slices"
	"strings"
	"time"
)

// maxValues is the most values of one any or equals. Klaviyo's limit is not known; 100 are in use. A choice.
const maxValues = 100

// filterable holds the operators that each field allows. equals takes a string, equals[] a list, and any always a
// list.
type filterable map[string][]string

// filter is a set of terms that must all hold.
type filter []term

type term struct {
	field, operator string
	values          []string  // of equals, any and contains, sorted
	at              time.Time // of the other operators
}

// parseFilter reads operator(field,value), or several of them joined by commas or inside and(…).
func parseFilter(text string, allowed filterable) (filter, bool) {
	p := filterParser{text: text, allowed: allowed, ok: true}
	p.terms()
	return p.found, p.ok && p.text == ""
}

// filterParser parses the text from its start. After the first mistake ok is false and the rest has no meaning.
type filterParser struct {
	text    string
	allowed filterable
	found   filter
	ok      bool
}

func (p *filterParser) terms() {
	for p.term(); p.ok && p.peek(','); p.term() {
		p.take(',')
	}
}

func (p *filterParser) term() {
	operator := p.word()
	p.take('(')
	if operator == "and" {
		p.terms()
		p.take(')')
		return
	}
	t := term{operator: operator, field: p.word()}
	p.take(',')
	rule := operator
	if operator == "equals" && p.peek('[') {
		rule = "equals[]"
	}
	switch {
	case !slices.Contains(p.allowed[t.field], rule):
		p.ok = false
	case operator == "any", rule == "equals[]":
		t.values = p.list()
	case operator == "equals", operator == "contains":
		t.values = []string{p.string()}
	default:
		t.at = p.time()
	}
	for i, v := range t.values {
		switch t.field {
		case "email": // its case does not matter
			t.values[i] = strings.ToLower(v)
		case "status":
			p.ok = p.ok && slices.Contains([]string{"queued", "processing", "complete"}, v)
		}
	}
	slices.Sort(t.values)
	p.take(')')
	p.found = append(p.found, t)
}

func (p *filterParser) list() (values []string) {
	p.take('[')
	for p.ok {
		values = append(values, p.string())
		if !p.peek(',') {
			break
		}
		p.take(',')
	}
	p.take(']')
	p.ok = p.ok && len(values) <= maxValues
	return values
}

// string reads a string in double or single quotes. A backslash makes the next byte literal.
func (p *filterParser) string() string {
	if !p.peek('"') && !p.peek('\'') {
		p.ok = false
		return ""
	}
	value, rest, closed := strings.Cut(p.text[1:], p.text[:1])
	if closed && !strings.Contains(value, `\`) {
		p.text = rest
		return value
	}
	var s []byte
	for i := 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == p.text[0]:
			p.text = p.text[i+1:]
			return string(s)
		case c == '\\' && i+1 < len(p.text):
			i++
			s = append(s, p.text[i])
		default:
			s = append(s, c)
		}
	}
	p.ok = false
	return ""
}

func (p *filterParser) time() time.Time {
	end := strings.IndexByte(p.text, ')')
	if end < 0 {
		p.ok = false
		return time.Time{}
	}
	text := strings.TrimSpace(p.text[:end])
	p.text = p.text[end:]
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	p.ok = false
	return time.Time{}
}

// word reads the name of an operator or a field.
func (p *filterParser) word() string {
	p.text = strings.TrimLeft(p.text, " ")
	end := strings.IndexAny(p.text, "(), ")
	if end < 0 {
		end = len(p.text)
	}
	word := p.text[:end]
	p.text = p.text[end:]
	return word
}

func (p *filterParser) peek(c byte) bool {
	p.text = strings.TrimLeft(p.text, " ")
	return p.text != "" && p.text[0] == c
}

func (p *filterParser) take(c byte) {
	if p.ok = p.ok && p.peek(c); p.ok {
		p.text = p.text[1:]
		p.text = strings.TrimLeft(p.text, " ")
	}
}

// hasAny reports whether a term is any(…).
func (f filter) hasAny() bool {
	return slices.ContainsFunc(f, func(t term) bool { return t.operator == "any" })
}

// holds reports whether all terms hold for a resource with these fields.
func (f filter) holds(field func(name string) (value string, at time.Time)) bool {
	for _, t := range f {
		value, at := field(t.field)
		holds := false
		switch t.operator {
		case "any", "equals":
			_, holds = slices.BinarySearch(t.values, value)
		case "contains": // choice: its case does not matter
			holds = strings.Contains(strings.ToLower(value), strings.ToLower(t.values[0]))
		case "greater-than":
			holds = at.After(t.at)
		case "greater-or-equal":
			holds = !at.Before(t.at)
		case "less-than":
			holds = at.Before(t.at)
		case "less-or-equal":
			holds = !at.After(t.at)
		}
		if !holds {
			return false
		}
	}
	return true
}
