package cli

import (
	"os"
	"regexp"
	"testing"
)

// The program names the newest version of CHANGELOG.md, so that a report says which changes its run had.
func TestVersionIsNewestInChangelog(t *testing.T) {
	changes, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	newest := regexp.MustCompile(`(?m)^## (\d\S*)`).FindSubmatch(changes)
	if newest == nil || string(newest[1]) != release {
		t.Errorf("CHANGELOG.md: expected %s in the first heading of a version, got %q", release, newest)
	}
	if commit = "0123456789ab"; version() != release+"+0123456789ab" {
		t.Errorf("expected the commit behind the version, got %s", version())
	}
	commit = ""
}
