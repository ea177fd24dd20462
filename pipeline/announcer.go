package pipeline

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// announceAfter is how long the results may stay as they are before a request to unsubscribe is announced.
const announceAfter = time.Minute

// announcement is the beginning of every line. A run that is killed after it leaves a line that is cut.
const announcement = "{"

// announcer passes results on to the output. It announces requests that must not be repeated at once, by writing the
// beginning of the next line early: a run that is killed has left something in its results by then, at most
// announceAfter before its last request.
type announcer struct {
	out   io.Writer
	mu    sync.Mutex
	last  time.Time // when something was written last
	begun bool      // the next line
}

func (a *announcer) Write(lines []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(lines) == 0 {
		return 0, nil
	}
	written := 0
	if a.begun {
		written = len(announcement)
	}
	n, err := a.out.Write(lines[written:])
	if n > 0 {
		a.begun, a.last = false, time.Now()
	}
	return written + n, err
}

// unsubscribing announces that people are about to be unsubscribed from a list. Its error is that of the output.
func (a *announcer) unsubscribing() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if now.Sub(a.last) < announceAfter {
		return nil
	}
	text := announcement
	if a.begun {
		text = " " // JSON allows it there
	}
	if _, err := io.WriteString(a.out, text); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	a.begun, a.last = true, now
	return nil
}
