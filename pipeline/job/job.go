// Package job reads the settings of a Treasure Data export, from a file of result_settings or a digdag workflow, and
// translates them into a command line (td-semantics.md sections 1.2, 2.1 and 2.2). Start reading at Read.
package job

import (
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"

	"klaviyo-export/pipeline/workflow"
)

// Settings are what a TD export says, in the words of our command line.
type Settings struct {
	Key              string // the private API key, "" where the file has none
	Operation        string // add, remove, subscribe or unsubscribe
	ListID, ListName string // at most one is set, for add and remove exactly one
	Wait             bool
	WaitTimeout      time.Duration // 0 where it is not given, and without Wait

	// For subscribe and unsubscribe: settings of ours.
	Channels    []string
	Everywhere  bool
	Historical  bool
	ConsentedAt string // column
	Source      string

	private func(word string) bool // reports whether CommandLine shows a word as ***; nil is never
}

// Options are what Read needs beside the file.
type Options struct {
	Task    string                      // +name or +a+b of a workflow's task; "" is the only one
	Set     map[string]string           // variables that win over those of _export; names have dots: td.database
	Secrets string                      // YAML file that is searched first for ${secret:…}; "" is none
	Keyless bool                        // the key comes from elsewhere: api_token is not resolved
	Env     func(string) (string, bool) // environment that is searched next, like os.LookupEnv; nil is none
}

// Read returns the settings in file. Its errors have one line for each fault, the most useful first: FILE:LINE: KEY:
// expected X, got Y. They never hold the key, a secret, or the value of a variable that the key is made of.
func Read(file string, o Options) (*Settings, error) {
	d, err := workflow.Read(file, workflow.Options{Set: o.Set, Secrets: o.Secrets, Env: o.Env})
	if err != nil {
		return nil, err
	}
	section := d.Export(o.Task)
	if section == nil {
		return nil, d.Err()
	}
	r := &reader{d, section, o.Keyless}
	values := r.values()
	if d.Failed() {
		return nil, d.Err()
	}
	return translate(values, d.Private), nil
}

// Args returns the words after the program's name of a command line that does what the settings say. They do not
// hold the key.
func (s *Settings) Args() []string {
	args := []string{s.Operation}
	flag := func(name, value string) {
		switch {
		case value == "":
		case strings.HasPrefix(value, "-"): // as a word of its own it would be read as a flag
			args = append(args, name+"="+value)
		default:
			args = append(args, name, value)
		}
	}
	flag("--channel", strings.Join(s.Channels, ","))
	flag("--list-id", s.ListID)
	flag("--list-name", s.ListName)
	if s.Everywhere {
		args = append(args, "--everywhere")
	}
	if s.Historical {
		args = append(args, "--historical")
	}
	flag("--consented-at", s.ConsentedAt)
	flag("--source", s.Source)
	if s.Wait {
		args = append(args, "--wait")
	}
	if s.WaitTimeout != 0 {
		brief := strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(s.WaitTimeout.String())
		args = append(args, "--wait-timeout", brief)
	}
	return args
}

// CommandLine returns the program's name and args, which are all the words after it, as a line for a POSIX shell.
// It shows *** for a word that contains the key or a secret. The first word, the command, is never one.
func (s *Settings) CommandLine(args []string) string {
	words := []string{"klaviyo-export"}
	for i, word := range args {
		if i > 0 && s.private != nil && s.private(word) {
			word = "***"
		}
		words = append(words, shellescape.Quote(word))
	}
	return strings.Join(words, " ")
}
