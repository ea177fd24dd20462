package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine describes this machine and its load.
func machine() string {
	said := fmt.Sprintf("%d cores", runtime.NumCPU())
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		said += " (" + model + ")"
	}
	said += ", " + runtime.GOOS + "/" + runtime.GOARCH
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		said += fmt.Sprintf(", load average %s before", strings.Fields(string(load))[0])
	}
	return said
}

// field returns the first value of a name in a file with lines of the form "name : value", or "".
func field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if n, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(n) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// commit describes the commit that is checked out in folder, and says if there are changes.
func commit(ctx context.Context, folder string) string {
	id, err := exec.CommandContext(ctx, "git", "-C", folder, "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	said := strings.TrimSpace(string(id))
	changes, err := exec.CommandContext(ctx, "git", "-C", folder, "status", "--porcelain").Output()
	if err != nil || len(changes) > 0 {
		said += " with changes"
	}
	return said
}
