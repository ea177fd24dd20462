package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The lines around a generated part of a page. The first one ends with the part's name.
const (
	begin = `.\" begin generated: `
	end   = `.\" end generated`
)

// fill puts the parts between their markers. Each part has exactly one place in the page.
func fill(page string, parts map[string]string) (string, error) {
	var out strings.Builder
	inside, missing := "", maps.Clone(parts)
	for number, line := range slices.Collect(strings.Lines(page)) {
		name, begins := strings.CutPrefix(strings.TrimRight(line, "\n"), begin)
		ends := strings.TrimRight(line, "\n") == end
		switch {
		case begins && inside != "":
			return "", fmt.Errorf("line %d: expected %q after the part %q, got %q", number+1, end, inside, begin+name)
		case ends && inside == "":
			return "", fmt.Errorf("line %d: %q ends no part", number+1, end)
		case begins:
			text, ok := missing[name]
			if !ok {
				return "", fmt.Errorf("line %d: the part %q is unknown or has a place already", number+1, name)
			}
			delete(missing, name)
			inside = name
			out.WriteString(line + text)
		case ends:
			inside = ""
			out.WriteString(line)
		case inside == "":
			out.WriteString(line)
		}
	}
	switch {
	case inside != "":
		return "", fmt.Errorf("the part %q has no end: add the line %q", inside, end)
	case len(missing) > 0:
		name := slices.Sorted(maps.Keys(missing))[0]
		return "", fmt.Errorf("the part %q has no place: add the lines %q and %q", name, begin+name, end)
	}
	return out.String(), nil
}
