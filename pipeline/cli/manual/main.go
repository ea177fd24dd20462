// Command manual writes the parts of a manual page that repeat the command line: the synopsis, the commands and the
// flags. The rest of the page is written by hand. Start reading at generate.
package main

import (
	"fmt"
	"os"

	"klaviyo-export/pipeline/cli"
)

//go:generate go run . ../../../man/klaviyo-export.1

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: manual PAGE")
		os.Exit(2)
	}
	if err := rewrite(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "manual: %v\n", err)
		os.Exit(1)
	}
}

// rewrite brings the generated parts of a page up to date.
func rewrite(name string) error {
	page, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text, err := generate(string(page))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

// generate returns a page with its generated parts made anew from the command line's definitions.
func generate(page string) (string, error) {
	parts, err := describe(cli.Model())
	if err != nil {
		return "", err
	}
	return fill(page, parts)
}
