// Package schedule understands Treasure Data's (TD) cron, finds the times at which it fires, and runs a command at them.
package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/netresearch/go-cron"
)

// Schedule is a cron expression that was understood. It never changes and may be used at once. Of go-cron it takes the masks that hold
// the values of the fields; reading expressions, the days and the clocks of zones are its own, and go-cron's search is what tests hold it against.
type Schedule struct {
	text    string
	entries *expression // nil: it never fires
	read    reading
	spec    *cron.SpecSchedule // the values as bits; a day has to suit both of its fields unless DowOrDom
}

// String returns the expression as it was written.
func (s *Schedule) String() string { return s.text }

// Parse understands an expression of TD's cron: five fields between blanks, an alias such as @daily, or "", which never fires. An
// expression of five fields that could never fire is refused. Errors tell the column, in characters from 1, and what was meant.
func Parse(text string) (*Schedule, error) { return parse(text, treasureData) }

// reading is whose cron an expression is read as. They differ in how */n counts and in what two fields for days mean together.
type reading int

const (
	treasureData reading = iota // values divisible by n; the field that fires more often wins
	vixie                       // counted from the lowest value; either field, or both where one begins with *
	cron4j                      // counted from the lowest value; both fields. It is the cron of digdag, which runs TD's workflows
)

// The fields of an expression, in their order.
const (
	minute = iota
	hour
	monthDay
	month
	weekday
)

// expression are the five fields as written.
type expression [5]entry

// entry is one field: the elements of its list. A field that is * alone has no element.
type entry struct {
	text     string
	column   int
	elements []element
}

// element is a value, a range or */n.
type element struct {
	low, high, step int
	star            bool
}

// field is what may stand at a place of an expression.
type field struct {
	noun      string // with its article
	low, high int
	top       int // the highest value that may be written
	names     []string
}

var (
	fields = [5]field{
		{noun: "a minute", high: 59, top: 59},
		{noun: "an hour", high: 23, top: 23},
		{noun: "a day of the month", low: 1, high: 31, top: 31},
		{noun: "a month", low: 1, high: 12, top: 12, names: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
		{noun: "a day of the week", high: 6, top: 7, names: strings.Fields("sun mon tue wed thu fri sat")},
	}
	aliases = map[string]string{
		"@hourly":   "0 * * * *",
		"@daily":    "0 0 * * *",
		"@midnight": "0 0 * * *",
		"@weekly":   "0 0 * * 0",
		"@monthly":  "0 0 1 * *",
		"@yearly":   "0 0 1 1 *",
		"@annually": "0 0 1 1 *",
	}
	// foreign are signs of other crons, and what to say of them.
	foreign = map[string]string{
		"?":  "? is not known here, write *",
		"#":  "# (the n-th weekday of a month) is not known here",
		"L":  "L (the last day) is not known here",
		"W":  "W (the nearest working day) is not known here",
		"LW": "LW (the last working day) is not known here",
		"H":  "H (any value) is not known here",
		"~":  "~ (a random value) is not known here",
		"'":  "a quotation mark is no part of the expression",
		"\"": "a quotation mark is no part of the expression",
	}
)

func parse(text string, r reading) (*Schedule, error) {
	if text == "" {
		return &Schedule{read: r}, nil
	}
	words, err := split(text)
	if err != nil {
		return nil, err
	}
	if len(words) > 0 && strings.HasPrefix(words[0].text, "@") {
		if words, err = expand(words); err != nil {
			return nil, err
		}
	}
	if err := count(words, utf8.RuneCountInString(text)); err != nil {
		return nil, err
	}
	x := new(expression)
	for i, w := range words {
		if x[i], err = fields[i].entry(w); err != nil {
			return nil, err
		}
	}
	s := &Schedule{text: text, entries: x, read: r, spec: x.spec(r)}
	if monthDays, _ := calendar().weigh(s.spec); monthDays == 0 {
		return nil, fmt.Errorf("column %d: it would never fire: no %s in %s",
			x[monthDay].column, days(s.spec.Dom), values(s.spec.Month, monthName))
	}
	return s, nil
}

// word is what stands between blanks, and its column.
type word struct {
	text   string
	column int
}

func split(text string) ([]word, error) {
	var words []word
	column, inside := 0, false
	for _, r := range text {
		column++
		switch {
		case r == ' ' || r == '\t':
			inside = false
			continue
		case unicode.IsSpace(r) || !unicode.IsPrint(r):
			return nil, fmt.Errorf("column %d: the character %U stands here, a space was meant", column, r)
		case !inside:
			words = append(words, word{column: column})
		}
		inside = true
		words[len(words)-1].text += string(r)
	}
	return words, nil
}

// expand puts the five fields of an alias in its place.
func expand(words []word) ([]word, error) {
	alias := words[0]
	meant, known := aliases[strings.ToLower(alias.text)]
	switch {
	case strings.EqualFold(alias.text, "@reboot"):
		return nil, fmt.Errorf("column %d: @reboot is no time", alias.column)
	case !known:
		return nil, fmt.Errorf("column %d: %s is not known, one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually was meant",
			alias.column, shown(alias.text))
	case len(words) > 1:
		return nil, fmt.Errorf("column %d: nothing may follow %s", words[1].column, alias.text)
	}
	words = nil
	for text := range strings.FieldsSeq(meant) {
		words = append(words, word{text, alias.column})
	}
	return words, nil
}

// count checks the number of fields; length is the expression's.
func count(words []word, length int) error {
	const meant = "5 were meant: minute, hour, day of the month, month, day of the week"
	switch {
	case len(words) < len(fields):
		return fmt.Errorf("column %d: %d fields stand here, %s", length+1, len(words), meant)
	case len(words) > len(fields):
		return fmt.Errorf("column %d: %d fields stand here, %s", words[len(fields)].column, len(words), meant)
	}
	return nil
}

// values says what may be written, as "0-59".
func (f *field) values() string {
	if f.names != nil {
		return fmt.Sprintf("%d-%d or %s-%s", f.low, f.high, f.names[0], f.names[len(f.names)-1])
	}
	return fmt.Sprintf("%d-%d", f.low, f.high)
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
		return e, fmt.Errorf("column %d: * stands in a list, where it has no meaning: the field is either * alone or a list without it", w.column)
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
		return e, fmt.Errorf("column %d: the range %s ends before it begins, write %s", w.column, shown(base), f.unwound(first, last, e))
	}
	if stepped && !ranged && !e.star {
		return e, fmt.Errorf("column %d: a step follows a single value, a range was meant: %s-%d/%s", w.column, shown(base), f.high, shown(step))
	}
	if stepped {
		e.step, err = f.step(word{step, w.column + len(base) + len("/")})
	}
	return e, err
}

// unwound writes a range that ends before it begins as what was meant, by names where it has names.
func (f *field) unwound(first, last string, e element) string {
	like := func(text string, v int) string {
		if _, ok := number(text); ok {
			return strconv.Itoa(v)
		}
		return f.names[v-f.low]
	}
	join := func(from, to string) string {
		if strings.EqualFold(from, to) {
			return shown(from)
		}
		return shown(from) + "-" + shown(to)
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
		return 0, fmt.Errorf("column %d: %s is not a step (1-%d)", w.column, shown(w.text), f.high)
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
	if w.text == "" {
		return 0, fmt.Errorf("column %d: %s (%s) is missing", w.column, f.noun, f.values())
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
			return 0, fmt.Errorf("column %d: %s is not %s, write %s", w.column, shown(w.text), f.noun, name)
		}
	}
	return 0, fmt.Errorf("column %d: %s is not %s (%s)", w.column, shown(w.text), f.noun, f.values())
}

// number reads decimal digits alone.
func number(text string) (int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// shown is text as a message quotes it.
func shown(text string) string {
	const most = 20
	if text == "" {
		return "nothing"
	}
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// begins tells that the field begins with a star.
func (e *entry) begins() bool { return e.elements == nil || e.elements[0].star }

// mask returns the values of a field as bits.
func (e *entry) mask(f *field, r reading) uint64 {
	if e.elements == nil {
		return f.all()
	}
	var bits uint64
	for _, one := range e.elements {
		for v := one.low; v <= one.high; v++ {
			counted := v - one.low
			if one.star && r == treasureData {
				counted = v
			}
			if counted%one.step == 0 {
				bits |= 1 << v
			}
		}
	}
	return bits
}

// all are the bits of a field without restriction.
func (f *field) all() uint64 { return 1<<(f.high+1) - 1<<f.low }

// spec returns what an expression means to r.
func (x *expression) spec(r reading) *cron.SpecSchedule {
	s := &cron.SpecSchedule{
		Second: 1,
		Minute: x[minute].mask(&fields[minute], r),
		Hour:   x[hour].mask(&fields[hour], r),
		Dom:    x[monthDay].mask(&fields[monthDay], r),
		Month:  x[month].mask(&fields[month], r),
		Dow:    cron.NormalizeDOW(x[weekday].mask(&fields[weekday], r)),
	}
	switch r {
	case vixie:
		s.DowOrDom = !x[monthDay].begins() && !x[weekday].begins()
	case treasureData:
		if !x.conflict() {
			break
		}
		if monthDays, weekdays := calendar().weigh(s); monthDays > weekdays {
			s.Dow = fields[weekday].all()
		} else {
			s.Dom = fields[monthDay].all()
		}
	}
	return s
}

// conflict tells that both fields for days restrict them.
func (x *expression) conflict() bool {
	return x[monthDay].elements != nil && x[weekday].elements != nil
}
