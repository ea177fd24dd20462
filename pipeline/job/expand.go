package job

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxExpansions = 1000    // of variables, in all of the settings
	maxExpanded   = 1 << 16 // bytes of a value
)

// expander replaces ${…} in the values of an export.
type expander struct {
	*document
	set     map[string]string
	scope   []*yaml.Node // the _export mappings that the export sees, the innermost last
	env     func(string) (string, bool)
	secrets *document  // nil without a file of secrets
	keys    *yaml.Node // what that holds

	private    bool // what is looked up becomes part of the key
	keyless    bool // the key is not looked at
	expansions int
}

// place is where an expression stands.
type place struct {
	at    string   // FILE:LINE
	in    string   // the setting or variable that holds it
	trail []string // the variables that led here
}

// expand returns text with each ${…} replaced, false after a fault.
func (x *expander) expand(text string, p place) (string, bool) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if out.Len() > maxExpanded {
			x.add(p.at, "%s is over %d bytes", p.in, maxExpanded)
			return "", false
		}
		if !found {
			return out.String(), true
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			x.add(p.at, "${ in %s has no }", p.in)
			return "", false
		}
		if x.expansions++; x.expansions > maxExpansions {
			x.add(p.at, "%s needs more than %d variables", p.in, maxExpansions)
			return "", false
		}
		value, ok := x.look(strings.TrimSpace(inside), p)
		if !ok {
			return "", false
		}
		if x.private {
			x.hide(value)
		}
		out.WriteString(value)
		text = after
	}
}

var (
	plainName = regexp.MustCompile(`^[\pL_][\pL\d_]*(\.[\pL_][\pL\d_]*)*$`)
	builtIn   = regexp.MustCompile(`^(session_(time|date|date_compact|local_time|tz_offset|unixtime|id|uuid)|(last|next)_session_\w+|` +
		`last_executed_session_time|attempt_id|project_id|task_name|timezone|td\.last_\w+(\.\w+)*)$`)
)

// look returns what an expression stands for, false after a fault.
func (x *expander) look(name string, p place) (string, bool) {
	if secret, is := strings.CutPrefix(name, "secret:"); is {
		return x.secret(strings.TrimSpace(secret), p)
	}
	if name == "" {
		x.add(p.at, "${} in %s names no variable", p.in)
		return "", false
	}
	if !plainName.MatchString(name) {
		if x.private {
			x.hide(name)
		}
		remedy := x.remedy("NAME")
		if !x.private {
			remedy += " and write ${NAME} there"
		}
		x.add(p.at, "${%s} in %s is an expression, which only digdag works out; %s", x.name(name), p.in, remedy)
		return "", false
	}
	if value, given := x.set[name]; given {
		if x.private {
			x.hide(value)
			x.add(p.at, "${%s} in %s: what --set gives stands in the list of processes, where the key must not be; %s", x.name(name), p.in, x.remedy(name))
			return "", false
		}
		if strings.Contains(value, "${") {
			x.add(p.at, "${%s} in %s: --set %s holds a ${…} of its own, its value is meant", x.name(name), p.in, x.name(name))
			return "", false
		}
		return value, true
	}
	if builtIn.MatchString(name) {
		x.add(p.at, "${%s} in %s: only digdag knows it; %s", x.name(name), p.in, x.remedy(name))
		return "", false
	}
	if slices.Contains(p.trail, name) {
		x.add(p.at, "${%s} in %s goes round in a circle: %s", x.name(name), p.in, x.name(strings.Join(append(p.trail, name), " → ")))
		return "", false
	}
	n := x.variable(name)
	if n == nil {
		others := slices.DeleteFunc(x.names(), func(other string) bool { return other == name }) // hidden by an inner _export
		x.add(p.at, "${%s} in %s is not defined%s; define it in _export or %s", x.name(name), p.in, suggest(name, others), x.remedy(name))
		return "", false
	}
	if !textual(n) {
		x.add(p.at, "${%s} in %s is %s (%s), a text is meant", x.name(name), p.in, describe(n), x.at(n))
		return "", false
	}
	return x.expand(n.Value, place{x.at(n), "the variable " + x.name(name), append(slices.Clip(p.trail), name)})
}

// remedy says how a variable gets its value, without the key on the command line.
func (x *expander) remedy(name string) string {
	if x.private {
		return "write ${secret:" + x.name(name) + "} in its place"
	}
	return "give --set " + x.name(name) + "=…"
}

// variable returns the value of a variable in the innermost _export that has it, nil if none has.
func (x *expander) variable(name string) *yaml.Node {
	parts := strings.Split(name, ".")
	for _, n := range slices.Backward(x.scope) {
		for i, part := range parts {
			if n = x.find(n, part); n == nil {
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

// names returns the names of all variables that can be used.
func (x *expander) names() (names []string) {
	for name := range x.set {
		names = append(names, name)
	}
	slices.Sort(names)
	seen := map[*yaml.Node]bool{}
	var gather func(n *yaml.Node, prefix string)
	gather = func(n *yaml.Node, prefix string) {
		if seen[n] || len(prefix) > maxShown || len(names) > maxExpansions {
			return
		}
		seen[n] = true
		for _, p := range x.pairs(n) {
			if value := target(p.value); value.Kind == yaml.MappingNode {
				gather(value, prefix+p.key.Value+".")
			} else if value.Kind == yaml.ScalarNode {
				names = append(names, prefix+p.key.Value)
			}
		}
	}
	for _, n := range slices.Backward(x.scope) {
		gather(n, "")
	}
	return names
}

// secret looks a secret up in the file of secrets, then in the environment. An empty one counts as not there.
func (x *expander) secret(name string, p place) (string, bool) {
	if name == "" {
		x.add(p.at, "${secret:} in %s names no secret", p.in)
		return "", false
	}
	value, missing := "", "no --secrets FILE is given, and the environment does not hold it"
	if x.secrets != nil {
		missing = "neither " + x.secrets.file + " nor the environment holds it"
		n := x.find(x.keys, name)
		if n == nil {
			n = (&expander{document: x.secrets, scope: []*yaml.Node{x.keys}}).variable(name)
		}
		switch {
		case n != nil && textual(n):
			value = strings.TrimSpace(n.Value)
		case n != nil && n.Tag != "!!null":
			x.add(x.secrets.at(n), "the secret %s is %s, a text is meant", x.name(name), describe(n))
			return "", false
		}
	}
	variable := environmentName(name)
	if value == "" && x.env != nil {
		value, _ = x.env(variable)
		value = strings.TrimSpace(value)
	}
	if value == "" {
		x.add(p.at, "${secret:%s} in %s: %s (%s)", x.name(name), p.in, missing, x.name(variable))
		return "", false
	}
	x.hide(value)
	return value, true
}

// environmentName returns the environment variable that stands for a secret: A_B for a.b.
func environmentName(secret string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, secret)
}
