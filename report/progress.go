package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

const (
	drawEvery = 200 * time.Millisecond
	// paceOver is the time over which rows a second are counted.
	paceOver = 10 * time.Second
	// anyWidth is taken where a terminal does not tell its width.
	anyWidth = 80
)

// Moment is the state of a run as a display shows it. Counts are totals since the run began.
type Moment struct {
	Rows        Rows // Read as far as the input was read and checked, the others as far as results are written
	Requests    int64
	Retried     int64
	Throttled   int64
	Closed      time.Duration // for which Klaviyo has closed an endpoint from now on, 0 = open
	Jobs        int64         // import jobs taken
	JobsEnded   int64         // of these known to have ended
	JobRows     int64         // rows of the jobs waited for now, 0 = unknown
	JobRowsDone int64         // of these worked off, as far as Klaviyo told
	Waiting     bool          // for the end of jobs
	WaitLeft    time.Duration // until the time limit of the job that was taken first
	InputEnded  bool
}

// Interactive reports whether w is a terminal on which a display can be drawn: TERM is neither empty nor dumb.
func Interactive(w *os.File) bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb" && term.IsTerminal(int(w.Fd()))
}

// Progress draws a run's state on a terminal, five times a second where it changes, and keeps it below the lines for people.
type Progress struct {
	mu     sync.Mutex
	screen *screen
	bars   *mpb.Progress
	bar    *mpb.Bar
}

// NewProgress starts drawing on w, which is a terminal of width columns (asked for at each drawing). The title may be empty.
// Width and source are called by another goroutine; neither may call the Progress.
func NewProgress(w io.Writer, title string, width func() int, source func() Moment) *Progress {
	s := &screen{out: w, width: width}
	// The goroutines that draw are mpb's. Close waits for them.
	bars := mpb.New(mpb.WithConsoleWriter(s), mpb.WithRefreshRate(drawEvery))
	var pace pace
	var second string
	bar, err := bars.Add(0, mpb.BarFillerFunc(func(to io.Writer, size decor.Statistics) error {
		m := source()
		rate := pace.rate(time.Now(), m.Rows.Read)
		second = m.waiting(size.AvailableWidth)
		_, err := io.WriteString(to, m.summary(title, rate, size.AvailableWidth))
		return err
	}), mpb.BarFillerTrim(), mpb.BarBtmExtender(mpb.BarFillerFunc(func(to io.Writer, _ decor.Statistics) error {
		if second == "" {
			return nil
		}
		_, err := io.WriteString(to, second+"\n")
		return err
	})))
	if err != nil {
		panic(err) // only after Wait
	}
	return &Progress{screen: s, bars: bars, bar: bar}
}

// Write prints lines above the display, with its next drawing. A line that is not ended yet waits for its end. After Close
// it writes to the terminal directly. It may be called at once.
func (p *Progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, err := p.bars.Write(b); err == nil {
		return n, nil
	}
	return p.screen.out.Write(b) // closed, or a drawing has failed
}

// Close removes the display and returns when nothing is drawn any more. It may be called again.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screen.closed.Store(true)
	p.bar.Abort(true)
	p.bars.Wait()
	p.screen.clear()
}

// screen is mpb's terminal. The cursor rests where the display begins and not below it: a terminal that is resized wraps the
// display's lines anew, but takes the cursor along with its character.
type screen struct {
	out    io.Writer
	width  func() int
	closed atomic.Bool  // nothing more is drawn
	above  []byte       // lines for people that are not printed yet
	next   bytes.Buffer // the display to draw, each line with its end
	drawn  []byte       // the display as it stands there
	buf    []byte
}

// Write takes lines for people.
func (s *screen) Write(b []byte) (int, error) {
	s.above = append(s.above, b...)
	return len(b), nil
}

// ReadFrom takes a line of the display.
func (s *screen) ReadFrom(r io.Reader) (int64, error) { return s.next.ReadFrom(r) }

// IsTerminal makes mpb draw by itself, at the size from GetTermSize.
func (s *screen) IsTerminal() bool { return true }

// GetTermSize returns the width, and room for the display's two lines.
func (s *screen) GetTermSize() (width, height int, err error) {
	if width = s.width(); width <= 0 {
		width = anyWidth
	}
	return width, 2, nil
}

// Flush prints and draws in one write what has come since the last time.
func (s *screen) Flush(int) error {
	defer s.next.Reset()
	if s.closed.Load() {
		return nil
	}
	return s.draw(bytes.TrimRight(s.next.Bytes(), "\n"), bytes.LastIndexByte(s.above, '\n')+1)
}

// clear removes the display and prints what is left. Its error is of no use: the terminal is gone.
func (s *screen) clear() { _ = s.draw(nil, len(s.above)) }

// draw prints the first bytes of the lines for people and draws the display below.
func (s *screen) draw(display []byte, above int) error {
	if above == 0 && bytes.Equal(display, s.drawn) {
		return nil
	}
	b := s.buf[:0]
	if len(s.drawn) > 0 {
		b = append(b, '\r')
		if above > 0 || len(display) == 0 {
			b = append(b, eraseBelow...)
		}
	}
	b = append(b, s.above[:above]...)
	s.above = append(s.above[:0], s.above[above:]...)
	if len(display) > 0 {
		b = appendDisplay(b, display)
	}
	s.drawn = append(s.drawn[:0], display...)
	s.buf = b
	_, err := s.out.Write(b)
	return err
}

// Control sequences of ECMA-48, which every terminal knows.
const (
	eraseLine  = "\x1b[K" // from the cursor on
	eraseBelow = "\x1b[J" // from the cursor on, to the end of the screen
	cursorUp   = "\x1b[%dA"
)

// appendDisplay writes over what stands there, so that nothing flickers, and puts the cursor where it was.
func appendDisplay(b, display []byte) []byte {
	b = append(b, bytes.ReplaceAll(display, []byte("\n"), []byte(eraseLine+"\n"))...)
	b = append(b, eraseBelow+"\r"...)
	if below := bytes.Count(display, []byte("\n")); below > 0 {
		b = fmt.Appendf(b, cursorUp, below)
	}
	return b
}

// pace counts rows a second.
type pace struct{ samples []sample }

type sample struct {
	at   time.Time
	rows int64
}

// rate returns rows a second over the last paceOver, or -1 in the first second.
func (p *pace) rate(now time.Time, rows int64) float64 {
	p.samples = append(p.samples, sample{now, rows})
	for len(p.samples) > 2 && now.Sub(p.samples[1].at) >= paceOver {
		p.samples = slices.Delete(p.samples, 0, 1)
	}
	first := p.samples[0]
	if span := now.Sub(first.at); span >= time.Second {
		return float64(rows-first.rows) / span.Seconds()
	}
	return -1
}

const between = " · "

// field is a part of the summary.
type field struct {
	rank  int      // what does not fit is left out with all of higher ranks
	forms []string // longest first
	room  int      // columns to take at least, so that a changing number does not push others in and out
	shown string
}

// summary is the display's first line, of fewer than width columns.
func (m Moment) summary(title string, rate float64, width int) string {
	all := m.fields(title, rate)
	ranked := slices.SortedStableFunc(slices.Values(all), func(a, b *field) int { return cmp.Compare(a.rank, b.rank) })
	left := width - 1 + columns(between)
	for _, f := range ranked {
		takes := func(form string) int { return max(columns(form), f.room) + columns(between) }
		i := slices.IndexFunc(f.forms, func(form string) bool { return takes(form) <= left })
		if i < 0 {
			break
		}
		f.shown = f.forms[i]
		left -= takes(f.shown)
	}
	var shown []string
	for _, f := range all {
		if f.shown != "" {
			shown = append(shown, f.shown)
		}
	}
	return strings.Join(shown, between)
}

func (m Moment) fields(title string, rate float64) []*field {
	var list []*field
	add := func(when bool, rank, room int, forms ...string) {
		if when {
			list = append(list, &field{rank: rank, room: room, forms: forms})
		}
	}
	rows, requests := grouped(m.Rows.Read), "requests "+grouped(m.Requests)
	rejected := 5
	if m.Rows.Rejected > 0 {
		rejected = 2
	}
	add(title != "", 9, 0, clipped(visible(title), 40))
	add(true, 0, 0, "rows "+rows, rows)
	add(rate >= 0 && !m.InputEnded, 3, len("100,000/s"), perSecond(rate))
	add(true, rejected, 0, "rejected "+grouped(m.Rows.Rejected))
	add(m.Requests > 0, 6, 0, requests)
	add(m.Retried > 0, 8, 0, "retried "+grouped(m.Retried))
	add(m.Requests > 0, 7, 0, "throttled "+grouped(m.Throttled))
	add(m.Jobs > 0, 4, 0, m.jobs()+", "+grouped(m.JobsEnded)+" done", m.jobs())
	closed := (m.Closed + time.Second - 1).Truncate(time.Second).String()
	add(m.Closed > 0, 1, 0, "Klaviyo paused us: "+closed, "paused "+closed)
	return list
}

func (m Moment) jobs() string { return "jobs " + grouped(m.openJobs()) + " open" }

// openJobs bears that the two counts are not taken at the same instant.
func (m Moment) openJobs() int64 { return max(m.Jobs-m.JobsEnded, 0) }

var barStyle = mpb.BarStyle().Padding(" ")

const (
	leastBar = 8
	mostBar  = 32
)

// waiting is the display's second line, of fewer than width columns, or empty.
func (m Moment) waiting(width int) string {
	if !m.Waiting || m.openJobs() == 0 {
		return ""
	}
	rest := max(m.WaitLeft, 0).Truncate(time.Second).String() + " left"
	jobs := "waiting: " + m.jobs()
	if m.JobRows > 0 {
		done := max(min(m.JobRowsDone, m.JobRows), 0)
		share := strconv.FormatInt(int64(float64(done)*100/float64(m.JobRows)), 10) + " %"
		for _, form := range [][2]string{
			{jobs, share + " of " + grouped(m.JobRows) + " rows" + between + rest},
			{jobs, share + between + rest},
			{"waiting:", share + between + rest},
		} {
			if room := width - 1 - columns(form[0]) - columns(form[1]) - 2; room >= leastBar {
				return form[0] + " " + drawBar(done, m.JobRows, min(room, mostBar)) + " " + form[1]
			}
		}
		jobs = "waiting: " + share
	}
	for _, form := range []string{jobs + between + rest, "waiting" + between + rest, rest} {
		if columns(form) < width {
			return form
		}
	}
	return ""
}

func drawBar(done, total int64, width int) string {
	var b strings.Builder
	_ = barStyle.Build().Fill(&b, decor.Statistics{AvailableWidth: width, Total: total, Current: done}) // a strings.Builder never fails
	return b.String()
}

// columns bounds from above how wide a terminal shows text: what is not ASCII may take two columns.
func columns(text string) int {
	ascii := 0
	for i := range len(text) {
		if text[i] < utf8.RuneSelf {
			ascii++
		}
	}
	return 2*utf8.RuneCountInString(text) - ascii
}

// clipped cuts text to width columns.
func clipped(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	left := width - columns("…")
	for i, r := range text {
		if left -= columns(string(r)); left < 0 {
			return text[:i] + "…"
		}
	}
	return text
}

func perSecond(rate float64) string {
	if rate > 0 && rate < 10 {
		return strconv.FormatFloat(rate, 'f', 1, 64) + "/s"
	}
	return grouped(int64(rate)) + "/s"
}

// grouped writes a count with a comma between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
