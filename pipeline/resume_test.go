package pipeline

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// A row that a read error cut is not refused for good: --resume sends it when it comes whole. The lines of members after
// the rows make no difference.
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
