package render

import (
	"io"
	"os"
	"sync"
	"time"

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
	screen screen
	ended  bool // closed, or a drawing has failed
	stop   func()
}

// NewProgress starts to draw on w, a terminal with width columns. The title may be empty. Another goroutine calls
// width and source for each drawing. They must not call the Progress.
func NewProgress(w io.Writer, title string, width func() int, source func() report.Moment) *Progress {
	p := &Progress{screen: screen{out: w}}
	done, ended := make(chan struct{}), make(chan struct{})
	p.stop = sync.OnceFunc(func() {
		close(done)
		<-ended
	})
	began := time.Now()
	go func() { // Close waits for it
		defer close(ended)
		var pace pace
		ticker := time.NewTicker(drawEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-done:
				return
			}
			m, columns, now := source(), width(), time.Now()
			if columns <= 0 {
				columns = anyWidth
			}
			display := summary(&m, title, now.Sub(began), pace.rate(now, m.Rows.Read), columns)
			if second := waiting(&m, columns); second != "" {
				display += "\n" + second
			}
			if !p.draw(display) {
				return
			}
		}
	}()
	return p
}

// draw prints the lines of messages and draws the display. It reports whether the terminal is still there.
func (p *Progress) draw(display string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = p.screen.draw(display) != nil
	return !p.ended
}

// Write prints lines above the display with the next drawing. An unfinished line waits for its end. After Close,
// Write writes to the terminal directly. Several goroutines may call it at once.
func (p *Progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return p.screen.out.Write(b)
	}
	p.screen.above = append(p.screen.above, b...)
	return len(b), nil
}

// Close removes the display and returns when all drawing has ended. It may be called again.
func (p *Progress) Close() {
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.screen.clear()
}
