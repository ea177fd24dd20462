package job

import (
	"fmt"
	"strings"
	"testing"
)

// tasks has several tasks of one name.
const tasks = `+x:
  result_settings: &s {type: klaviyo, operation: add, list_identify_type: name, list_value: x}
+a:
  +x: {result_settings: {<<: *s, list_value: ax}}
+b:
  +x: {result_settings: {<<: *s, list_value: bx}}
  +y: {result_settings: {<<: *s, list_value: by}}
  +z: {td>: z.sql}
+c:
  +x2: {result_settings: {type: s3}}
`

const (
	fourTasks = "+x (line 2), +a+x (line 4), +b+x (line 6), +b+y (line 7)"
	choose    = "several tasks have result_settings, choose one with --task NAME: "
	nothing   = "expected settings, or a workflow with a task that has result_settings, got neither"
)

// taskFaults are faults of the choice of a task.
var taskFaults = []faultCase{
	{"several tasks", tasks, none, "f.yml: " + choose + fourTasks},
	{"a name of two tasks", "+a:\n  +q: {result_settings: {}}\n+b: {+q: {result_settings: {}}}", Options{Task: "q"},
		"f.yml: --task q: expected the whole path of one task, got a name of several: +a+q (line 2), +b+q (line 3)"},
	{"two exports of one task", "+t:\n  _do: {result_settings: {}}\n  _error: {result_settings: {}}", none,
		"f.yml: " + choose + "+t (line 2), +t (line 3)"},
	{"a misspelt path", tasks, Options{Task: "+a+y"},
		"f.yml: --task +a+y: no task with this name has result_settings (did you mean +a+x?); expected one of " +
			fourTasks + ", +c+x2 (line 10)"},
	{"a task without settings", tasks, Options{Task: "+b+z"},
		"f.yml: --task +b+z: no task with this name has result_settings (did you mean +b+x?); expected one of " +
			fourTasks + ", +c+x2 (line 10)"},
	{"a task of another type", tasks, Options{Task: "+x2"}, `f.yml:10: type: expected klaviyo, got "s3"`},
	{"a task in a file of settings",
		full, Options{Task: "+x"}, "f.yml: --task +x: expected a workflow, got a file without tasks"},
	{"a workflow without settings", "+a:\n  td>: a.sql", none, "f.yml: " + nothing},
	{"a .dig file without tasks", "-- f.dig --\ntimezone: UTC", none, "f.dig: " + nothing},
	{"empty settings", "+a:\n  result_settings:", none, "f.yml:2: result_settings: expected a mapping, got nothing"},
	{"a variable as settings",
		"+a:\n  result_settings: ${s}", none, "f.yml:2: result_settings: expected a mapping, got a text"},
}

// TestTaskFaults guards the exact faults of the choice of a task.
func TestTaskFaults(t *testing.T) { testFaults(t, taskFaults) }

// TestTaskBombs guards that a small file with a huge number of tasks ends soon, and that a fault names few of many
// tasks.
func TestTaskBombs(t *testing.T) {
	nested, groups := "+a: &a {+k: {}}\n", "a: &a {k: v}\n"
	for i := 'b'; i <= 'z'; i++ {
		nested += fmt.Sprintf("+%c: &%[1]c {+p: *%[2]c, +q: *%[2]c}\n", i, i-1)
		groups += fmt.Sprintf("%c: &%[1]c {<<: [*%[2]c, *%[2]c, *%[2]c]}\n", i, i-1)
	}
	var subtasks []string
	for i := range 60_000 {
		subtasks = append(subtasks, fmt.Sprintf("+%d", i))
	}
	many, first := "", ""
	for i := range 21 {
		many += fmt.Sprintf("+t%d: {result_settings: {}}\n", i)
		if i < 20 {
			first += fmt.Sprintf("+t%d (line %d), ", i, i+1)
		}
	}
	testFaults(t, []faultCase{
		{"21 tasks", many, none, "f.yml: " + choose + first + "…"},
		{"tasks of tasks", nested, none, "f.yml: expected at most 1000 tasks, got more"},
		{"a task in itself 60,000 times", "+a: &a {" + strings.Join(subtasks, ": *a, ") + ": *a}", none,
			"f.yml: expected at most 1000 tasks, got more"},
		{"a task in itself in three ways", "+a: &a {+b: *a, <<: *a, result_settings: *a}", none,
			"f.yml: expected at most 1000 tasks, got more"},
		{"tasks with long names in tasks", "+a: " + strings.Repeat("{+"+strings.Repeat("b", 511)+": ", 8) +
			"{}" + strings.Repeat("}", 8), none, "f.yml: expected at most 4096 bytes in a task's path, got more"},
		{"merge keys of merge keys", groups + "result_settings: *z", none, "f.yml:27: result_settings: " + noneOf},
		{"a duplicate key 1,000 times", strings.Repeat("k:\n", 1000), none, duplicates(2, 11) + "and 989 more"},
	})
}
