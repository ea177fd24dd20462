package sink

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// need is what a command needs of the key (the specification's "Scopes" of each endpoint that it calls).
type need struct {
	command string
	scopes  []string
	flags   string   // with which it needs more
	more    []string // scopes
}

var needs = []need{
	{"add", []string{"lists:read", "lists:write", "profiles:write"}, "--wait and --verify", []string{"profiles:read"}},
	{"remove", []string{"lists:read", "lists:write", "profiles:write"}, "--by and --verify", []string{"profiles:read"}},
	{"subscribe", consentScopes, "--wait", []string{"profiles:read"}},
	{"unsubscribe", consentScopes, "--list-id, --list-name and --wait", []string{"profiles:read"}},
	{"wait", []string{"lists:read", "profiles:read"}, "", nil},
	{"members", []string{"lists:read", "profiles:read"}, "", nil},
	{"send", []string{"campaigns:read", "campaigns:write", "templates:read"}, "", nil},
}

// consentScopes are those of both consent endpoints. The list is looked up first.
var consentScopes = []string{"lists:read", "lists:write", "profiles:write", "subscriptions:write"}

// scopes is what was seen of a key's scopes: true where a request succeeded, false where Klaviyo refused it.
type scopes map[string]bool

// see notes what an answer that needs only one scope says about it.
func (s scopes) see(scope string, err error) {
	if err == nil || forbidden(err) {
		s[scope] = err == nil
	}
}

// findings say for each command which scopes it needs, and which of them were seen. A command whose scopes are known
// to be missing has a hint: the check of the scope itself fails.
func (s scopes) findings() iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for _, n := range needs {
			if !yield(s.finding(&n)) {
				return
			}
		}
	}
}

func (s scopes) finding(n *need) Finding {
	text := "needs " + strings.Join(n.scopes, ", ")
	if n.flags != "" {
		text += fmt.Sprintf("; with %s also %s", n.flags, strings.Join(n.more, ", "))
	}
	var seen, missing, writes []string
	for _, scope := range slices.Concat(n.scopes, n.more) {
		switch has, known := s[scope]; {
		case has:
			seen = append(seen, scope)
		case known:
			missing = append(missing, scope)
		case strings.HasSuffix(scope, ":write"):
			writes = append(writes, scope)
		}
	}
	if len(seen) > 0 {
		text += "; the key has " + strings.Join(seen, ", ")
	}
	if len(writes) > 0 {
		text += "; not checked, because only a change would show it: " + strings.Join(writes, ", ")
	}
	f := finding("command "+n.command, text, nil)
	if len(missing) > 0 {
		f.Hint = "give the key the scope " + strings.Join(missing, ", ") + " before you run " + n.command
		if slices.Contains(n.more, missing[0]) {
			f.Hint += " with " + n.flags
		}
	}
	return f
}
