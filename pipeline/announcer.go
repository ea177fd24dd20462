package pipeline

import (
	"bytes"
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
// announceAfter before its last request. Until a line says that somebody's consent was changed, the announcement comes
// again behind every line: rejected rows alone look like those of any command.
type announcer struct {
	out   io.Writer
	mu    sync.Mutex
	last  time.Time // when something was written last
	begun bool      // the next line
	asked bool      // somebody may be unsubscribed
	told  bool      // a line says so
	again []byte    // lines with the announcement behind them
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
	text := lines[written:]
	a.told = a.told || bytes.Contains(lines, []byte(`"channels":`)) // of a row or of the report
	begins := a.asked && !a.told
	if begins {
		a.again = append(append(a.again[:0], text...), announcement...)
		text = a.again
	}
	n, err := a.out.Write(text)
	if n > 0 {
		a.begun, a.last = begins && n == len(text), time.Now()
	}
	return min(written+n, len(lines)), err
}

// unsubscribing announces that people are about to be unsubscribed from a list. Its error is that of the output.
func (a *announcer) unsubscribing() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = true
	now := time.Now()
	if (a.told || a.begun) && now.Sub(a.last) < announceAfter {
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
