package main

import (
	"io"
	"runtime"
	"strings"
	"testing"
)

// memory prints the figures of the run, and fails when memory exceeds the bound.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory reads /proc")
	}
	rows := "40000"
	if *long {
		rows = "250000"
	}
	var out, said strings.Builder
	args := []string{"memory", "-rows", rows, "-concurrency", "2", "-delay", "400ms", "-every", "1s", "-bound", "500"}
	if code := run(t.Context(), args, stdio{nil, &out, &said}); code != 0 {
		t.Fatalf("exit status %d: %s%s", code, &said, &out)
	}
	for _, want := range []string{"\n" + rows + " rows, ", ", at most 2 in flight. Peak RSS ", "bound 500 MB"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("expected the text %q, got %s", want, &out)
		}
	}
	code := run(t.Context(), append(args, "-bound", "1"), stdio{nil, &out, &said})
	if want := "resident memory: expected at most 1 MB, got "; code != 1 || !strings.Contains(said.String(), want) {
		t.Errorf("expected exit status 1 and the text %q, got %d and %s", want, code, &said)
	}
}

// Memory may grow until the duplicate window is full; only the time after that is compared.
func TestHalves(t *testing.T) {
	w := &watch{samples: []float64{10, 90, 60, 61, 62, 80, 81, 82}}
	if first, last := w.halves(4 * window); first != 61 || last != 81 {
		t.Errorf("expected 61 and 81, got %v and %v", first, last)
	}
	if first, last := w.halves(4*window - 1); first != 0 || last != 0 {
		t.Errorf("short run: expected 0 and 0, got %v and %v", first, last)
	}
}

// The last line and the end of standard error are kept whole, however they are cut into writes.
func TestEndsAreKept(t *testing.T) {
	var l lastLine
	for _, part := range []string{"a\nb", "c\n", "d", "e\nfg", "h\n", "", "i\n"} {
		_, _ = io.WriteString(&l, part)
	}
	if string(l.text) != "i\n" {
		t.Errorf("last line: expected %q, got %q", "i\n", l.text)
	}
	var end tail
	for range 3 {
		_, _ = io.WriteString(&end, strings.Repeat("x", 1500)+"y")
	}
	if len(end.text) != tailSize || end.text[tailSize-1] != 'y' {
		t.Errorf("end: expected %d bytes up to y, got %d bytes: %q", tailSize, len(end.text), end.text)
	}
}
