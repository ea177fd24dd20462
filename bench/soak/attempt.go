package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// finish runs a command to its end and returns the last result of each row. Up to three times it kills the command
// first, at a random moment, and resumes.
func (r *round) finish(verb string, rows []row) []result {
	r.rows += int64(len(rows))
	name := filepath.Join(r.dir, fmt.Sprintf("%s-%d", verb, r.number))
	defer os.Remove(name)
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		r.wrong("%v", err)
		return nil
	}
	args := []string{
		verb, "--base-url", r.url, "--list-id", r.list, "--max-invalid", "100%", "--quiet", "--resume", name,
		"--batch-delay", "10ms", "--concurrency", fmt.Sprint(1 + r.dice.IntN(6)),
	}
	if r.wait && verb == "add" {
		args = append(args, "--wait")
	}
	if !r.paced {
		args = append(args, "--no-rate-limit")
	}
	for left := r.dice.IntN(4); ; left-- {
		kill := time.Duration(0)
		if left > 0 {
			kill = time.Duration(5+r.dice.IntN(600)) * time.Millisecond
		}
		exit, said := r.attempt(args, rows, name, kill)
		if exit == -1 && left > 0 {
			r.kills++
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			r.wrong("%s: %v", verb, err)
			return nil
		}
		if !r.wait && verb == "add" {
			text, exit, said = r.waitFor(text)
			verb = "wait"
		}
		return r.compare(verb, rows, text, exit, said)
	}
}

// attempt runs the command once with all rows, and kills it after the time kill unless that is 0.
func (r *round) attempt(args []string, rows []row, results string, kill time.Duration) (exit int, said string) {
	out, err := os.OpenFile(results, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return -2, err.Error()
	}
	defer out.Close()
	var errs bytes.Buffer
	command := exec.Command(r.binary, args...)
	command.Env, command.Stdout, command.Stderr = append(os.Environ(), "KLAVIYO_API_KEY=pk_soak"), out, &errs
	in, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return -2, err.Error()
	}
	if kill > 0 {
		defer time.AfterFunc(kill, func() { _ = command.Process.Kill() }).Stop()
	}
	r.feed(in, rows)
	_ = command.Wait()
	return command.ProcessState.ExitCode(), errs.String()
}

// feed writes rows in bursts, so that requests have all sizes.
func (r *round) feed(in io.WriteCloser, rows []row) {
	defer in.Close()
	for len(rows) > 0 {
		n := min(1+r.dice.IntN(4000), len(rows))
		var block strings.Builder
		for _, row := range rows[:n] {
			block.WriteString(row.text)
			block.WriteByte('\n')
		}
		if _, err := io.WriteString(in, block.String()); err != nil {
			return // the run was killed, or reports its own error
		}
		rows = rows[n:]
		time.Sleep(time.Duration(r.dice.IntN(25)) * time.Millisecond) // a query pauses too
	}
}

// waitFor runs wait on results and returns the new results.
func (r *round) waitFor(text []byte) (results []byte, exit int, said string) {
	var out, errs bytes.Buffer
	command := exec.Command(r.binary, "wait", "--base-url", r.url, "--quiet")
	command.Env = append(os.Environ(), "KLAVIYO_API_KEY=pk_soak")
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(text), &out, &errs
	_ = command.Run()
	return out.Bytes(), command.ProcessState.ExitCode(), errs.String()
}
