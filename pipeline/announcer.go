package pipeline

import (
	"fmt"
	"io"
	"sync"
	"time"

	"klaviyo-export/report"
)

// announceAfter is how long the results may stay as they are before a request to unsubscribe is announced.
const announceAfter = time.Minute

// announcer passes results on to the output. It announces requests that must not be repeated at once: a run that is
// killed has written a line by then, at most announceAfter before its last request.
type announcer struct {
	out  io.Writer
	mu   sync.Mutex
	last time.Time // when something was written last
}

func (a *announcer) Write(lines []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, err := a.out.Write(lines)
	if n > 0 {
		a.last = time.Now()
	}
	return n, err
}

// unsubscribing announces that people are about to be unsubscribed from a list. Its error is that of the output.
func (a *announcer) unsubscribing() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if now.Sub(a.last) < announceAfter {
		return nil
	}
	if _, err := a.out.Write(report.AppendUnsubscribing(nil, now)); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	a.last = now
	return nil
}
