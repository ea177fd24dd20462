package state

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"
)

// holderFile is the name of the file that says who has a state open. bbolt's lock on the state itself is what counts.
func holderFile(name string) string { return name + ".lock" }

// writeHolder says that this process has the state open.
func writeHolder(name string) error {
	host, _ := os.Hostname()
	text := fmt.Sprintf("process %d on %s since %s\n", os.Getpid(), cmp.Or(host, "this host"), time.Now().UTC().Format(time.RFC3339))
	if err := os.WriteFile(holderFile(name), []byte(text), 0o600); err != nil {
		return &Error{fmt.Sprintf("write who uses the state: %v", err), "pass a state file in a folder that this user may write to"}
	}
	return nil
}

// inUse is the error of a state that another process has open.
func inUse(name string) error {
	by := "another process"
	if text, err := os.ReadFile(holderFile(name)); err == nil && len(text) < 1000 {
		by = strings.TrimSpace(string(text))
	}
	return &Error{
		fmt.Sprintf("the state %s is in use by %s", name, by),
		"wait until that run has ended; runs at the same time need a state file each",
	}
}
