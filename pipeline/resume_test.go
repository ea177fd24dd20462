package pipeline

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// A row that a read error cuts short has not been refused: --resume sends it.
func TestRowCutByReadErrorIsResumed(t *testing.T) {
	whole := rowsFrom(1, 3)
	o, sim := addOptions(t, nil)
	var out bytes.Buffer
	rep, _ := Run(t.Context(), o, io.MultiReader(strings.NewReader(whole[:len(whole)-8]), iotest.ErrReader(errors.New("input/output error"))), &out)
	if rep.ExitCode != 2 {
		t.Fatalf("exit %d", rep.ExitCode)
	}
	name := filepath.Join(t.TempDir(), "results")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	earlier, err := OpenEarlier(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer earlier.Close()
	o.Resume = earlier
	out.Reset()
	rep, err = Run(t.Context(), o, strings.NewReader(whole), &out)
	if got := len(sim.Members(rep.List.ID)); got != 3 || rep.ExitCode != 0 {
		t.Errorf("%d of 3 on the list, exit %d, %v: %s", got, rep.ExitCode, err, out.Bytes())
	}
}
