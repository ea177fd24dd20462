package cli

import (
	"cmp"
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
	Rejected   string   `enum:"csv,json," default:"" placeholder:"csv|json" help:"${help_rejected}"`
	Files      []string `arg:"" optional:"" name:"file" help:"${help_file}"`
}

var reportHelp = kong.Vars{
	"help_file": "Results or reports. Without a file, or for -, standard input.",
	"help_rejected": "List the rows that are rejected, unknown or unsent instead of the report: " +
		"row, key, column, code and detail.",
	"help_format": "json, text, html (one page with charts) or prometheus (for node exporter's textfile collector).",
}

func (*reportCommand) Help() string {
	return `Merges the reports of any number of runs and shows the result.

The exit status is 0 if there is a report to show, and 2 if an input cannot be read. With --exit-status it is the
status of the merged report, which is that of the worst run.

Examples:

    klaviyo-export report --format text results.ndjson
    klaviyo-export report --format html part-*.ndjson > report.html
    klaviyo-export report --rejected csv results.ndjson > rejected.csv`
}

func (r *reportCommand) Run(c *console, g given) error {
	if err := g.useless("rejected", "the rows are listed, not the report", "format", "exit-status"); err != nil {
		return err
	}
	signal.Reset() // a signal ends the command at once: there is nothing to finish
	if len(r.Files) == 0 {
		r.Files = []string{"-"}
	}
	if r.Rejected != "" {
		return r.list(c)
	}
	var merged *report.Report
	var runs []render.Run
	for _, name := range r.Files {
		one, notes, err := c.readReport(name)
		if err != nil {
			return err
		}
		for _, note := range notes {
			c.note(note)
		}
		if len(r.Files) > 1 {
			one.SetFile(name)
		}
		if len(r.Files) > 1 || name != "-" {
			runs = append(runs, render.NewRun(name, one))
		}
		merged = report.Merge(merged, one)
	}
	if err := r.write(c.Out, merged, runs); err != nil {
		return err
	}
	if r.ExitStatus {
		return &exitError{nil, merged.ExitCode}
	}
	return nil
}

// write writes a report in the format that was asked for.
func (r *reportCommand) write(out io.Writer, rep *report.Report, runs []render.Run) error {
	switch r.Format {
	case "text":
		return render.Text(out, rep, runs...)
	case "html":
		return render.HTML(out, rep, runs...)
	case "prometheus":
		return render.Prometheus(out, rep)
	}
	return report.NewWriter(out).Report(rep)
}

// list lists the rows that did not get there.
func (r *reportCommand) list(c *console) error {
	add, end := render.Rejected(c.Out, r.Rejected)
	for _, name := range r.Files {
		notes, err := read(c, name, func(name string, in io.Reader) ([]string, error) {
			return report.Rejects(name, in, add)
		})
		if err != nil {
			return cmp.Or(end(), err)
		}
		for _, note := range notes {
			c.note(note)
		}
	}
	return end()
}

// readReport reads a file of results, or standard input for -.
func (c *console) readReport(name string) (rep *report.Report, notes []string, err error) {
	notes, err = read(c, name, func(name string, in io.Reader) (notes []string, err error) {
		rep, notes, err = report.ReadStream(name, in)
		return notes, err
	})
	return rep, notes, err
}

// read calls from with a file, or standard input for -, and with what errors call it.
func read(c *console, name string, from func(name string, in io.Reader) ([]string, error)) ([]string, error) {
	if name == "-" {
		c.expect("results or reports")
		return from("standard input", c.In)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, unread(name, err)
	}
	defer f.Close()
	return from(name, f)
}

// unread is the error of a file that could not be opened. Some people type a format there.
func unread(name string, err error) error {
	failed := &pipeline.Error{Text: "read a report: " + err.Error()}
	switch {
	case name == "csv":
		failed.Hint = "use --rejected csv"
	case slices.Contains([]string{"json", "text", "html", "prometheus"}, name):
		failed.Hint = "use --format " + name
	}
	return failed
}
