package job

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxTasks = 1000 // of a workflow, as with TD
	maxNamed = 20   // tasks that a fault names
)

// groups are keys of a task whose value holds tasks, or is the task's own operator.
var groups = []string{"_do", "_else_do", "_check", "_error"}

// export is what is found of one export: a task with result_settings, or a file of them.
type export struct {
	task     string       // +a+b, "" outside tasks
	at       string       // FILE:LINE
	settings *yaml.Node   // not always a mapping
	beside   []pair       // the members of the mapping that result_settings stands in
	scope    []*yaml.Node // the _export mappings that it sees, the innermost last
}

// choose returns the export that task names, or the only one.
func (d *document) choose(root *yaml.Node, task string) *export {
	members := d.pairs(root)
	workflow := filepath.Ext(d.file) == ".dig" || slices.ContainsFunc(members, func(p pair) bool {
		return p.key.Value == "result_settings" || strings.HasPrefix(p.key.Value, "+")
	})
	if !workflow {
		if task != "" {
			d.add(d.file, "--task %s: the file has no tasks", d.name(task))
		}
		return &export{at: d.at(root), settings: root}
	}
	w := &walk{document: d}
	w.collect(root, "", nil)
	if d.failed() {
		return nil
	}
	if len(w.found) == 0 {
		d.add(d.file, "has no result_settings: a mapping of them, or a workflow with a task that has them, is meant")
		return nil
	}
	if task != "" {
		return d.named(w.found, task)
	}
	return d.only(w.found)
}

// walk goes through the tasks of a workflow.
type walk struct {
	*document
	tasks   int
	members int // more than the file has bytes are there only through aliases
	found   []*export
}

// collect finds the exports in body, the mapping of a task, and below it.
func (w *walk) collect(body *yaml.Node, task string, scope []*yaml.Node) {
	members := w.pairs(body)
	w.tasks++
	w.members += len(members)
	if w.tasks > maxTasks || w.members > maxBytes {
		w.add(w.file, "is too large, a workflow of at most %d tasks is meant", maxTasks)
		return
	}
	for _, p := range members {
		if value := target(p.value); p.key.Value == "_export" {
			if value.Kind != yaml.MappingNode {
				w.add(w.at(p.key), "_export is %s, a mapping is meant", describe(value))
				return
			}
			scope = append(slices.Clip(scope), value)
		}
	}
	for _, p := range members {
		key, value := p.key.Value, target(p.value)
		switch {
		case key == "result_settings":
			w.found = append(w.found, &export{task: task, at: w.at(p.key), settings: value, beside: members, scope: scope})
		case value.Kind != yaml.MappingNode:
		case strings.HasPrefix(key, "+"):
			w.collect(value, task+key, scope)
		case slices.Contains(groups, key):
			w.collect(value, task, scope)
		}
	}
}

// named returns the export of the task with that path, or the only one whose path ends in it.
func (d *document) named(found []*export, task string) *export {
	path := "+" + strings.TrimPrefix(task, "+")
	var fit []*export
	for _, e := range found {
		if e.task == path {
			fit = append(fit, e)
		}
	}
	for _, e := range found {
		if len(fit) == 0 || fit[0].task != path {
			if strings.HasSuffix(e.task, path) {
				fit = append(fit, e)
			}
		}
	}
	switch len(fit) {
	case 0:
		var names []string
		for _, e := range found {
			names = append(names, e.task, e.task[max(strings.LastIndexByte(e.task, '+'), 0):])
		}
		d.add(d.file, "--task %s: no task of this name has result_settings%s; these have: %s", d.name(task), suggest(path, names), d.list(found))
		return nil
	case 1:
		return fit[0]
	}
	d.add(d.file, "--task %s means several tasks, the whole path of one is meant: %s", d.name(task), d.list(fit))
	return nil
}

// only returns the one export to Klaviyo, or else the one export.
func (d *document) only(found []*export) *export {
	var fit []*export
	for _, e := range found {
		kind := d.find(e.settings, "type")
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
	d.add(d.file, "several tasks have result_settings, --task NAME chooses one: %s", d.list(fit))
	return nil
}

// list names tasks.
func (d *document) list(exports []*export) string {
	var names []string
	for i, e := range exports {
		if i == maxNamed {
			names = append(names, "…")
			break
		}
		place := e.at
		if line, same := strings.CutPrefix(e.at, d.file+":"); same {
			place = "line " + line
		}
		names = append(names, fmt.Sprintf("%s (%s)", d.name(cmp.Or(e.task, "outside tasks")), place))
	}
	return strings.Join(names, ", ")
}
