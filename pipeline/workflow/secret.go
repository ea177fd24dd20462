package workflow

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// secret looks a secret up in the file of secrets, then in the environment. An empty secret is not defined.
func (d *Document) secret(name string, p place) (string, bool) {
	if name == "" {
		d.add(p.at, p.in, "${secret:} names no secret")
		return "", false
	}
	value, remedy := "", "pass --secrets FILE"
	if d.secrets != nil {
		remedy = "define it in " + d.secrets.file
		n := d.secrets.find(d.keys, name)
		if n == nil {
			n = d.secrets.variable(name, []*yaml.Node{d.keys})
		}
		switch {
		case n != nil && textual(n):
			value = strings.TrimSpace(n.Value)
		case n != nil && kindOf(n) != Nothing:
			d.add(d.secrets.at(n), d.name(name), "expected a text, got %s", kindOf(n))
			return "", false
		}
	}
	variable := environmentName(name)
	if value == "" && d.env != nil {
		value, _ = d.env(variable)
		value = strings.TrimSpace(value)
	}
	if value == "" {
		d.add(p.at, p.in, "${secret:%s} is not defined; %s or set %s", d.name(name), remedy, d.name(variable))
		return "", false
	}
	d.hide(value)
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
