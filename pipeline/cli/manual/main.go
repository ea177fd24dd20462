// Command manual writes the parts of a manual page that repeat the command line: the synopsis, the commands and the
// flags. The rest of the page is written by hand. It also writes the completions of shells. Start reading at generate.
package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"klaviyo-export/pipeline/cli"
	"klaviyo-export/pipeline/cli/completion"
)

//go:generate go run . ../../../man/klaviyo-export.1 ../../../man/completions

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: manual PAGE FOLDER")
		os.Exit(2)
	}
	if err := cmp.Or(rewrite(os.Args[1]), complete(os.Args[2])); err != nil {
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

// complete writes the completions of shells into a folder, each with the name under which the shell finds it.
func complete(folder string) error {
	for shell, name := range map[string]string{
		"bash": "klaviyo-export.bash", "zsh": "_klaviyo-export", "fish": "klaviyo-export.fish",
	} {
		script, err := completion.Script(shell, cli.Model())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns a page with its generated parts made anew from the command line's definitions.
func generate(page string) (string, error) {
	parts, err := describe(cli.Model())
	if err != nil {
		return "", err
	}
	return fill(page, parts)
}
