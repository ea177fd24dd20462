package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// reading is what the long run uses at a moment.
type reading struct {
	Type        string  `json:"type"`
	Seconds     float64 `json:"seconds"`
	Rows        int64   `json:"rows"` // rows with a result
	RSS         int     `json:"rss_kb"`
	Threads     int     `json:"threads"`
	Descriptors int     `json:"descriptors"`
	Goroutines  int     `json:"goroutines"`
}

// take returns what a process uses, from /proc.
func take(pid int) (r reading, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return r, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		value, _, _ = strings.Cut(strings.TrimSpace(value), " ")
		switch name {
		case "VmRSS":
			r.RSS, err = strconv.Atoi(value)
		case "Threads":
			r.Threads, err = strconv.Atoi(value)
		}
		if err != nil {
			return r, err
		}
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	r.Descriptors = len(open)
	return r, err
}

// goroutines counts those of a process by what its runtime writes to standard error, which GODEBUG asks for.
type goroutines struct {
	last  atomic.Int64
	ended sync.WaitGroup
	other strings.Builder // the other lines, to be read when ended
}

// godebug returns the setting that makes Go's runtime print all goroutines to standard error.
func godebug(every time.Duration) string {
	return fmt.Sprintf("GODEBUG=schedtrace=%d,scheddetail=1", every.Milliseconds())
}

// follow starts to read standard error to its end.
func (g *goroutines) follow(errs io.Reader) {
	g.ended.Go(func() {
		lines, count := bufio.NewReader(errs), int64(0)
		for {
			line, err := lines.ReadBytes('\n')
			switch {
			case bytes.HasPrefix(line, []byte("SCHED ")):
				if count > 0 {
					g.last.Store(count)
				}
				count = 0
			case bytes.HasPrefix(line, []byte("  G")):
				if !bytes.Contains(line, []byte("status=6(")) { // free
					count++
				}
			case bytes.HasPrefix(line, []byte("  P")), bytes.HasPrefix(line, []byte("  M")):
			case g.other.Len() < 4000:
				g.other.Write(line)
			}
			if err != nil {
				return
			}
		}
	})
}

// span compares the first and the last quarter of a run by their medians.
type span struct {
	First int `json:"first_quarter"`
	Last  int `json:"last_quarter"`
	Most  int `json:"most"`
}

// spanOf returns the span of a figure over all readings.
func spanOf(all []reading, of func(*reading) int) (s span) {
	quarter := len(all) / 4
	values := make([]int, len(all))
	for i := range all {
		values[i] = of(&all[i])
		s.Most = max(s.Most, values[i])
	}
	s.First, s.Last = median(values[:quarter]), median(values[len(values)-quarter:])
	return s
}

func median(values []int) int {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// flat reports whether a figure has grown by at most a fifth, or by at most few.
func (s span) flat(few int) bool { return s.Last*5 <= s.First*6 || s.Last-s.First <= few }
