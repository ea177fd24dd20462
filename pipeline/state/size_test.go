package state

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var full = flag.Int("full", 0, "measure with so many rows instead of 100,000")

// numbered returns the row of a number as it is in a given version.
func numbered(h *Hasher, n, version uint64) Row {
	text := binary.BigEndian.AppendUint64(nil, n)
	return Row{h.Person(text), h.Profile(binary.BigEndian.AppendUint64(text, version))}
}

// A large file takes at most 60 bytes a row, also after many changes, and all that was remembered is the same
// afterwards.
// With -full=10000000 the rates and the process's memory are those of a large list.
func TestSizeAndRates(t *testing.T) {
	rows, limit, most := 100_000, 10_000, 64.0 // what the file grows by in one step counts for a small one
	if *full > 0 {
		rows, limit, most = *full, mergeLimit, 60
	}
	name := filepath.Join(t.TempDir(), "state")
	s := open(t, name, limit)
	h := s.Hasher()
	const batch = 10_000
	part := make([]Row, 0, batch)
	began := time.Now()
	for n := range rows {
		part = append(part, numbered(h, uint64(n), 0))
		if len(part) == batch || n == rows-1 {
			if err := s.Remember(part); err != nil {
				t.Fatal(err)
			}
			part = part[:0]
		}
	}
	rate := func(what string, rows int) {
		t.Logf("%s: %.0f rows/s, %s", what, float64(rows)/time.Since(began).Seconds(), memory(t))
	}
	rate("filled", rows)
	size(t, s, rows, most)

	for round := range uint64(100) { // each changes one row of a hundred
		var persons []Hash
		part = part[:0]
		for n := round; n < uint64(rows); n += 100 {
			r := numbered(h, n, 1)
			part, persons = append(part, r), append(persons, r.Person)
		}
		if err := s.Forget(persons); err != nil {
			t.Fatal(err)
		}
		if err := s.Remember(part); err != nil {
			t.Fatal(err)
		}
	}
	size(t, s, rows, most)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	s = open(t, name, limit)
	t.Logf("opened in %v, %d rows in recent", time.Since(began), len(s.recent.profiles))
	h = s.Hasher()

	for _, pass := range []string{"compared first", "compared again"} {
		const many = 65_536
		sent, kept := make([]Row, 0, many), make([]Kept, many)
		spent, peak := time.Duration(0), 0
		for i := range rows {
			sent = append(sent, numbered(h, uint64(i), 1))
			if len(sent) < many && i < rows-1 {
				continue
			}
			began := time.Now()
			if err := s.Compare(sent, kept); err != nil {
				t.Fatal(err)
			}
			spent += time.Since(began)
			for i := range sent {
				if kept[i] != Same {
					t.Fatalf("row %d is %d", i, kept[i])
				}
			}
			sent = sent[:0]
			peak = max(peak, resident(t))
		}
		t.Logf("%s: %.0f rows/s, at most %d MB resident, %s", pass, float64(rows)/spent.Seconds(), peak>>20, memory(t))
	}
}

// size fails the test when the file has more than so many bytes a row.
func size(t *testing.T, s *State, rows int, most float64) {
	t.Helper()
	info, err := os.Stat(s.name)
	if err != nil {
		t.Fatal(err)
	}
	per := float64(info.Size()) / float64(rows)
	t.Logf("%.1f bytes a row", per)
	if per > most {
		t.Errorf("the file has %.1f bytes a row", per)
	}
}

// resident returns how many bytes of memory the process has now, or 0 where the system does not say.
func resident(t *testing.T) int { return status(t, "VmRSS:") }

func memory(t *testing.T) string { return fmt.Sprintf("%d MB at most", status(t, "VmHWM:")>>20) }

func status(t *testing.T, line string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), line)
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
