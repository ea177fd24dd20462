package contract

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const quoted = `(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`

// oneTerm is a comparison at the start of a filter: operator, field, then a list, a string or a bare time.
var oneTerm = regexp.MustCompile(`^([a-z-]+)\(([A-Za-z_.]+), ?` +
	`(?:(\[` + quoted + `(?:, ?` + quoted + `)*\])|(` + quoted + `)|([^"'\[\]()]+))\)`)

// checkFilter returns what is wrong with a filter. allowed is the operation's x-klaviyo-filters.
func checkFilter(text string, allowed any) error {
	rest := text
	for {
		inner, isAnd := strings.CutPrefix(rest, "and(")
		if isAnd {
			rest = inner
			continue
		}
		found := oneTerm.FindStringSubmatch(rest)
		if found == nil {
			return fmt.Errorf("expected operator(field,value), got %q", rest)
		}
		if err := checkTerm(found, object(allowed)); err != nil {
			return err
		}
		rest = strings.TrimLeft(rest[len(found[0]):], ")")
		if rest == "" {
			break
		}
		if rest[0] != ',' {
			return fmt.Errorf("expected a comma before %q", rest)
		}
		rest = strings.TrimLeft(rest[1:], " ")
	}
	bare := regexp.MustCompile(quoted).ReplaceAllString(text, "")
	if strings.Count(bare, "(") != strings.Count(bare, ")") {
		return errors.New("expected as many closing as opening brackets")
	}
	return nil
}

func checkTerm(found []string, allowed map[string]any) error {
	operator, field, list, str, bare := found[1], found[2], found[3], found[4], found[5]
	rule := object(allowed[field])
	if rule == nil {
		return fmt.Errorf("%s cannot be filtered", field)
	}
	form := "single"
	if list != "" {
		form = "list"
	}
	operators, _ := object(rule["operators"])[form].([]any)
	if !slices.Contains(operators, any(operator)) {
		return fmt.Errorf("%s does not allow %s with a %s value", field, operator, form)
	}
	value := object(rule["value"])
	if value["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339Nano, bare); err != nil {
			return fmt.Errorf("expected a time, got %q", bare)
		}
		return nil
	}
	if bare != "" {
		return fmt.Errorf("expected a quoted value, got %q", bare)
	}
	if values, ok := value["enum"].([]any); ok && str != "" && !slices.Contains(values, any(str[1:len(str)-1])) {
		return fmt.Errorf("expected one of %v, got %s", values, str)
	}
	return nil
}
