package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// field is what one place of an expression accepts.
type field struct {
	noun      string // with its article
	low, high int
	top       int // the highest value that may be written
	names     []string
}

var (
	months   = strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")
	weekdays = strings.Fields("sun mon tue wed thu fri sat")
)

var fields = [5]field{
	{noun: "a minute", high: 59, top: 59},
	{noun: "an hour", high: 23, top: 23},
	{noun: "a day of the month", low: 1, high: 31, top: 31},
	{noun: "a month", low: 1, high: 12, top: 12, names: months},
	{noun: "a day of the week", high: 6, top: 7, names: weekdays},
}

// foreign are signs of other crons, each with what an error says about it.
var foreign = map[string]string{
	"?":  "? is not supported, write *",
	"#":  "# (the n-th weekday of a month) is not supported",
	"L":  "L (the last day) is not supported",
	"W":  "W (the nearest working day) is not supported",
	"LW": "LW (the last working day) is not supported",
	"H":  "H (any value) is not supported",
	"~":  "~ (a random value) is not supported",
	"'":  "remove the quotation mark",
	"\"": "remove the quotation mark",
}

// word is what is between blanks, with its column.
type word struct {
	text   string
	column int
}

// maxLength is the most characters of an expression. One that lists every value of every field has 391.
const maxLength = 1000

// split returns the words of an expression.
func split(text string) ([]word, error) {
	characters := []rune(text)
	if n := len(characters); n > maxLength {
		return nil, fmt.Errorf("column %d: expected at most %d characters, got %d", maxLength+1, maxLength, n)
	}
	var words []word
	from := 0 // where the last word begins, or what follows it
	end := func(i int) {
		if from < i {
			words = append(words, word{string(characters[from:i]), from + 1})
		}
		from = i + 1
	}
	for i, r := range characters {
		switch {
		case r == ' ' || r == '\t':
			end(i)
		case unicode.IsSpace(r) || !unicode.IsPrint(r):
			return nil, fmt.Errorf("column %d: expected a space, got the character %U", i+1, r)
		}
	}
	end(len(characters))
	return words, nil
}

// all are the bits of a field without restriction.
func (f *field) all() uint64 { return 1<<(f.high+1) - 1<<f.low }

// expected names the field and what it accepts, as in "a minute (0-59)".
func (f *field) expected() string {
	if f.names != nil {
		return fmt.Sprintf("%s (%d-%d or %s-%s)", f.noun, f.low, f.high, f.names[0], f.names[len(f.names)-1])
	}
	return fmt.Sprintf("%s (%d-%d)", f.noun, f.low, f.high)
}

func (f *field) entry(w word) (entry, error) {
	e := entry{text: w.text, column: w.column}
	if w.text == "*" {
		return e, nil
	}
	column := w.column
	for part := range strings.SplitSeq(w.text, ",") {
		one, err := f.element(word{part, column})
		if err != nil {
			return e, err
		}
		e.elements = append(e.elements, one)
		column += len(part) + len(",")
	}
	return e, nil
}

func (f *field) element(w word) (element, error) {
	base, step, stepped := strings.Cut(w.text, "/")
	first, last, ranged := strings.Cut(base, "-")
	e := element{low: f.low, high: f.high, step: 1, star: base == "*"}
	var err error
	switch {
	case e.star && !stepped:
		return e, fmt.Errorf("column %d: expected * alone or a list without *, got * in a list", w.column)
	case e.star:
	default:
		if e.low, err = f.value(word{first, w.column}); err != nil {
			return e, err
		}
		e.high = e.low
		if ranged {
			e.high, err = f.value(word{last, w.column + len(first) + len("-")})
		}
	}
	if err != nil {
		return e, err
	}
	if e.low > e.high {
		return e, fmt.Errorf("column %d: expected a range from low to high, got %s; write %s",
			w.column, quoted(base), f.unwound(first, last, e))
	}
	if stepped && !ranged && !e.star {
		return e, fmt.Errorf("column %d: expected a range before the step, got %s; write %s-%d/%s",
			w.column, quoted(base), cut(base), f.high, cut(step))
	}
	if stepped {
		e.step, err = f.step(word{step, w.column + len(base) + len("/")})
	}
	return e, err
}

// unwound writes a range that ends before it begins as the ranges that it means, by names where it has names.
func (f *field) unwound(first, last string, e element) string {
	like := func(text string, v int) string {
		if _, ok := number(text); ok {
			return strconv.Itoa(v)
		}
		return f.names[v-f.low]
	}
	join := func(from, to string) string {
		if strings.EqualFold(from, to) {
			return cut(from)
		}
		return cut(from) + "-" + cut(to)
	}
	switch {
	case e.low > f.high: // 7 is 0
		return join(like(last, f.low), last)
	case e.high == f.low && f.top > f.high:
		return join(first, strconv.Itoa(f.top))
	}
	return join(first, like(first, f.high)) + "," + join(like(last, f.low), last)
}

// step reads what follows a slash.
func (f *field) step(w word) (int, error) {
	n, ok := number(w.text)
	if !ok || n < 1 || n > f.high {
		return 0, fmt.Errorf("column %d: expected a step (1-%d), got %s", w.column, f.high, quoted(w.text))
	}
	return n, nil
}

// value reads a number or a name.
func (f *field) value(w word) (int, error) {
	if n, ok := number(w.text); ok && f.low <= n && n <= f.top {
		return n, nil
	}
	if i := slices.Index(f.names, strings.ToLower(w.text)); i >= 0 {
		return f.low + i, nil
	}
	sign := strings.TrimLeft(w.text, "0123456789")
	at := w.column + len(w.text) - len(sign)
	if why, ok := foreign[strings.ToUpper(sign)]; ok {
		return 0, fmt.Errorf("column %d: %s", at, why)
	}
	for i, r := range sign {
		if why, ok := foreign[string(r)]; ok && !unicode.IsLetter(r) {
			return 0, fmt.Errorf("column %d: %s", at+utf8.RuneCountInString(sign[:i]), why)
		}
	}
	for _, name := range f.names {
		if strings.HasPrefix(strings.ToLower(w.text), name) {
			return 0, fmt.Errorf("column %d: expected %s, got %s; write %s", w.column, f.noun, quoted(w.text), name)
		}
	}
	return 0, fmt.Errorf("column %d: expected %s, got %s", w.column, f.expected(), quoted(w.text))
}

// number reads decimal digits alone.
func number(text string) (int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// quoted returns text as an error shows it.
func quoted(text string) string {
	if text == "" {
		return "nothing"
	}
	return strconv.Quote(cut(text))
}

// cut shortens a long text.
func cut(text string) string {
	const most = 20
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
