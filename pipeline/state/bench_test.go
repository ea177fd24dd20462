package state

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var full = flag.Bool("full", false, "measure ten million rows instead of a hundred thousand")

// rowOf is the n-th row of a test, in a version.
func rowOf(n, version int) (row Row) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range 2 {
		binary.LittleEndian.PutUint64(row.Person[8*i:], r.Uint64())
		binary.LittleEndian.PutUint64(row.Profile[8*i:], r.Uint64()+uint64(version))
	}
	return row
}

// TestSize: a state takes at most 60 bytes a row, also after all rows have changed in several runs, is filled faster than
// Klaviyo's quota allows (25,000 rows a second), and compares rows much faster than they are checked.
func TestSize(t *testing.T) {
	rows := 100_000
	if *full {
		rows = 10_000_000
	}
	name := filepath.Join(t.TempDir(), "state")
	s, err := Open(name, Binding{List: "L"})
	if err != nil {
		t.Fatal(err)
	}
	if !*full {
		s.most = 5_000
	}
	fill := func(from, to, version int) {
		began := time.Now()
		batch := make([]Row, 0, 10_000)
		for n := from; n < to; n++ {
			if batch = append(batch, rowOf(n, version)); len(batch) == cap(batch) || n == to-1 {
				if err := s.Remember(batch); err != nil {
					t.Fatal(err)
				}
				batch = batch[:0]
			}
		}
		perSecond := float64(to-from) / time.Since(began).Seconds()
		file, _ := os.Stat(name)
		t.Logf("version %d: %.0f rows/s, %.1f bytes a row, %s", version, perSecond, float64(file.Size())/float64(rows), peak())
		if *full && perSecond < 25_000 {
			t.Errorf("%.0f rows a second, want 25,000 or more", perSecond)
		}
	}
	fill(0, rows, 0)
	for version := 1; version <= 3; version++ {
		fill(0, rows/10, version) // some change in each run
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, _ := os.Stat(name)
	if most := int64(60*rows) + 1<<20; *full && file.Size() > most {
		t.Errorf("%d bytes for %d rows", file.Size(), rows)
	}
	if s, err = Open(name, Binding{List: "L"}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	part, kept := make([]Row, 1<<16), make([]Kept, 1<<16)
	var took time.Duration
	wrong, compared := 0, 0
	for from := 0; from < rows; from += len(part) {
		for i := range part {
			n := (from + i) * 7919 % rows // in another order than they came, where rows is no multiple of it
			if part[i] = rowOf(n, 0); n < rows/10 {
				part[i] = rowOf(n, 3)
			}
		}
		began := time.Now()
		if err := s.Compare(part, kept); err != nil {
			t.Fatal(err)
		}
		took += time.Since(began)
		for i := range part {
			compared++
			if kept[i] != Same {
				wrong++
			}
		}
	}
	t.Logf("%.0f compared a second, %s", float64(compared)/took.Seconds(), peak())
	if wrong > 0 {
		t.Errorf("%d of %d rows are not the same", wrong, rows)
	}
}

// peak is the greatest resident memory so far.
func peak() string {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "VmHWM") || strings.HasPrefix(line, "VmRSS") {
			return fmt.Sprint(strings.Fields(line)[1:])
		}
	}
	return ""
}
