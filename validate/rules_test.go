package validate

import (
	stdjson "encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"klaviyo-export/validate/phone"
)

// Rows of the names and values that matter get the result and the profile that the rules of expected demand.
func TestRules(t *testing.T) {
	checkers := ruleCheckers(t)
	column := rapid.SampledFrom([]string{
		"email", "em\\u0061il", "EMAIL", "phone_number", "external_id", "_kx", "title", "city", "zip", "country",
		"latitude",
		"a", "b", "x", "\\u0078", "d", "", "$a", "\\u0024a", "profile_id", "location", "properties", "loc\\u0061tion",
		"at", "\\ufeffat", "location.city", "properties.b",
		"é", "\\u00e9", " x", "\\ufeffx", "\\ufeffprofile_id", "'x'", "x\\u200b",
	})
	value := rapid.SampledFrom([]string{
		"null", "null", `"a@b.co"`, `" a\u0040b.co"`, `"A@B.CO\t"`, `"JP"`, `"us"`, `"Japan"`,
		`"Germany"`, `"+12015550123"`, `"(201) 555-0123"`, `"090-1234-5678"`, `"491712345678"`, `"030901820.0"`,
		`"2024-01-08 06:30:00+09"`, `"2024-01-08T06:30:00Z"`, `"2024-01-08"`, `"1980-01-01T00:00:00Z"`,
		`" "`, `""`, `"x"`, "1", "-1.50e+3", "true", "{}", "[]", `[{"a":1,"a":2}]`, `{"x":1}`,
	})
	rapid.Check(t, func(t *rapid.T) {
		object := func(values *rapid.Generator[string], label string) string {
			var b strings.Builder
			for i := range rapid.IntRange(0, 5).Draw(t, label) {
				if i > 0 {
					b.WriteString(rapid.SampledFrom([]string{",", " , "}).Draw(t, "comma"))
				}
				colon := rapid.SampledFrom([]string{":", ": ", " :"}).Draw(t, "colon")
				b.WriteString(`"` + column.Draw(t, "name") + `"` + colon + values.Draw(t, "value"))
			}
			return b.String()
		}
		nested := rapid.Custom(func(t *rapid.T) string { return value.Draw(t, "scalar") })
		row := "{" + object(value, "members")
		for _, name := range []string{"email", "EMAIL", "profile_id", "location", "properties", "phone_number", "at"} {
			if rapid.Bool().Draw(t, name) {
				v := `"a@b.co"`
				switch name {
				case "phone_number":
					v = `"+12015550123"`
				case "at":
					v = `"2024-01-08 06:30:00.5+09"`
				case "profile_id":
					v = `"P"`
				case "location", "properties":
					v = "{" + object(nested, name) + "}"
				}
				row += `,"` + name + `":` + v
			}
		}
		row = strings.Replace(row, "{,", "{", 1) + "}"
		var scratch Scratch
		var out Rows
		for _, c := range checkers {
			for range 2 {
				out.Reset()
				c.Check([]byte(row), false, &scratch, &out)
				compare(t, c, row, &out)
			}
		}
	})
}

// ruleCheckers are the checkers whose results expected knows.
func ruleCheckers(t testing.TB) []*Checker {
	mapped := map[string]string{"a": "properties.b", "x": "city", "EMAIL": "email"}
	return []*Checker{
		checker(t, Options{}),
		checker(t, Options{Operation: Remove}),
		checker(t, Options{DefaultCountry: "US", Map: mapped, Drop: []string{"d"}}),
		checker(t, Options{DefaultCountry: "DE", Empty: Null, BadPhone: Drop}),
		checker(t, Options{Operation: Subscribe, Channels: allChannels, ConsentedAt: "at", DefaultCountry: "US"}),
		checker(t, Options{Operation: Subscribe, Channels: SMSMarketing, BadPhone: Drop, DefaultCountry: "DE"}),
		checker(t, Options{Operation: Unsubscribe, Channels: EmailMarketing | SMSTransactional, By: "phone_number"}),
		checker(t, Options{Operation: Unsubscribe, Channels: EmailMarketing}),
		checker(t, Options{Nulls: Clear}),
		checker(t, Options{Nulls: Clear, Empty: Null, BadPhone: Drop, Map: mapped, Drop: []string{"d"}}),
	}
}

// expected applies the rules to a decoded row. It returns what becomes of the row.
func expected(c *Checker, row []pair) *expectation {
	e := &expectation{checker: c, ok: !twice(row)}
	if c.emptyIsNull {
		row = withoutEmpty(row)
	}
	for _, m := range row {
		if text, ok := m.value.(string); ok && (m.name == "country" || e.goesTo(m.name) == "location.country") {
			e.country = text
		}
		if object, ok := m.value.([]pair); ok && m.name == "location" && e.goesTo("location") == "location" {
			e.ok = e.ok && !twice(object)
			for _, n := range object {
				if text, ok := n.value.(string); ok && n.name == "country" {
					e.country = text
				}
			}
		}
	}
	if c.operation.consents() {
		e.consent(row)
		return e
	}
	for _, m := range row {
		e.top(m)
	}
	if c.operation == Remove {
		e.profile = []pair{{"type", "profile"}, {"id", e.key}}
		e.ok = e.ok && e.key != ""
		return e
	}
	for _, list := range [][]pair{e.attributes, e.location, slices.Concat(e.properties, e.unset)} {
		e.ok = e.ok && !twice(list)
	}
	if len(e.location) > 0 {
		e.attributes = append(e.attributes, pair{"location", e.location})
	}
	if len(e.properties) > 0 {
		e.attributes = append(e.attributes, pair{"properties", e.properties})
	}
	e.profile = []pair{{"type", "profile"}, {"attributes", e.attributes}}
	if len(e.unset) > 0 {
		var names []any
		for _, m := range e.unset {
			names = append(names, m.name)
		}
		e.profile = append(e.profile, pair{"meta", []pair{{"patch_properties", []pair{{"unset", names}}}}})
	}
	e.ok = e.ok && e.key != ""
	return e
}

// withoutEmpty returns the row with nulls for the empty strings in it and in its location and properties.
func withoutEmpty(row []pair) []pair {
	row = slices.Clone(row)
	for i, m := range row {
		if list, ok := m.value.([]pair); ok && (m.name == "location" || m.name == "properties") {
			row[i].value = withoutEmpty(list)
		}
		if m.value == "" {
			row[i].value = nil
		}
	}
	return row
}

var (
	markedName = regexp.MustCompile(`^[\p{Z}]|[\p{Cc}\p{Cf}]|[\p{Z}]$`)
	flagTags   = regexp.MustCompile(`[\x{e0001}\x{e0020}-\x{e007f}]`)
	quotedName = regexp.MustCompile("(?s)^[\"'`“‘].|.[\"'`”’]$")
	quotesName = regexp.MustCompile("^[\"'`“‘][\"'`”’]$")
)

// blemished reports whether a name has something around it, or an invisible character in it.
func blemished(name string) bool {
	return markedName.MatchString(flagTags.ReplaceAllString(name, "x")) ||
		quotedName.MatchString(name) && !quotesName.MatchString(name)
}

// twice reports whether two members have one name.
func twice(members []pair) bool {
	seen := map[string]bool{}
	for _, m := range members {
		if seen[m.name] {
			return true
		}
		seen[m.name] = true
	}
	return false
}

// expectation is what becomes of a row: its profile, or ok is false for a row that must be rejected.
type expectation struct {
	checker                          *Checker
	country, key                     string
	attributes, location, properties []pair
	profile                          []pair
	unset                            []pair // the properties that are cleared
	values                           int64  // how many columns have a value
	ok, droppedPhone                 bool
}

const (
	attributeNames = " email phone_number external_id _kx first_name last_name organization locale title image "
	locationNames  = " address1 address2 city country region zip timezone ip latitude longitude "
)

// goesTo returns where the checkers of ruleCheckers send a column, "" for nowhere.
func (e *expectation) goesTo(column string) string {
	if e.checker.operation == Remove {
		if column == "profile_id" {
			return column
		}
		return ""
	}
	if c := e.checker; c.operation.consents() {
		phones := c.required == "phone_number" || c.channels&smsChannels != 0
		switch {
		case column == "email" && (c.required == "email" || c.channels&EmailMarketing != 0),
			(column == "phone_number" || column == "location") && phones, column == "at" && c.consentedAt != "":
			return column
		case column == "country" && phones:
			return "location.country"
		}
		return ""
	}
	if e.checker.renames {
		switch column {
		case "a":
			return "properties.b"
		case "x":
			return "location.city"
		case "EMAIL":
			return "email"
		case "d":
			return ""
		}
	}
	switch {
	case strings.Contains(column, " "):
	case strings.Contains(locationNames, " "+column+" "):
		return "location." + column
	case strings.Contains(attributeNames, " "+column+" "), column == "location", column == "properties":
		return column
	}
	return "properties." + column
}

// top adds a member of the row.
func (e *expectation) top(m pair) {
	to := e.goesTo(m.name)
	if blemished(m.name) && (e.checker.operation == Add || bareName(m.name) == "profile_id") {
		e.ok = false
	}
	if m.value == nil {
		e.member(to, nil)
		return
	}
	e.values++
	if to == "" {
		return
	}
	text, isText := m.value.(string)
	list, isObject := m.value.([]pair)
	switch to {
	case "profile_id":
		text = strings.TrimSpace(text)
		e.ok = e.ok && isText && validProfileID([]byte(text))
		e.key = text
	case "email":
		if text = strings.TrimSpace(text); isText && text == "" {
			e.values-- // an empty email counts as null
			return
		}
		e.ok = e.ok && isText && validEmail([]byte(text))
		if m.name == e.checker.required {
			e.key = text
		}
		e.attributes = append(e.attributes, pair{to, text})
	case "phone_number":
		e.phone(text, isText)
	case "location", "properties":
		e.ok = e.ok && isObject && !twice(list)
		e.values--
		for _, n := range list {
			if n.value != nil {
				e.values++
			}
			e.ok = e.ok && !blemished(n.name)
			e.member(to+"."+n.name, n.value)
		}
	default:
		e.member(to, m.value)
	}
}

func (e *expectation) phone(text string, isText bool) {
	e.ok = e.ok && isText
	if text = strings.TrimSpace(text); text == "" {
		e.values--
		return
	}
	region := e.checker.country
	if country := strings.TrimSpace(e.country); country != "" {
		region = phone.Country([]byte(country))
	}
	number, ok := phone.Append(nil, []byte(text), region)
	if !ok && e.checker.dropPhones {
		e.droppedPhone = true
		e.values--
		return
	}
	e.ok = e.ok && ok
	e.attributes = append(e.attributes, pair{"phone_number", string(number)})
}

// member adds a value at the path to.
func (e *expectation) member(to string, value any) {
	if value == nil {
		if name, ok := strings.CutPrefix(to, "properties."); ok && e.checker.clearNulls {
			e.ok = e.ok && name != "" && name[0] != '$'
			e.unset = append(e.unset, pair{name, nil})
		}
		return
	}
	text, isText := value.(string)
	if name, ok := strings.CutPrefix(to, "location."); ok {
		_, isNumber := value.(stdjson.Number)
		known := !strings.Contains(name, " ") && name != "" && strings.Contains(locationNames, " "+name+" ")
		e.ok = e.ok && known && (isText || isNumber && strings.HasSuffix(name, "itude"))
		e.location = append(e.location, pair{name, value})
	} else if name, ok := strings.CutPrefix(to, "properties."); ok {
		e.ok = e.ok && name != "" && name[0] != '$'
		e.properties = append(e.properties, pair{name, value})
	} else {
		e.ok = e.ok && isText && (to != "external_id" || utf8.RuneCountInString(text) <= 255)
		e.attributes = append(e.attributes, pair{to, value})
	}
}

// consent applies the rules of Subscribe and Unsubscribe.
func (e *expectation) consent(row []pair) {
	c := e.checker
	values := map[string]any{} // of the columns that are read, without nulls and empty identifiers
	countries := 0
	for _, m := range row {
		to := e.goesTo(m.name)
		e.ok = e.ok && !(blemished(m.name) && e.goesTo(bareName(m.name)) != "")
		text, isText := m.value.(string)
		if m.value == nil || (to == "email" || to == "phone_number") && isText && strings.TrimSpace(text) == "" {
			continue
		}
		if to != "location" {
			e.values++
			values[to] = m.value
		} else {
			list, _ := m.value.([]pair)
			for _, n := range list {
				e.ok = e.ok && !blemished(n.name)
				if n.value != nil {
					e.values++
				}
				if n.name == "country" && n.value != nil {
					values["location.country"] = n.value
					countries++
				}
			}
		}
		if to == "location.country" {
			countries++
		}
	}
	e.ok = e.ok && countries < 2
	var identifiers []pair
	channels := Channels(0)
	if value, there := values["email"]; there {
		text, isText := value.(string)
		text = strings.TrimSpace(text)
		e.ok = e.ok && isText && validEmail([]byte(text))
		identifiers = append(identifiers, pair{"email", text})
		channels |= c.channels & EmailMarketing
	}
	if value, there := values["phone_number"]; there {
		text, isText := value.(string)
		_, isCountry := values["location.country"].(string)
		e.ok = e.ok && isText && (values["location.country"] == nil || isCountry)
		region := c.country
		if country := strings.TrimSpace(e.country); country != "" {
			region = phone.Country([]byte(country))
		}
		number, ok := phone.Append(nil, []byte(strings.TrimSpace(text)), region)
		if ok {
			identifiers = append(identifiers, pair{"phone_number", string(number)})
			channels |= c.channels & smsChannels
		}
		e.ok = e.ok && (ok || c.dropPhones)
	}
	at := ""
	if c.consentedAt != "" {
		text, _ := values["at"].(string)
		instant, reason := parseTime([]byte(strings.TrimSpace(text)))
		e.ok = e.ok && text != "" && reason == "" && instant.Year() >= 1990
		at = instant.Format(utcForm)
	}
	e.ok = e.ok && channels != 0 && slices.ContainsFunc(identifiers, func(p pair) bool { return p.name == c.required })
	e.profile = identifiers
	if c.operation == Unsubscribe {
		return
	}
	leaf := []pair{{"consent", "SUBSCRIBED"}}
	if at != "" {
		leaf = append(leaf, pair{"consented_at", at})
	}
	var sms, subscriptions []pair
	if channels&EmailMarketing != 0 {
		subscriptions = append(subscriptions, pair{"email", []pair{{"marketing", leaf}}})
	}
	if channels&SMSMarketing != 0 {
		sms = append(sms, pair{"marketing", leaf})
	}
	if channels&SMSTransactional != 0 {
		sms = append(sms, pair{"transactional", leaf})
	}
	if len(sms) > 0 {
		subscriptions = append(subscriptions, pair{"sms", sms})
	}
	e.profile = []pair{{"type", "profile"}, {"attributes", append(identifiers, pair{"subscriptions", subscriptions})}}
}
