package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// importName is the operation that the kinds with affect concern.
const importName = "POST " + importPath

// wrongPlan says what is wrong with a plan, and with which part of it.
type wrongPlan struct {
	part     string // faults, profiles or campaigns, or ""
	index    int    // in part
	endpoint string // the member of others, or ""
	text     string
}

func (w *wrongPlan) Error() string {
	if w.part != "" {
		return fmt.Sprintf("%s %d: %s", strings.TrimSuffix(w.part, "s"), w.index, w.text)
	}
	return w.text
}

// check returns the first thing that is wrong with a plan, as a *wrongPlan.
func (p *Plan) check() error {
	for i := range p.Faults {
		if wrong := p.Faults[i].wrong(); wrong != "" {
			return &wrongPlan{part: "faults", index: i, text: wrong}
		}
	}
	taken := map[string]bool{}
	for i := range p.Profiles {
		wrong := p.Profiles[i].wrong()
		for _, email := range p.Profiles[i].addresses() {
			if taken[strings.ToLower(email)] {
				wrong = cmp.Or(wrong, fmt.Sprintf("two profiles have %q", email))
			}
			taken[strings.ToLower(email)] = true
		}
		if wrong != "" {
			return &wrongPlan{part: "profiles", index: i, text: wrong}
		}
	}
	named := map[string]bool{}
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		wrong := c.wrong()
		if wrong == "" && c.ID != "" && named[c.ID] {
			wrong = fmt.Sprintf("two campaigns have the id %q", c.ID)
		}
		if named[c.ID] = true; wrong != "" {
			return &wrongPlan{part: "campaigns", index: i, text: wrong}
		}
	}
	if c := p.Consent; c != nil && c.wrong() != "" {
		return &wrongPlan{text: c.wrong()}
	}
	if found := []string{"", "any", "equals", "never"}; !slices.Contains(found, p.AlsoFound) {
		text := fmt.Sprintf("also_found: expected one of any, equals, never, got %q", p.AlsoFound)
		return &wrongPlan{text: text}
	}
	if !slices.Contains([]string{"", "stable", "shifting"}, p.Cursors) {
		return &wrongPlan{text: fmt.Sprintf("cursors: expected one of stable, shifting, got %q", p.Cursors)}
	}
	if _, err := time.Parse(time.DateOnly, p.Retirement); p.Retirement != "" && err != nil {
		text := fmt.Sprintf("retirement: expected a date such as 2028-07-15, got %q", p.Retirement)
		return &wrongPlan{text: text}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Others)) {
		if wrong := p.Others[name].wrong(name); wrong != "" {
			return &wrongPlan{endpoint: name, text: "others: " + wrong}
		}
	}
	return nil
}

func (o Others) wrong(name string) string {
	switch {
	case !slices.Contains(operationNames(), name):
		return fmt.Sprintf("unknown operation %q%s", name, suggest(name, operationNames()))
	case o.Minute < 0:
		return fmt.Sprintf("%s: minute: expected 0 or more, got %d", name, o.Minute)
	case o.Second < 0:
		return fmt.Sprintf("%s: second: expected 0 or more, got %d", name, o.Second)
	case o.Second > 0 && o.Minute > 60*o.Second:
		most := 60 * o.Second
		return fmt.Sprintf("%s: minute: expected at most %d with second: %d, got %d", name, most, o.Second, o.Minute)
	}
	return ""
}

func operationNames() (names []string) {
	for _, op := range operations {
		names = append(names, op.name())
	}
	return names
}

// wrong returns what is wrong with a fault, or "".
func (f *Fault) wrong() string {
	names := slices.Sorted(maps.Keys(kinds))
	k, ok := kinds[f.Do]
	switch {
	case f.Do == "":
		return "do is missing: expected one of " + strings.Join(names, ", ")
	case !ok:
		return fmt.Sprintf("do: unknown kind %q%s", f.Do, suggest(f.Do, names))
	case k.affect != nil && f.On != "" && f.On != "*" && f.On != importName:
		return fmt.Sprintf("on: expected %s for %s, got %q", importName, f.Do, f.On)
	case k.serve != nil && f.On == "":
		return `on is missing: expected a method and path such as GET /api/lists/{id}, or "*"`
	case f.On != "" && f.On != "*" && !slices.Contains(operationNames(), f.On):
		return fmt.Sprintf("on: unknown operation %q%s", f.On, suggest(f.On, append(operationNames(), "*")))
	case f.Skip < 0:
		return fmt.Sprintf("skip: expected 0 or more, got %d", f.Skip)
	case f.Every < 0:
		return fmt.Sprintf("every: expected 0 or more, got %d", f.Every)
	case f.Times < -1:
		return fmt.Sprintf("times: expected -1 or more, got %d", f.Times)
	case f.Percent < 0 || f.Percent > 100:
		return fmt.Sprintf("percent: expected 0 to 100, got %v", f.Percent)
	}
	wrong := f.wrongParameter(k)
	if wrong == "" && k.wrong != nil {
		wrong = k.wrong(f)
	}
	if wrong != "" {
		wrong = "kind " + f.Do + ": " + wrong
	}
	return wrong
}

// wrongParameter names a parameter that the kind does not take, or one with a value that it does not allow.
func (f *Fault) wrongParameter(k kind) string {
	taken := map[string][]string{}
	for _, p := range k.parameters {
		name, values, limited := strings.Cut(p, "=")
		taken[name] = nil
		if limited {
			taken[name] = strings.Split(values, ",")
		}
	}
	v := reflect.ValueOf(f).Elem()
	for i, name := range keyNames[Fault]() {
		values, ok := taken[name]
		switch {
		case v.Field(i).IsZero() || slices.Contains(everyKind, name):
		case !ok:
			return "does not take " + name
		case values != nil && !slices.Contains(values, v.Field(i).String()):
			return fmt.Sprintf("%s: expected one of %s, got %q", name, strings.Join(values, ", "), v.Field(i).String())
		case v.Field(i).CanInt() && v.Field(i).Int() < 0:
			return fmt.Sprintf("%s: expected 0 or more, got %v", name, v.Field(i))
		}
	}
	return ""
}

func wrongStatus(f *Fault) string {
	if f.Status == 0 {
		return "status is missing: expected 200 to 599"
	}
	return f.wrongAnswer(f.defaultAs())
}

func wrongLoss(f *Fault) string { return f.wrongAnswer("page") }

// wrongAnswer checks the parameters of an answer. as is the default of As.
func (f *Fault) wrongAnswer(as string) string {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Sprintf("status: expected 200 to 599, got %d", f.Status)
	case f.As != "" && f.Body != "":
		return "as and body cannot be combined"
	case f.Code != "" && (f.Body != "" || cmp.Or(f.As, as) != "error"):
		return "code has no effect without as: error"
	case f.Detail != "" && (f.Body != "" || cmp.Or(f.As, as) != "error" && cmp.Or(f.As, as) != "legacy"):
		return "detail has no effect without as: error or legacy"
	}
	return ""
}

func wrongThrottle(f *Fault) string {
	if f.RetryAfter != 0 && f.Window != "" {
		return "retry_after and window cannot be combined"
	}
	return ""
}

func wrongReport(f *Fault) string {
	if f.Report != nil && *f.Report < 0 {
		return fmt.Sprintf("report: expected 0 or more, got %d", *f.Report)
	}
	return ""
}

func wrongDelay(f *Fault) string {
	if f.Before == 0 && f.After == 0 {
		return "expected before or after, such as before: 2s"
	}
	return ""
}

func wrongTarget(f *Fault) string {
	u, err := url.Parse(f.To)
	switch {
	case f.To == "":
		return "to is missing: expected a URL with a host"
	case err != nil || u.Scheme == "" || u.Host == "":
		return fmt.Sprintf("to: expected a URL with a host, got %q", f.To)
	case f.Status != 0 && (f.Status < 300 || f.Status > 399):
		return fmt.Sprintf("status: expected 300 to 399, got %d", f.Status)
	}
	return ""
}

func wrongSize(f *Fault) string {
	if f.Profiles == 0 && f.Bytes == 0 {
		return "expected profiles or bytes, such as profiles: 1000"
	}
	return ""
}

func wrongPhones(f *Fault) string {
	if len(f.Phones) == 0 {
		return `phones is missing: expected patterns such as "+1900*"`
	}
	return ""
}
