//go:build unix

package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// statuses are the columns of the table.
var statuses = []string{"killed", "timeout", "survived", "accepted", "equivalent", "not covered"}

// writeTable writes how many mutants of each package ended how, and the survivors, as Markdown.
func writeTable(out io.Writer, results []result, leftOut []string) {
	counts := map[string]map[string]int{"all": {}}
	names := []string{}
	seconds := 0.0
	for _, r := range results {
		name := filepath.Dir(r.File)
		if counts[name] == nil {
			counts[name] = map[string]int{}
			names = append(names, name)
		}
		counts[name][r.Status]++
		counts["all"][r.Status]++
		seconds += r.Seconds
	}
	slices.Sort(names)
	fmt.Fprintf(out, "| package | mutants | %s | killed %% |\n|---|%s\n", strings.Join(statuses, " | "),
		strings.Repeat("---:|", len(statuses)+2))
	for _, name := range append(names, "all") {
		sum := 0
		fmt.Fprintf(out, "| %s |", name)
		var columns strings.Builder
		for _, status := range statuses {
			sum += counts[name][status]
			fmt.Fprintf(&columns, " %d |", counts[name][status])
		}
		killed, meant := counts[name]["killed"]+counts[name]["timeout"], sum-counts[name]["equivalent"]
		fmt.Fprintf(out, " %d |%s %.1f |\n", sum, &columns, 100*float64(killed)/float64(max(meant, 1)))
	}
	fmt.Fprintf(out, "\nTrying the mutants took %.0f seconds.\n", seconds)
	if len(leftOut) > 0 {
		fmt.Fprintf(out, "\nTests that fail without a mutant: %s.\n", strings.Join(leftOut, ", "))
	}
	header := "\n| alive | before → after | why |\n|---|---|---|\n"
	for _, r := range results {
		if r.Status == "killed" || r.Status == "timeout" {
			continue
		}
		change := fmt.Sprintf("`%s` → `%s`", r.Before, r.After)
		if r.After == "" {
			change = fmt.Sprintf("`%s` dropped", r.Before)
		}
		why := r.Status
		if r.Reason != "" {
			why += ": " + r.Reason
		}
		fmt.Fprintf(out, "%s| %s:%d %s | %s | %s |\n", header, r.File, r.Line, r.Func,
			strings.ReplaceAll(change, "|", `\|`), why)
		header = ""
	}
}
