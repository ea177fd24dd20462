package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// within returns what the command does in a container of so many MB.
func (s *shape) within(t *testing.T, mb float64, tools *tools, n int) ran {
	t.Helper()
	// The shell joins the group, then becomes the command.
	return s.run(t, tools, n, []string{"sh", "-c", `echo $$ > "$0/cgroup.procs" && exec "$@"`, limited(t, mb)})
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
