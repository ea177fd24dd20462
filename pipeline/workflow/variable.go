package workflow

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxExpansions = 1000    // of variables, in a whole document
	maxExpanded   = 1 << 16 // bytes of a value
	maxCompared   = 200     // names that a misspelt one is compared with
)

// place is where an expression is.
type place struct {
	at    string // FILE:LINE
	in    string // the key or variable that holds it, as a fault shows it
	scope []*yaml.Node
	trail []string // the variables that led here
}

// expand returns text with each ${…} replaced, false after a fault.
func (d *Document) expand(text string, p place) (string, bool) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if out.Len() > maxExpanded {
			d.add(p.at, p.in, "expected at most %d bytes, got more", maxExpanded)
			return "", false
		}
		if !found {
			return out.String(), true
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			d.add(p.at, p.in, "${ has no }")
			return "", false
		}
		if d.expansions++; d.expansions > maxExpansions {
			d.add(p.at, p.in, "expected at most %d variables, got more", maxExpansions)
			return "", false
		}
		value, ok := d.look(strings.TrimSpace(inside), p)
		if !ok {
			return "", false
		}
		if d.private {
			d.hide(value)
		}
		out.WriteString(value)
		text = after
	}
}

var (
	plainName = regexp.MustCompile(`^[\pL_][\pL\d_]*(\.[\pL_][\pL\d_]*)*$`)
	builtIn   = regexp.MustCompile(`^(session_(time|date|date_compact|local_time|tz_offset|unixtime|id|uuid)|` +
		`(last|next)_session_\w+|last_executed_session_time|attempt_id|project_id|task_name|timezone|` +
		`td\.last_\w+(\.\w+)*)$`)
)

// look returns what an expression stands for, false after a fault.
func (d *Document) look(name string, p place) (string, bool) {
	if secret, is := strings.CutPrefix(name, "secret:"); is {
		return d.secret(strings.TrimSpace(secret), p)
	}
	if name == "" {
		d.add(p.at, p.in, "${} names no variable")
		return "", false
	}
	if !plainName.MatchString(name) {
		if d.private {
			d.hide(name)
		}
		remedy := d.remedy("NAME")
		if !d.private {
			remedy += " and write ${NAME} instead"
		}
		d.add(p.at, p.in, "${%s} is an expression, which only digdag evaluates; %s", d.name(name), remedy)
		return "", false
	}
	if value, given := d.set[name]; given {
		return d.given(name, value, p)
	}
	if builtIn.MatchString(name) {
		d.add(p.at, p.in, "${%s} is known only to digdag; %s", d.name(name), d.remedy(name))
		return "", false
	}
	if slices.Contains(p.trail, name) {
		trail := strings.Join(append(p.trail, name), " → ")
		d.add(p.at, p.in, "${%s} refers to itself: %s", d.name(name), d.name(trail))
		return "", false
	}
	n := d.variable(name, p.scope)
	if n == nil {
		hidden := func(other string) bool { return other == name } // by an inner _export
		others := slices.DeleteFunc(d.names(p.scope), hidden)
		d.add(p.at, p.in, "${%s} is not defined%s; define it in _export or %s",
			d.name(name), suggest(name, others), d.remedy(name))
		return "", false
	}
	if !textual(n) {
		d.add(p.at, p.in, "${%s}: expected a text, got %s (%s)", d.name(name), kindOf(n), d.at(n))
		return "", false
	}
	return d.expand(n.Value, place{d.at(n), d.name(name), p.scope, append(slices.Clip(p.trail), name)})
}

// given returns the value that --set gives a variable, false after a fault.
func (d *Document) given(name, value string, p place) (string, bool) {
	switch {
	case d.private:
		d.hide(value)
		d.add(p.at, p.in, "${%s} comes from --set, and the list of processes would show the key; %s",
			d.name(name), d.remedy(name))
	case strings.Contains(value, "${"):
		d.add(p.at, p.in, "${%s}: expected a plain value from --set, got one with ${…}", d.name(name))
	default:
		return value, true
	}
	return "", false
}

// remedy says how a variable gets its value, without the key on the command line.
func (d *Document) remedy(name string) string {
	if d.private {
		return "write ${secret:" + d.name(name) + "} instead"
	}
	return "pass --set " + d.name(name) + "=VALUE"
}

// variable returns the value of a variable in the innermost mapping that has it, nil if none has.
func (s *source) variable(name string, scope []*yaml.Node) *yaml.Node {
	parts := strings.Split(name, ".")
	for _, n := range slices.Backward(scope) {
		for i, part := range parts {
			if n = s.find(n, part); n == nil {
				break
			}
			if i+1 == len(parts) {
				return n
			}
			if n.Kind != yaml.MappingNode {
				return nil
			}
		}
	}
	return nil
}

// names returns the names of the variables that a scope has, at most maxCompared: those of --set, then the innermost.
func (d *Document) names(scope []*yaml.Node) (names []string) {
	for name := range d.set {
		names = append(names, name)
	}
	slices.Sort(names)
	seen := map[*yaml.Node]bool{}
	var gather func(n *yaml.Node, prefix string)
	gather = func(n *yaml.Node, prefix string) {
		if seen[n] || len(prefix) > maxShown {
			return
		}
		seen[n] = true
		for _, p := range d.pairs(n) {
			if len(names) >= maxCompared {
				return
			}
			if value := target(p.value); value.Kind == yaml.MappingNode {
				gather(value, prefix+p.key.Value+".")
			} else if value.Kind == yaml.ScalarNode {
				names = append(names, prefix+p.key.Value)
			}
		}
	}
	for _, n := range slices.Backward(scope) {
		gather(n, "")
	}
	return names
}
