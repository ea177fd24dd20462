package cli

import (
	"io"

	"klaviyo-export/pipeline/cli/completion"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (*completionCommand) Help() string {
	return `Prints a script for the shell. Packages install it.

Examples:

    source <(klaviyo-export completion bash)
    source <(klaviyo-export completion zsh)
    klaviyo-export completion fish | source`
}

func (s *completionCommand) Run(c *console) error {
	script, err := completion.Script(s.Shell, Model())
	if err != nil {
		return err
	}
	_, err = io.WriteString(c.Out, script)
	return err
}
