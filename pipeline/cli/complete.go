package cli

import (
	"io"

	"klaviyo-export/pipeline/cli/completion"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (*completionCommand) Help() string {
	return `The Debian and RPM packages install these scripts. Elsewhere, put one of these lines into
the shell's start file:

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
