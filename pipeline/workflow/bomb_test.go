package workflow_test

import (
	"fmt"
	"strings"
	"testing"
)

// chain repeats a line from b to z, with the letter as Z and the letter before it as Y.
func chain(line string) string {
	var b strings.Builder
	for i := 'b'; i <= 'z'; i++ {
		b.WriteString(strings.NewReplacer("Z", string(i), "Y", string(i-1)).Replace(line))
	}
	return b.String()
}

// TestBombs guards that small files end soon which are huge when everything in them is written out: they have
// limits, the same in settings and in a schedule, or their size does not matter.
func TestBombs(t *testing.T) {
	merges := "m0: &m0 {k0: v}\n"
	for i := range 2000 {
		merges += fmt.Sprintf("m%d: &m%[1]d {<<: *m%d, k%[1]d: v}\n", i+1, i)
	}
	includes := "-- f.dig --\n!include : b\n!include : b\n" + end("07:00:00")
	for i := 'b'; i < 'i'; i++ {
		includes += fmt.Sprintf("-- %c --\n!include : %c\n!include : %[2]c\n", i, i+1)
	}
	tokens := func(n int) (text string) {
		for i := range n {
			text += fmt.Sprintf("t%d: {api_token: pk_%04d}\n", i, i)
		}
		return text + "x:\nx:\n" + end("07:00:00")
	}
	named := func(far int) (text string) {
		for i := range far {
			text += fmt.Sprintf("  far%04d: 07:00:00\n", i)
		}
		return "_export:\n" + text + "  near: 07:00:00\n" + end("${neer}")
	}
	const fine = "07:00:00"
	for _, c := range []struct{ name, text, want string }{
		{"aliases of lists", "a: &a [x, x]\n" + chain("Z: &Z [*Y, *Y, *Y]\n") + end(fine), fine},
		{"aliases of mappings", "_export:\n  a: &a {k: v}\n" + chain("  Z: &Z {p: *Y, q: *Y}\n") + end("${z}"),
			"f.dig:30: KEY: ${z}: expected a text, got a mapping (f.dig:27)"},
		{"a name far down in aliases",
			"_export:\n  a: &a {}\n" + chain("  Z: &Z {p: *Y, q: *Y, r: *Y}\n") + end("${z.p.x}"),
			"f.dig:30: KEY: ${z.p.x} is not defined; define it in _export or pass --set z.p.x=VALUE"},
		{"variables of two variables each", "_export:\n  a: ''\n" + chain("  Z: ${Y}${Y}\n") + end("${z}"),
			"f.dig:3: b: expected at most 1000 variables, got more"},
		{"variables that grow",
			"_export:\n  a: " + strings.Repeat("x", 1<<15) + "\n" + chain("  Z: ${Y}${Y}\n") + end("${z}"),
			"f.dig:4: c: expected at most 65536 bytes, got more"},
		{"merge keys of merge keys", merges + "_export: {<<: *m2000, at: 07:00:00}\n" + end("${at}"),
			"f.dig: expected at most 100000 keys from merge keys, got more"},
		{"includes of includes", includes + "-- i --\na: b\n", "f.dig: expected at most 100 includes, got more"},
		{"directives", strings.Repeat("%TAG !a! x\n", 102) + "---\n" + end(fine),
			"f.dig: expected at most 100 lines that begin with %, got 101"},
		{"a thousand keys", tokens(1000), "f.dig:1002: x: duplicate key, first on line 1001"},
		{"a thousand keys and one", tokens(1001), "f.dig:1003: ***: duplicate key, first on line 1002"},
		{"200 variables to compare with", named(199),
			"f.dig:204: KEY: ${neer} is not defined (did you mean near?); define it in _export or pass --set neer=VALUE"},
		{"more variables to compare with", named(200),
			"f.dig:205: KEY: ${neer} is not defined; define it in _export or pass --set neer=VALUE"},
		{"nested lists", strings.Repeat("[", 20_000), "f.dig:1:10001: expected YAML: exceeded max depth of 10000"},
	} {
		t.Run(c.name, func(t *testing.T) { agree(t, c.text, none, c.want) })
	}
}
