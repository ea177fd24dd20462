package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// self returns another command of this program as a process.
func self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Args[0] = "bench"
	return cmd, nil
}

// runQuietly runs cmd. Its error holds the end of cmd's standard error.
func runQuietly(cmd *exec.Cmd) error {
	var said tail
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, said.text)
	}
	return nil
}

// tail is a writer that keeps the last tailSize bytes.
type tail struct{ text []byte }

const tailSize = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p[max(len(p)-tailSize, 0):]...)
	t.text = append(t.text[:0], t.text[max(len(t.text)-tailSize, 0):]...)
	return len(p), nil
}
