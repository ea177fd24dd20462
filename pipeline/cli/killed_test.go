package cli

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink/simulator"
)

// A run that is killed at any moment continues from its own results. In the end every row has a result, and the
// list has exactly the people that it should have.
func TestKilledRunsAreResumed(t *testing.T) {
	n, rounds := 10_000, 2
	if *long {
		n, rounds = 30_000, 3
	}
	rows, want := killRows(n)
	whole := resumedRound(t, rows, want, time.Hour)
	for range rounds {
		resumedRound(t, rows, want, whole)
	}
}

// resumedRound starts a run again and again until it ends by itself. It kills each one after a random time, at
// first up to upTo. It compares the results and the list with what is wanted and returns how long the last run
// took.
func resumedRound(t *testing.T, rows string, want []killRow, upTo time.Duration) (took time.Duration) {
	t.Helper()
	sim := simulator.New(simulator.Options{Wrap: described(t), JobTime: time.Millisecond})
	defer func() { _ = sim.Close() }()
	list := sim.AddList("News", "single_opt_in")
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	input, results := filepath.Join(dir, "rows"), filepath.Join(dir, "results")
	write(t, input, rows)
	write(t, results, "")
	kills := 0
	for exit := -1; exit == -1; kills++ {
		args := []string{
			"add", "--base-url", url, "--list-id", list, "--batch-delay", "10ms", "--concurrency", "2", "--resume", results,
		}
		if kills%2 == 1 {
			args = append(args, "--wait")
		}
		begun := time.Now()
		exit = killed(t, args, input, results, rand.N(upTo)+time.Duration(kills)*upTo/4)
		took = time.Since(begun)
	}
	t.Logf("%d kills, the last run took %v", kills-1, took)
	text, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := report.OpenResults(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	on := map[string]bool{}
	for _, email := range sim.Members(list) {
		on[email] = true
	}
	for i, person := range want {
		last, ok, err := earlier.Of(int64(i + 1))
		if err != nil || !ok {
			t.Fatalf("row %d has no result: %v", i+1, err)
		}
		if got := last.Status.String(); got != person.status && !(person.status == "accepted" && got == "applied") {
			t.Fatalf("row %d: expected %s, got %s", i+1, person.status, got)
		}
		if person.status == "accepted" && !on[person.email] {
			t.Fatalf("row %d is not on the list", i+1)
		}
		delete(on, person.email)
	}
	if len(on) > 0 {
		t.Fatalf("on the list without a row: %v", on)
	}
	return took
}

type killRow struct{ email, status string }

// killRows returns rows and their statuses. Some rows are bad and some repeat others.
func killRows(n int) (string, []killRow) {
	var text strings.Builder
	want := make([]killRow, n)
	for i := range want {
		email := fmt.Sprintf("somebody%d@example.com", i)
		switch {
		case i%1000 == 17:
			want[i] = killRow{"", "rejected"}
			email = "nobody"
		case i%1000 == 500:
			want[i] = killRow{"", "skipped"}
			email = fmt.Sprintf("SOMEBODY%d@example.com", i-300)
		default:
			want[i] = killRow{email, "accepted"}
		}
		fmt.Fprintf(&text, `{"email":"%s","n":%d}`+"\n", email, i)
	}
	return text.String(), want
}

// killed starts klaviyo-export, which appends its results to a file, and kills it after some time. It returns the
// exit status, -1 if the process was killed.
func killed(t *testing.T, args []string, input, results string, after time.Duration) int {
	t.Helper()
	in, err := os.Open(input)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(results, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var said bytes.Buffer
	command := program(t, args...)
	command.Env = append(command.Env, "KLAVIYO_API_KEY=pk_killed")
	command.Stdin, command.Stdout, command.Stderr = in, out, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	_ = command.Wait()
	exit := command.ProcessState.ExitCode()
	if exit > 1 {
		t.Fatalf("exit %d: %s", exit, &said)
	}
	return exit
}
