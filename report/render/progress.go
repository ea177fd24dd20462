package render

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"klaviyo-export/report"
)

const drawEvery = 200 * time.Millisecond

// Interactive reports whether w is a terminal that can show a display: TERM is not empty and not dumb.
func Interactive(w *os.File) bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb" && term.IsTerminal(int(w.Fd()))
}

// Progress draws the state of a run on a terminal, below the lines of messages, with the time since NewProgress. It
// redraws changes five times a second.
type Progress struct {
	mu     sync.Mutex
	screen *screen
	bars   *mpb.Progress
	bar    *mpb.Bar
}

// NewProgress starts to draw on w, a terminal with width columns. The title may be empty. Another goroutine calls
// width and source for each drawing. They must not call the Progress.
func NewProgress(w io.Writer, title string, width func() int, source func() report.Moment) *Progress {
	s := &screen{out: w, width: width}
	// mpb draws in goroutines of its own. Close waits for them.
	bars := mpb.New(mpb.WithConsoleWriter(s), mpb.WithRefreshRate(drawEvery))
	var pace pace
	var second string
	began := time.Now()
	bar, err := bars.Add(0, mpb.BarFillerFunc(func(to io.Writer, size decor.Statistics) error {
		m := source()
		now := time.Now()
		rate := pace.rate(now, m.Rows.Read)
		second = waiting(&m, size.AvailableWidth)
		_, err := io.WriteString(to, summary(&m, title, now.Sub(began), rate, size.AvailableWidth))
		return err
	}), mpb.BarFillerTrim(), mpb.BarBtmExtender(mpb.BarFillerFunc(func(to io.Writer, _ decor.Statistics) error {
		if second == "" {
			return nil
		}
		_, err := io.WriteString(to, second+"\n")
		return err
	})))
	if err != nil {
		panic(err) // mpb refuses a bar only after Wait
	}
	return &Progress{screen: s, bars: bars, bar: bar}
}

// Write prints lines above the display with the next drawing. An unfinished line waits for its end. After Close,
// Write writes to the terminal directly. Several goroutines may call it at once.
func (p *Progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, err := p.bars.Write(b); err == nil {
		return n, nil
	}
	return p.screen.out.Write(b) // closed, or a drawing has failed
}

// Close removes the display and returns when all drawing has ended. It may be called again.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screen.closed.Store(true)
	p.bar.Abort(true)
	p.bars.Wait()
	p.screen.clear()
}
