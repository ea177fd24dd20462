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
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestDisplay(t *testing.T) {
	sending := Moment{Rows: Rows{Read: 1_240_000, Rejected: 31}, Requests: 124, Jobs: 110, JobsEnded: 98}
	paused := sending
	paused.Closed, paused.Throttled, paused.Retried = 11*time.Second+time.Millisecond, 3, 2
	waiting := sending
	waiting.InputEnded, waiting.Waiting, waiting.WaitLeft = true, true, 52*time.Minute+10*time.Second+900*time.Millisecond
	waiting.JobRows, waiting.JobRowsDone = 120_000, 57_600
	untold := waiting
	untold.JobRows, untold.JobRowsDone = 0, 0
	late := waiting
	late.JobRowsDone, late.WaitLeft = 130_000, -time.Second
	part := waiting
	part.JobRows, part.JobRowsDone = 100, 29
	done := waiting
	done.JobsEnded = done.Jobs
	ahead := done
	ahead.JobsEnded++
	for _, c := range []struct {
		name   string
		moment Moment
		rate   float64
		width  int
		want   string
	}{
		{"begin", Moment{}, -1, 40, "add VIP · rows 0 · rejected 0"},
		{"check", Moment{Rows: Rows{Read: 999}}, 0.26, 40, "rows 999 · 0.3/s · rejected 0"},
		{"sending", sending, 82_310.4, 8, ""},
		{"sending", sending, 82_310.4, 12, "1,240,000"},
		{"sending", sending, 82_310.4, 40, "rows 1,240,000 · rejected 31"},
		{"sending", sending, 1, 58, "rows 1,240,000 · 1.0/s · rejected 31"}, // with room for more in the rate, or it would come and go
		{"sending", sending, 82_310.4, 80, "rows 1,240,000 · 82,310/s · rejected 31 · jobs 12 open, 98 done"},
		{"sending", sending, 82_310.4, 120, "add VIP · rows 1,240,000 · 82,310/s · rejected 31 · requests 124 · throttled 0 · jobs 12 open, 98 done"},
		{"paused", paused, 0, 40, "rows 1,240,000 · paused 12s"},
		{"paused", paused, 0, 80, "rows 1,240,000 · 0/s · rejected 31 · Klaviyo paused us: 12s"},
		{"paused", paused, 0, 120, "rows 1,240,000 · 0/s · rejected 31 · requests 124 · jobs 12 open, 98 done · Klaviyo paused us: 12s"},
		{"paused", paused, 0, 160, "add VIP · rows 1,240,000 · 0/s · rejected 31 · requests 124 · retried 2 · throttled 3 · jobs 12 open, 98 done · Klaviyo paused us: 12s"},
		{"waiting", waiting, 0, 8, ""},
		{"waiting", waiting, 0, 11, "1,240,000"},
		{"waiting", waiting, 0, 12, "1,240,000\n52m10s left"},
		{"waiting", waiting, 0, 20, "rows 1,240,000\n52m10s left"},
		{"waiting", waiting, 0, 30, "rows 1,240,000 · rejected 31\nwaiting: 48 % · 52m10s left"},
		{"waiting", waiting, 0, 40, "rows 1,240,000 · rejected 31\nwaiting: [===>    ] 48 % · 52m10s left"},
		{"waiting", waiting, 0, 80, "rows 1,240,000 · rejected 31 · requests 124 · jobs 12 open, 98 done\n" +
			"waiting: jobs 12 open [========>          ] 48 % of 120,000 rows · 52m10s left"},
		{"waiting", waiting, 0, 120, "add VIP · rows 1,240,000 · rejected 31 · requests 124 · throttled 0 · jobs 12 open, 98 done\n" +
			"waiting: jobs 12 open [=============>                ] 48 % of 120,000 rows · 52m10s left"},
		{"untold", untold, 0, 80, "rows 1,240,000 · rejected 31 · requests 124 · jobs 12 open, 98 done\nwaiting: jobs 12 open · 52m10s left"},
		{"part", part, 0, 30, "rows 1,240,000 · rejected 31\nwaiting: 29 % · 52m10s left"},
		{"late", late, 0, 40, "rows 1,240,000 · rejected 31\nwaiting: [==========>] 100 % · 0s left"},
		{"done", done, 0, 60, "rows 1,240,000 · rejected 31 · jobs 0 open, 110 done"},
		{"ahead", ahead, 0, 60, "rows 1,240,000 · rejected 31 · jobs 0 open, 111 done"},
	} {
		got := strings.TrimSuffix(c.moment.summary("add VIP", c.rate, c.width)+"\n"+c.moment.waiting(c.width), "\n")
		if got != c.want {
			t.Errorf("%s, %d columns:\n%s\nwant:\n%s", c.name, c.width, got, c.want)
		}
	}
}

// No line ever fills the last column, not even where all that is not ASCII takes two.
func TestDisplayNeverWraps(t *testing.T) {
	count := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Min(0))
	span := rapid.Map(rapid.Int64(), func(n int64) time.Duration { return time.Duration(n) })
	rapid.Check(t, func(t *rapid.T) {
		m := Moment{
			Rows: Rows{Read: count.Draw(t, "read"), Rejected: count.Draw(t, "rejected")}, Requests: count.Draw(t, "requests"),
			Retried: count.Draw(t, "retried"), Throttled: count.Draw(t, "throttled"), Closed: span.Draw(t, "closed"),
			Jobs: count.Draw(t, "jobs"), JobsEnded: count.Draw(t, "ended"), JobRows: count.Draw(t, "job rows"),
			JobRowsDone: count.Draw(t, "done"), Waiting: rapid.Bool().Draw(t, "waiting"), WaitLeft: span.Draw(t, "left"),
		}
		width := rapid.IntRange(1, 200).Draw(t, "width")
		rate := rapid.Float64Range(-1, 1e7).Draw(t, "rate")
		for _, line := range []string{m.summary(rapid.String().Draw(t, "title"), rate, width), m.waiting(width)} {
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Errorf("%q holds a control character", line)
			}
			taken := 0
			for _, r := range line {
				taken += min(utf8.RuneLen(r), 2)
			}
			if taken >= width {
				t.Errorf("%q takes %d of %d columns", line, taken, width)
			}
		}
	})
}

func TestPace(t *testing.T) {
	var p pace
	begin := time.Now()
	var got []string
	rows := int64(0)
	for i := range 151 { // 5 s at 1,000 a second, 5 s at none, 20 s at 100
		switch {
		case i > 50:
			rows += 20
		case i > 0 && i <= 25:
			rows += 200
		}
		rate := p.rate(begin.Add(time.Duration(i)*drawEvery), rows)
		if i%25 == 4 {
			got = append(got, fmt.Sprintf("%.0f", rate))
		}
	}
	want := []string{"-1", "862", "428", "58", "100", "100"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(p.samples); n > 52 {
		t.Errorf("%d samples are kept", n)
	}
}

// terminal is what a terminal emulator makes of what is written to it. It wraps lines anew when it is resized, and then
// takes the cursor along, as those do that people use.
type terminal struct {
	mu       sync.Mutex
	width    int
	rows     [][]rune
	wrapped  []bool // the row goes on in the next one
	row, col int
	writes   int
	err      error
}

func newTerminal(width int) *terminal {
	return &terminal{width: width, rows: [][]rune{nil}, wrapped: []bool{false}}
}

func (s *terminal) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	s.writes++
	for text := string(b); text != ""; {
		var n int
		switch {
		case strings.HasPrefix(text, "\x1b[K"):
			s.erase()
			text = text[3:]
		case strings.HasPrefix(text, "\x1b[J"):
			s.erase()
			s.rows, s.wrapped = s.rows[:s.row+1], s.wrapped[:s.row+1]
			text = text[3:]
		case text[0] == '\x1b':
			if _, err := fmt.Sscanf(text, "\x1b[%dA", &n); err != nil {
				panic(fmt.Sprintf("control sequence %.10q", text))
			}
			s.row = max(s.row-n, 0)
			_, text, _ = strings.Cut(text, "A")
		default:
			r, size := utf8.DecodeRuneInString(text)
			s.put(r)
			text = text[size:]
		}
	}
	return len(b), nil
}

func (s *terminal) put(r rune) {
	switch {
	case r == '\r':
		s.col = 0
		return
	case r == '\n':
		s.down()
		return
	case s.col == s.width:
		s.wrapped[s.row] = true
		s.down()
	}
	for len(s.rows[s.row]) <= s.col {
		s.rows[s.row] = append(s.rows[s.row], ' ')
	}
	s.rows[s.row][s.col] = r
	s.col++
}

func (s *terminal) down() {
	s.row, s.col = s.row+1, 0
	if s.row == len(s.rows) {
		s.rows, s.wrapped = append(s.rows, nil), append(s.wrapped, false)
	}
}

// erase does so to the end of the row, and loses a last column that has just been filled.
func (s *terminal) erase() {
	s.col = min(s.col, s.width-1)
	s.rows[s.row] = s.rows[s.row][:min(s.col, len(s.rows[s.row]))]
	s.wrapped[s.row] = false
}

func (s *terminal) resize(width int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, wrapped, row, col := s.rows, s.wrapped, s.row, s.col
	s.width, s.rows, s.wrapped, s.row, s.col = width, [][]rune{nil}, []bool{false}, 0, 0
	atRow, atCol := 0, 0
	for i, text := range rows {
		if i == row {
			atRow, atCol = s.row, s.col+col
			if atCol >= width {
				atRow, atCol = atRow+atCol/width, atCol%width
			}
		}
		for _, r := range text {
			s.put(r)
		}
		if !wrapped[i] && i < len(rows)-1 {
			s.down()
		}
	}
	s.row, s.col = atRow, atCol
}

func (s *terminal) columns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width
}

func (s *terminal) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, row := range s.rows {
		b.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// stage is a Progress on a terminal, within a bubble of synctest.
type stage struct {
	t        *testing.T
	terminal *terminal
	progress *Progress

	mu     sync.Mutex
	moment Moment
}

func onStage(t *testing.T, width int, play func(*stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, terminal: newTerminal(width)}
		s.progress = NewProgress(s.terminal, "", s.terminal.columns, func() Moment {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.moment
		})
		play(s)
		s.progress.Close()
	})
}

// now changes the moment.
func (s *stage) now(change func(*Moment)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.moment)
}

// drawing lets a drawing come, with which the terminal is to show that.
func (s *stage) drawing(want string) {
	s.t.Helper()
	time.Sleep(drawEvery)
	synctest.Wait()
	s.shows(want)
}

func (s *stage) shows(want string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.terminal.String()); diff != "" {
		s.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (s *stage) write(text string) {
	s.t.Helper()
	if n, err := s.progress.Write([]byte(text)); n != len(text) || err != nil {
		s.t.Errorf("Write returned %d, %v", n, err)
	}
}

func TestProgress(t *testing.T) {
	onStage(t, 40, func(s *stage) {
		s.now(func(m *Moment) { m.Rows.Read = 5 })
		s.drawing("rows 5 · rejected 0")
		s.now(func(m *Moment) { m.Rows.Read = 1000 })
		s.write("first\n")
		s.drawing("first\nrows 1,000 · rejected 0")
		s.now(func(m *Moment) { m.Waiting, m.InputEnded, m.Jobs, m.WaitLeft = true, true, 2, time.Minute })
		s.write("second is longer than forty columns, and goes on\nthi")
		s.drawing("first\nsecond is longer than forty columns, and\n goes on\nrows 1,000 · jobs 2 open, 0 done\nwaiting: jobs 2 open · 1m0s left")
		s.write("rd\n\nfourth\n")
		s.now(func(m *Moment) { m.JobsEnded = 2 })
		s.drawing("first\nsecond is longer than forty columns, and\n goes on\nthird\n\nfourth\nrows 1,000 · jobs 0 open, 2 done")
		s.write("fifth\nsixth")
		s.progress.Close()
		above := "first\nsecond is longer than forty columns, and\n goes on\nthird\n\nfourth\nfifth\nsixth"
		s.shows(above)
		s.progress.Close()
		s.write(" ended\nseventh")
		s.shows(above + " ended\nseventh")
	})
}

func TestProgressDrawsOnlyChanges(t *testing.T) {
	onStage(t, 40, func(s *stage) {
		s.now(func(m *Moment) { m.InputEnded = true }) // no rate
		time.Sleep(time.Minute)
		s.drawing("rows 0 · rejected 0")
		for range 100 { // in 10 s
			s.now(func(m *Moment) { m.Rows.Read++ })
			time.Sleep(drawEvery / 2)
		}
		s.drawing("rows 100 · rejected 0")
		if s.terminal.writes != 51 {
			t.Errorf("%d writes, want 51", s.terminal.writes)
		}
	})
}

// Whatever the width changes to between two drawings, the next one finds its place.
func TestProgressResized(t *testing.T) {
	onStage(t, 120, func(s *stage) {
		s.now(func(m *Moment) {
			*m = Moment{Rows: Rows{Read: 1_240_000, Rejected: 31}, Requests: 124, InputEnded: true, Waiting: true, Jobs: 9, JobRows: 1000, WaitLeft: time.Hour}
		})
		s.write("a line above\n")
		s.drawing("a line above\nrows 1,240,000 · rejected 31 · requests 124 · throttled 0 · jobs 9 open, 0 done\n" +
			"waiting: jobs 9 open [                              ] 0 % of 1,000 rows · 1h0m0s left")
		s.terminal.resize(30)
		if n := len(s.terminal.rows); n != 7 {
			t.Errorf("the terminal has %d rows, want 1 + 3 + 3", n)
		}
		s.now(func(m *Moment) { m.Rows.Read++ })
		s.drawing("a line above\nrows 1,240,001 · rejected 31\nwaiting: 0 % · 1h0m0s left")
		s.terminal.resize(8)
		s.drawing("a line a\nbove")
		s.terminal.resize(200)
		s.now(func(m *Moment) { m.Waiting = false })
		s.drawing("a line above\nrows 1,240,001 · rejected 31 · requests 124 · throttled 0 · jobs 9 open, 0 done")
		s.terminal.resize(20)
		s.progress.Close()
		s.shows("a line above")
		s.write("the next\n")
		s.shows("a line above\nthe next")
	})
}

// What ends before its first drawing writes nothing but its lines.
func TestProgressClosedAtOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	var out bytes.Buffer
	p := NewProgress(&out, "", func() int { return 0 }, func() Moment { return Moment{} })
	fmt.Fprint(p, "a line\nand ")
	p.Close()
	fmt.Fprint(p, "another\n")
	if got := out.String(); got != "a line\nand another\n" {
		t.Errorf("%q was written", got)
	}
}

// A terminal that tells no width has 80 columns.
func TestProgressWithoutWidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := newTerminal(anyWidth)
		p := NewProgress(screen, strings.Repeat("長い名前", 20), func() int { return 0 }, func() Moment { return Moment{} })
		defer p.Close()
		time.Sleep(drawEvery)
		synctest.Wait()
		if got, want := screen.String(), strings.Repeat("長い名前", 5)[:19*3]+"… · rows 0 · rejected 0"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// A terminal that has gone ends the drawing, and lines get its error.
func TestProgressTerminalGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("input/output error")
		screen := newTerminal(80)
		screen.err = gone
		p := NewProgress(screen, "", func() int { return 80 }, func() Moment { return Moment{} })
		time.Sleep(drawEvery)
		synctest.Wait()
		if _, err := p.Write([]byte("a line\n")); err != gone {
			t.Errorf("Write returned %v", err)
		}
		p.Close()
	})
}

// alone is an output that is written to by one goroutine at a time.
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

// Lines that are written at once, while the display is closed, stand whole on the terminal.
func TestProgressWritersAtOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	const writers, lines = 8, 50
	screen := newTerminal(80)
	out := &alone{out: screen}
	p := NewProgress(out, "", screen.columns, func() Moment { return Moment{} })
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
		t.Errorf("written to at once: %v; (-want +got):\n%s", out.overlapped.Load(), diff)
	}
}

func TestInteractive(t *testing.T) {
	t.Setenv("TERM", "xterm")
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if Interactive(null) {
		t.Error(os.DevNull + " is taken for a terminal")
	}
	tty := openTerminal(t)
	for kind, want := range map[string]bool{"xterm": true, "dumb": false, "": false} {
		t.Setenv("TERM", kind)
		if got := Interactive(tty); got != want {
			t.Errorf("TERM=%q: %v", kind, got)
		}
	}
}

// openTerminal returns the controlling side of a new pseudo-terminal, which is a terminal, too.
func openTerminal(t *testing.T) *os.File {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals: ", err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty
}
