package cli

import (
	"io"
	"os"
	"os/signal"
	"slices"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/report"
	"klaviyo-export/report/render"
)

type reportCommand struct {
	Format     string   `enum:"json,text,html,prometheus" default:"json" placeholder:"FORMAT" help:"${help_format}"`
	ExitStatus bool     `help:"Exit with the merged report's exit status."`
	Files      []string `arg:"" optional:"" name:"file" help:"${help_file}"`
}

var reportHelp = kong.Vars{
	"help_file":   "Results or reports. Without a file, or for -, standard input.",
	"help_format": "json, text, html (one page with charts) or prometheus (for node exporter's textfile collector).",
}

func (*reportCommand) Help() string {
	return `Merges the reports of any number of runs and shows the result.

The exit status is 0 if there is a report to show, and 2 if an input cannot be read. With --exit-status it is the
status of the merged report, which is that of the worst run.

Examples:

    klaviyo-export report --format text results.ndjson
    klaviyo-export report --format html part-*.ndjson > report.html`
}

func (r *reportCommand) Run(c *console) error {
	signal.Reset() // a signal ends the command at once: there is nothing to finish
	var merged *report.Report
	if len(r.Files) == 0 {
		r.Files = []string{"-"}
	}
	for _, name := range r.Files {
		one, notes, err := c.readReport(name)
		if err != nil {
			return err
		}
		for _, note := range notes {
			c.note(note)
		}
		merged = report.Merge(merged, one)
	}
	if err := r.write(c.Out, merged); err != nil {
		return err
	}
	if r.ExitStatus {
		return &exitError{nil, merged.ExitCode}
	}
	return nil
}

// write writes a report in the format that was asked for.
func (r *reportCommand) write(out io.Writer, rep *report.Report) error {
	switch r.Format {
	case "text":
		return render.Text(out, rep)
	case "html":
		return render.HTML(out, rep)
	case "prometheus":
		return render.Prometheus(out, rep)
	}
	return report.NewWriter(out).Report(rep)
}

// readReport reads a file of results, or standard input for -.
func (c *console) readReport(name string) (*report.Report, []string, error) {
	if name == "-" {
		c.expect("results or reports")
		return report.ReadStream("standard input", c.In)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, unread(name, err)
	}
	defer f.Close()
	return report.ReadStream(name, f)
}

// unread is the error of a file that could not be opened. Some people type a format there.
func unread(name string, err error) error {
	failed := &pipeline.Error{Text: "read a report: " + err.Error()}
	if slices.Contains([]string{"json", "text", "html", "prometheus"}, name) {
		failed.Hint = "use --format " + name
	}
	return failed
}
