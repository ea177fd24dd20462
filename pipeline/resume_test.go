package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// A row that a read error cut is not refused for good: --resume sends it when it comes whole. The lines of members
// after the rows make no difference.
func TestRowCutByReadErrorIsResumed(t *testing.T) {
	whole := rowsFrom(1, 3)
	o, sim := addOptions(t, nil)
	in := io.MultiReader(strings.NewReader(whole[:len(whole)-8]), iotest.ErrReader(errors.New("input/output error")))
	var out bytes.Buffer
	rep, _ := Run(t.Context(), o, in, &out)
	if rep.ExitCode != 2 {
		t.Fatalf("exit %d", rep.ExitCode)
	}
	out.WriteString(`{"type":"member","status":"removed","key":"p2@example.com","profile_id":"01H"}` + "\n")
	o.Resume = earlierResults(t, out.Bytes())
	out.Reset()
	rep, err := Run(t.Context(), o, strings.NewReader(whole), &out)
	if got := len(sim.Members(rep.List.ID)); got != 3 || rep.ExitCode != 0 {
		t.Errorf("%d of 3 on the list, exit %d, %v: %s", got, rep.ExitCode, err, out.Bytes())
	}
}

// A resumed run skips a row whose person an earlier result names, as the earlier run would have: a person is sent once,
// whichever run meets them first.
func TestResumedRowsAreRemembered(t *testing.T) {
	const rows = `{"email":"ann@example.com"}
{"email":"bo@example.com"}
{"email":"ANN@example.com","first_name":"Later"}
{"email":"cy@example.com"}
`
	first, rest := rows[:strings.Index(rows, `{"email":"bo`)], rows
	o, _ := addOptions(t, nil)
	var out bytes.Buffer
	if rep, err := Run(t.Context(), o, strings.NewReader(first), &out); rep.ExitCode != 0 {
		t.Fatal(err)
	}
	o.Resume = earlierResults(t, out.Bytes())
	out.Reset()
	rep, err := Run(t.Context(), o, strings.NewReader(rest), &out)
	written := linesInOrder(t, out.Bytes())
	const want = "2 accepted, 3 skipped duplicate, 4 accepted"
	if got := brief(written); got != want || rep.ExitCode != 0 {
		t.Errorf("exit %d, %v, got %s, want %s", rep.ExitCode, err, got, want)
	}
}

// A signal that comes before a run has opened its earlier results does not keep it from reading them: the run appends
// a report that says what stopped it.
func TestStoppedBeforeTheEarlierResults(t *testing.T) {
	o, _ := addOptions(t, nil)
	var out bytes.Buffer
	if rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 3)), &out); rep.ExitCode != 0 {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "results")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(&Interrupted{Signal: "SIGTERM", ExitCode: 143})
	earlier, err := OpenEarlier(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	defer earlier.Close()
	o.Resume = earlier
	out.Reset()
	rep, _ := Run(ctx, o, strings.NewReader(rowsFrom(0, 3)), &out)
	if _, written := parse(t, out.Bytes()); earlier.Rows != 3 || rep.ExitCode != 143 || written.ExitCode != 143 {
		t.Errorf("%d earlier rows, exit %d, the report says %d", earlier.Rows, rep.ExitCode, written.ExitCode)
	}
}
