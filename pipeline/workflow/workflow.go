// Package workflow reads .dig files: digdag workflows, and files of settings alone (td-semantics.md sections 2.1 to
// 2.3). Packages job and schedule know what the values mean; what a value is, with includes, merge keys, variables
// and secrets, is decided here, once for both. Start reading at Read.
package workflow

import (
	"go.yaml.in/yaml/v4"
)

// Keys are the keys of result_settings: TD's in its order, then ours for consent.
var Keys = []string{
	"type", keyOfKey, "operation", "list_identify_type", "list_value",
	"wait_for_completion", "waiting_time_for_completion_millis",
	"channels", "everywhere", "historical_import", "consented_at", "custom_source",
}

// keyOfKey is the key of result_settings whose value is the private API key.
const keyOfKey = "api_token"

// Options say where variables and secrets come from, apart from the file itself.
type Options struct {
	Set     map[string]string           // variables that win over those of _export; names have dots: td.database
	Secrets string                      // YAML file that is searched first for ${secret:…}; "" is none
	Env     func(string) (string, bool) // environment that is searched next, like os.LookupEnv; nil is none
}

// Document is a file with its includes in place. Its methods collect faults, which Err returns. It is for one
// goroutine.
type Document struct {
	*source
	root    *yaml.Node
	set     map[string]string
	env     func(string) (string, bool)
	secrets *source    // nil without a file of secrets
	keys    *yaml.Node // the mapping in that file

	private    bool // the value that is being resolved is the key
	expansions int  // of variables so far
	listed     bool // a fault has listed all known keys
}

// Member is a key of a mapping, with its value and its place.
type Member struct {
	Key   string
	At    string // FILE:LINE of the key
	value *yaml.Node
	scope []*yaml.Node // the _export mappings that the value sees, the innermost last
}

// Section is a mapping: the settings of an export, or a schedule.
type Section struct {
	Member           // the key that holds the section; Key is "" where the section is a whole file
	Members []Member // those of merge keys come last
	Beside  []Member // the members of the mapping that holds the section
}

// Read returns the document in file. Its error, like all errors of a document, has one line for each fault, at most
// 11 lines, of the form FILE:LINE: KEY: expected X, got Y. Errors never hold the key, a secret, or the value of a
// variable that the key is made of.
func Read(file string, o Options) (*Document, error) {
	d := &Document{source: newSource(file), set: o.Set, env: o.Env}
	if d.root = d.load(file, nil); d.Failed() {
		return nil, d.Err()
	}
	if o.Secrets != "" {
		d.secrets = newSource(o.Secrets)
		if d.keys = d.secrets.load(o.Secrets, nil); d.secrets.Failed() {
			return nil, d.secrets.Err()
		}
	}
	return d, nil
}

// Member returns a member of the file's own mapping. It is false when there is none.
func (d *Document) Member(key string) (Member, bool) {
	scope, _ := d.exports(d.root, nil)
	for _, p := range d.pairs(d.root) {
		if p.key.Value == key {
			return d.member(p, scope), true
		}
	}
	return Member{}, false
}

// Section returns the mapping that a key of the file's own mapping holds, nil after a fault. What was expected is
// for the fault that another kind of value is.
func (d *Document) Section(key, expected string) *Section {
	m, ok := d.Member(key)
	if !ok {
		d.add(d.file, "", "expected %s: at the top level, got none", key)
		return nil
	}
	return d.section(m, nil, expected)
}

// section returns the mapping that a member holds, nil after a fault.
func (d *Document) section(m Member, beside []pair, expected string) *Section {
	if m.value.Kind != yaml.MappingNode {
		d.Fault(m, "expected %s, got %s", expected, m.Kind())
		return nil
	}
	return &Section{Member: m, Members: d.members(d.pairs(m.value), m.scope), Beside: d.members(beside, m.scope)}
}

func (d *Document) members(pairs []pair, scope []*yaml.Node) (members []Member) {
	for _, p := range pairs {
		members = append(members, d.member(p, scope))
	}
	return members
}

func (d *Document) member(p pair, scope []*yaml.Node) Member {
	return Member{p.key.Value, d.at(p.key), target(p.value), scope}
}

// Kind says what the value is in the file, before variables are replaced.
func (m Member) Kind() Kind { return kindOf(m.value) }

// Text returns a member's value with variables and secrets in place. It is false after a fault, which says what was
// expected where the value is no text. What api_token holds is private from then on.
func (d *Document) Text(m Member, expected string) (string, bool) {
	if !textual(m.value) {
		d.Fault(m, "expected %s, got %s", expected, m.Kind())
		return "", false
	}
	d.private = m.Key == keyOfKey
	defer func() { d.private = false }()
	text, ok := d.expand(m.value.Value, place{at: m.At, in: d.name(m.Key), scope: m.scope})
	if d.private {
		d.hide(text)
	}
	return text, ok
}

// Fault notes what is wrong with a member.
func (d *Document) Fault(m Member, format string, args ...any) {
	if m.Key == "" && m.value == nil {
		d.add(m.At, "", format, args...)
		return
	}
	d.add(m.At, d.name(m.Key), format, args...)
}

// Unknown notes that a member's key is not a known one, and returns the known one that resembles it, or "".
func (d *Document) Unknown(m Member, known []string) string {
	near := Nearest(m.Key, known)
	switch {
	case near != "":
		d.Fault(m, "unknown key, did you mean %s?", near)
	case d.listed:
		d.Fault(m, "unknown key")
	default:
		d.listed = true
		d.Fault(m, "unknown key, expected %s", enumerate(known))
	}
	return near
}
