package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"klaviyo-export/report"
)

// Lines of messages stand above the display, unfinished lines wait for their end, and Close removes the display.
func TestProgress(t *testing.T) {
	onStage(t, 40, func(s *stage) {
		s.now(func(m *report.Moment) { m.Rows.Read = 5 })
		s.drawing("rows 5 · rejected 0")
		s.now(func(m *report.Moment) { m.Rows.Read = 1000 })
		s.write("first\n")
		s.drawing("first\nrows 1,000 · rejected 0")
		s.now(func(m *report.Moment) { m.Waiting, m.InputEnded, m.Jobs, m.WaitLeft = true, true, 2, time.Minute })
		s.write("second is longer than forty columns, and goes on\nthi")
		s.drawing("first\nsecond is longer than forty columns, and\n goes on\n" +
			"rows 1,000 · jobs 2 open, 0 done\nwaiting · gives up in 1m0s")
		s.write("rd\n\nfourth\n")
		s.now(func(m *report.Moment) { m.JobsEnded = 2 })
		s.drawing("first\nsecond is longer than forty columns, and\n goes on\nthird\n\nfourth\n" +
			"rows 1,000 · jobs 0 open, 2 done")
		s.write("fifth\nsixth")
		s.progress.Close()
		above := "first\nsecond is longer than forty columns, and\n goes on\nthird\n\nfourth\nfifth\nsixth"
		s.shows(above)
		s.progress.Close()
		s.write(" ended\nseventh")
		s.shows(above + " ended\nseventh")
	})
}

// The terminal gets a write for each change only, at most five per second. The elapsed time changes once a second.
func TestProgressDrawsOnlyChanges(t *testing.T) {
	onStage(t, 60, func(s *stage) {
		s.now(func(m *report.Moment) { m.InputEnded = true }) // no rate
		time.Sleep(time.Minute)
		s.drawing("rows 0 · rejected 0 · elapsed 1m0s")
		if s.terminal.writes != 61 {
			t.Errorf("got %d writes in the first minute, expected 61", s.terminal.writes)
		}
		for range 100 { // in 10 s
			s.now(func(m *report.Moment) { m.Rows.Read++ })
			time.Sleep(drawEvery / 2)
		}
		s.drawing("rows 100 · rejected 0 · elapsed 1m10s")
		if s.terminal.writes != 61+50 {
			t.Errorf("got %d writes, expected 50 more", s.terminal.writes)
		}
	})
}

// After a change of the width the next drawing finds its place.
func TestProgressResized(t *testing.T) {
	onStage(t, 120, func(s *stage) {
		s.now(func(m *report.Moment) {
			*m = report.Moment{
				Rows: report.Rows{Read: 1_240_000, Rejected: 31}, Requests: 124, InputEnded: true,
				Waiting: true, Jobs: 9, JobRows: 1000, WaitLeft: time.Hour,
			}
		})
		s.write("a line above\n")
		s.drawing("a line above\nrows 1,240,000 · rejected 31 · requests 124 · throttled 0 · jobs 9 open, 0 done\n" +
			"waiting: jobs 9 open [                              ] 0 % of 1,000 rows · gives up in 1h0m0s")
		s.terminal.resize(30)
		if n := len(s.terminal.rows); n != 8 {
			t.Errorf("the terminal has %d rows, expected 1 + 3 + 4", n)
		}
		s.now(func(m *report.Moment) { m.Rows.Read++ })
		s.drawing("a line above\nrows 1,240,001 · rejected 31\n0 % · gives up in 1h0m0s")
		s.terminal.resize(8)
		s.drawing("a line a\nbove")
		s.terminal.resize(200)
		s.now(func(m *report.Moment) { m.Waiting = false })
		s.drawing("a line above\nrows 1,240,001 · rejected 31 · requests 124 · throttled 0 · jobs 9 open, 0 done")
		s.terminal.resize(20)
		s.progress.Close()
		s.shows("a line above")
		s.write("the next\n")
		s.shows("a line above\nthe next")
	})
}

// A Progress that is closed before its first drawing only writes its lines.
func TestProgressClosedAtOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	var out bytes.Buffer
	p := NewProgress(&out, "", func() int { return 0 }, func() report.Moment { return report.Moment{} })
	fmt.Fprint(p, "a line\nand ")
	p.Close()
	fmt.Fprint(p, "another\n")
	if got := out.String(); got != "a line\nand another\n" {
		t.Errorf("got %q", got)
	}
}

// A terminal without a known width counts as 80 columns wide.
func TestProgressWithoutWidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := newTerminal(anyWidth)
		title := strings.Repeat("長い名前", 20)
		p := NewProgress(screen, title, func() int { return 0 }, func() report.Moment { return report.Moment{} })
		defer p.Close()
		time.Sleep(drawEvery)
		synctest.Wait()
		want := strings.Repeat("長い名前", 5)[:19*3] + "… · rows 0 · rejected 0"
		if got := screen.String(); got != want {
			t.Errorf("got %q, expected %q", got, want)
		}
	})
}

// When the terminal is gone, drawing ends and Write returns the error.
func TestProgressTerminalGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("input/output error")
		screen := newTerminal(80)
		screen.err = gone
		p := NewProgress(screen, "", func() int { return 80 }, func() report.Moment { return report.Moment{} })
		time.Sleep(drawEvery)
		synctest.Wait()
		if _, err := p.Write([]byte("a line\n")); err != gone {
			t.Errorf("Write returned %v", err)
		}
		p.Close()
	})
}

// alone is an output that notices writes at the same time.
type alone struct {
	out        io.Writer
	busy       atomic.Bool
	overlapped atomic.Bool
}

func (a *alone) Write(b []byte) (int, error) {
	if !a.busy.CompareAndSwap(false, true) {
		a.overlapped.Store(true)
	}
	defer a.busy.Store(false)
	for range 100 {
		runtime.Gosched()
	}
	return a.out.Write(b)
}

// Lines from several goroutines stay whole, also while the display closes.
func TestProgressWritersAtOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	const writers, lines = 8, 50
	screen := newTerminal(80)
	out := &alone{out: screen}
	p := NewProgress(out, "", screen.columns, func() report.Moment { return report.Moment{} })
	var ended sync.WaitGroup
	var want []string
	for w := range writers {
		for i := range lines {
			want = append(want, fmt.Sprintf("writer %d line %d", w, i))
		}
		own := want[w*lines:]
		ended.Go(func() {
			for _, line := range own {
				fmt.Fprintln(p, line)
				if line == "writer 3 line 20" {
					p.Close()
				}
			}
		})
	}
	ended.Wait()
	got := strings.Split(screen.String(), "\n")
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || out.overlapped.Load() {
		t.Errorf("writes overlapped: %v; (-want +got):\n%s", out.overlapped.Load(), diff)
	}
}

// A display needs a terminal, and a TERM that is not empty and not dumb.
func TestInteractive(t *testing.T) {
	t.Setenv("TERM", "xterm")
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if Interactive(null) {
		t.Error(os.DevNull + " counts as a terminal")
	}
	tty := openTerminal(t)
	for kind, want := range map[string]bool{"xterm": true, "dumb": false, "": false} {
		t.Setenv("TERM", kind)
		if got := Interactive(tty); got != want {
			t.Errorf("TERM=%q: got %v, expected %v", kind, got, want)
		}
	}
}

// openTerminal returns the controlling side of a new pseudo-terminal. It is a terminal too.
func openTerminal(t *testing.T) *os.File {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals: ", err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty
}
