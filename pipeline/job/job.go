// Package job reads the settings of a Treasure Data export, from a file of result_settings or a digdag workflow
// (td-semantics.md sections 1.2, 2.1 and 2.2).
package job

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Settings are what a TD export says, in the words of our command line.
type Settings struct {
	Key              string // the private API key, "" where the file gives none
	Operation        string // add or remove
	ListID, ListName string // exactly one of the two
	Wait             bool
	WaitTimeout      time.Duration // 0 = not given, and without Wait

	private []string // what CommandLine shows as ***
}

// Options are what Read needs beside the file.
type Options struct {
	Task    string                      // +name or +a+b of a workflow's task; "" = the only one
	Set     map[string]string           // variables that win over those of _export, with dots: td.database
	Secrets string                      // YAML file that ${secret:…} is looked up in first; "" = none
	Keyless bool                        // the key comes from elsewhere: api_token is not looked at
	Env     func(string) (string, bool) // the environment, where it is looked up next, like os.LookupEnv
}

// Read returns the settings in file. Its errors have one line for each fault, FILE:LINE: what was found and what was
// meant, the most useful first; they never hold the key, a secret, or the value of a variable that the key is made of.
func Read(file string, o Options) (*Settings, error) {
	d := newDocument(file)
	root := d.load(file, nil)
	if d.failed() {
		return nil, d.err()
	}
	e := d.choose(root, o.Task)
	if d.failed() {
		return nil, d.err()
	}
	x := &expander{document: d, set: o.Set, scope: e.scope, env: o.Env, keyless: o.Keyless}
	if o.Secrets != "" {
		x.secrets = newDocument(o.Secrets)
		x.keys = x.secrets.load(o.Secrets, nil)
		if x.secrets.failed() {
			return nil, x.secrets.err()
		}
	}
	s := x.settings(e)
	return s, d.err()
}

// Args returns the words of the same command line after the program's name; the key is not among them.
func (s *Settings) Args() []string {
	list, value := "--list-id", s.ListID
	if s.ListName != "" {
		list, value = "--list-name", s.ListName
	}
	args := []string{s.Operation}
	if strings.HasPrefix(value, "-") { // as a word of its own it would be taken for a flag
		args = append(args, list+"="+value)
	} else {
		args = append(args, list, value)
	}
	if s.Wait {
		args = append(args, "--wait")
	}
	if s.WaitTimeout != 0 {
		args = append(args, "--wait-timeout", brief(s.WaitTimeout))
	}
	return args
}

// brief writes 1h0m0s as 1h.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// CommandLine returns the program's name and args as a line for a POSIX shell. A word that holds the key or a secret is shown as ***.
func (s *Settings) CommandLine(args []string) string {
	words := slices.Concat([]string{"klaviyo-export"}, args)
	for i, word := range words[2:] {
		if slices.ContainsFunc(s.private, func(p string) bool { return strings.Contains(word, p) }) {
			word = "***"
		}
		if !plainWord.MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words[i+2] = word
	}
	return strings.Join(words, " ")
}
