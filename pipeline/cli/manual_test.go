package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every flag of every command is in the manual page.
func TestManualHasAllFlags(t *testing.T) {
	text, err := os.ReadFile("../../man/klaviyo-export.1")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), `\-`, "-")
	err = kong.Visit(Model(), func(node kong.Visitable, next kong.Next) error {
		switch n := node.(type) {
		case *kong.Flag:
			if !regexp.MustCompile(`Fl -(\\&)?` + n.Name + `\b`).MatchString(page) {
				t.Errorf("the manual lacks --%s", n.Name)
			}
		case *kong.Command:
			if !strings.Contains(page, "Cm "+n.Name) && !strings.Contains(page, "Ic "+n.Name) {
				t.Errorf("the manual lacks the command %s", n.Name)
			}
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
}
