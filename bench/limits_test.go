package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// In a container of the memory that GUIDE.md says, a command has the same results as elsewhere.
func TestContainers(t *testing.T) {
	table := figures(t)
	tools, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shapes(tools) {
		name := s.command + " | " + s.input
		mb := table[name].container
		if mb == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			n := s.quick
			if *long {
				n = s.full
			} else {
				t.Parallel()
			}
			// The shell joins the group, then becomes the command.
			front := []string{"sh", "-c", `echo $$ > "$0/cgroup.procs" && exec "$@"`, limited(t, mb)}
			within, without := s.run(t, tools, n, front), s.run(t, tools, n, nil)
			t.Logf("within %.0f MB: %.1f MB, %.1f s; without: %.1f MB, %.1f s",
				mb, within.mb, within.wall.Seconds(), without.mb, without.wall.Seconds())
			if within.hash != without.hash {
				t.Error("the results differ")
			}
		})
	}
}

// limited makes a cgroup whose processes are killed when they need more memory. It skips the test where that is not
// allowed.
func limited(t *testing.T, mb float64) string {
	t.Helper()
	root, names := "/sys/fs/cgroup", []string{"memory.max", "memory.swap.max"} // version 2
	if controls, err := os.ReadFile(root + "/cgroup.subtree_control"); err != nil {
		root, names = "/sys/fs/cgroup/memory", []string{"memory.limit_in_bytes", "memory.swappiness"} // version 1
	} else if !strings.Contains(string(controls), "memory") {
		t.Skip("the root cgroup has no memory controller for its children")
	}
	group, err := os.MkdirTemp(root, "klaviyo-export-test-")
	if err != nil {
		t.Skipf("cgroups are not writable: %v", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	})
	for i, value := range []int64{int64(mb * 1e6), 0} {
		err := os.WriteFile(filepath.Join(group, names[i]), []byte(strconv.FormatInt(value, 10)), 0)
		if err != nil && !(i == 1 && errors.Is(err, os.ErrNotExist)) { // a kernel without swap
			t.Skipf("limit the memory of a cgroup: %v", err)
		}
	}
	return group
}
