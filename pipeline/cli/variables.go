package cli

// variableFlags say where ${variables} of a workflow or a settings file come from.
type variableFlags struct {
	Set     map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Set the variable $${NAME}. Repeatable."`
	Secrets string            `placeholder:"FILE" help:"YAML file with values of $${secret:NAME}."`
}
