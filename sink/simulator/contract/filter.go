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

// oneTerm is a comparison at the beginning of a filter: operator, field, then a list, a string or a bare time.
var oneTerm = regexp.MustCompile(`^([a-z-]+)\(([A-Za-z_.]+), ?(?:(\[` + quoted + `(?:, ?` + quoted + `)*\])|(` + quoted + `)|([^"'\[\]()]+))\)`)

// checkFilter reports what is wrong with a filter. allowed is the operation's x-klaviyo-filters.
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
			return errors.New("not operator(field,value)")
		}
		if err := checkTerm(found, object(allowed)); err != nil {
			return err
		}
		rest = strings.TrimLeft(rest[len(found[0]):], ")")
		if rest == "" {
			break
		}
		if rest[0] != ',' {
			return fmt.Errorf("a comma is missing before %s", rest)
		}
		rest = strings.TrimLeft(rest[1:], " ")
	}
	bare := regexp.MustCompile(quoted).ReplaceAllString(text, "")
	if strings.Count(bare, "(") != strings.Count(bare, ")") {
		return errors.New("the brackets don't match")
	}
	return nil
}

func checkTerm(found []string, allowed map[string]any) error {
	operator, field, list, str, bare := found[1], found[2], found[3], found[4], found[5]
	rule := object(allowed[field])
	if rule == nil {
		return fmt.Errorf("no filter on %s", field)
	}
	form := "single"
	if list != "" {
		form = "list"
	}
	operators, _ := object(rule["operators"])[form].([]any)
	if !slices.Contains(operators, any(operator)) {
		return fmt.Errorf("no %s with a %s on %s", operator, form, field)
	}
	value := object(rule["value"])
	if value["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339Nano, bare); err != nil {
			return fmt.Errorf("%s is no time", bare)
		}
		return nil
	}
	if bare != "" {
		return fmt.Errorf("%s is not quoted", bare)
	}
	if values, ok := value["enum"].([]any); ok && str != "" && !slices.Contains(values, any(str[1:len(str)-1])) {
		return fmt.Errorf("%s is none of %v", str, values)
	}
	return nil
}
