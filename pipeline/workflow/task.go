package workflow

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxTasks = 1000 // of a workflow, as TD allows
	maxNamed = 20   // tasks that a fault names
	maxPath  = 4096 // bytes of a task's path
)

// groups are keys of a task whose value holds tasks, or is the task's own operator.
var groups = []string{"_do", "_else_do", "_check", "_error"}

// export is a task with result_settings.
type export struct {
	task     string // +a+b, "" outside tasks
	settings Member
	beside   []pair // the members of the mapping that holds result_settings
}

// Export returns the settings of the export that a task's name or path chooses, or of the only export for "". A
// file that is no workflow is an export itself. It is nil after a fault.
func (d *Document) Export(task string) *Section {
	members := d.pairs(d.root)
	workflow := filepath.Ext(d.file) == ".dig" || slices.ContainsFunc(members, func(p pair) bool {
		return p.key.Value == "result_settings" || strings.HasPrefix(p.key.Value, "+")
	})
	if !workflow {
		if task != "" {
			d.add(d.file, "", "--task %s: expected a workflow, got a file without tasks", d.name(task))
			return nil
		}
		return &Section{Member: Member{At: d.at(d.root)}, Members: d.members(members, nil)}
	}
	w := &walk{Document: d}
	w.collect(d.root, "", nil)
	if d.Failed() {
		return nil
	}
	if e := d.choose(w.found, task); e != nil {
		return d.section(e.settings, e.beside, "a mapping")
	}
	return nil
}

// walk goes through the tasks of a workflow.
type walk struct {
	*Document
	tasks   int
	members int // a file has fewer members than bytes, unless aliases repeat them
	found   []*export
}

// collect finds the exports in body, which is the mapping of a task, and below it.
func (w *walk) collect(body *yaml.Node, task string, scope []*yaml.Node) {
	members := w.pairs(body)
	w.tasks++
	w.members += len(members)
	if w.tasks > maxTasks || w.members > maxBytes {
		w.add(w.file, "", "expected at most %d tasks, got more", maxTasks)
		return
	}
	if len(task) > maxPath {
		w.add(w.file, "", "expected at most %d bytes in a task's path, got more", maxPath)
		return
	}
	scope, ok := w.exports(body, scope)
	if !ok {
		return
	}
	for _, p := range members {
		key, value := p.key.Value, target(p.value)
		switch {
		case key == "result_settings":
			w.found = append(w.found, &export{task: task, settings: w.member(p, scope), beside: members})
		case value.Kind != yaml.MappingNode:
		case strings.HasPrefix(key, "+"):
			w.collect(value, task+key, scope)
		case slices.Contains(groups, key):
			w.collect(value, task, scope)
		}
	}
}

// exports returns a scope with the _export of a task's mapping, false after a fault.
func (d *Document) exports(body *yaml.Node, scope []*yaml.Node) ([]*yaml.Node, bool) {
	for _, p := range d.pairs(body) {
		if value := target(p.value); p.key.Value == "_export" {
			if value.Kind != yaml.MappingNode {
				d.add(d.at(p.key), "_export", "expected a mapping, got %s", kindOf(value))
				return scope, false
			}
			scope = append(slices.Clip(scope), value)
		}
	}
	return scope, true
}

// choose returns the export that a task chooses, nil after a fault.
func (d *Document) choose(found []*export, task string) *export {
	switch {
	case len(found) == 0:
		d.add(d.file, "", "expected settings, or a workflow with a task that has result_settings, got neither")
		return nil
	case task != "":
		return d.named(found, task)
	}
	return d.only(found)
}

// named returns the export of the task with that path, or else the only export whose path ends in it.
func (d *Document) named(found []*export, task string) *export {
	path := "+" + strings.TrimPrefix(task, "+")
	var fit, ending []*export
	for _, e := range found {
		if e.task == path {
			fit = append(fit, e)
		}
		if strings.HasSuffix(e.task, path) {
			ending = append(ending, e)
		}
	}
	if len(fit) == 0 {
		fit = ending
	}
	switch len(fit) {
	case 0:
		var names []string
		for _, e := range found {
			names = append(names, e.task, e.task[max(strings.LastIndexByte(e.task, '+'), 0):])
		}
		d.add(d.file, "", "--task %s: no task with this name has result_settings%s; expected one of %s",
			d.name(task), suggest(path, names), d.list(found))
		return nil
	case 1:
		return fit[0]
	}
	d.add(d.file, "", "--task %s: expected the whole path of one task, got a name of several: %s",
		d.name(task), d.list(fit))
	return nil
}

// only returns the one export to Klaviyo, or else the one export.
func (d *Document) only(found []*export) *export {
	var fit []*export
	for _, e := range found {
		kind := d.find(e.settings.value, "type")
		if kind != nil && (kind.Value == "klaviyo" || strings.Contains(kind.Value, "${")) {
			fit = append(fit, e)
		}
	}
	if len(fit) == 0 {
		fit = found
	}
	if len(fit) == 1 {
		return fit[0]
	}
	d.add(d.file, "", "several tasks have result_settings, choose one with --task NAME: %s", d.list(fit))
	return nil
}

// list names the tasks of exports and their places.
func (d *Document) list(exports []*export) string {
	var names []string
	for i, e := range exports {
		if i == maxNamed {
			names = append(names, "…")
			break
		}
		place := e.settings.At
		if line, same := strings.CutPrefix(place, d.file+":"); same {
			place = "line " + line
		}
		names = append(names, fmt.Sprintf("%s (%s)", d.name(cmp.Or(e.task, "outside tasks")), place))
	}
	return strings.Join(names, ", ")
}
