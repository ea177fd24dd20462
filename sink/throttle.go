package sink

import "time"

// easing is the time after which bursts that a 429 made smaller grow by one request again.
const easing = 20 * time.Second

// throttle closes the endpoint to all its senders after a 429. It returns how much longer it is closed now.
func (e *endpoint) throttle(d time.Duration) time.Duration {
	d = min(d, longestThrottle)
	// The processes of an account should not all return at the same moment.
	return e.shut(d + time.Duration(e.random(int64(e.slow(d))+1)))
}

// slow slows down after a 429 that asks to wait for d: another process uses the quota too. It returns the time over
// which those who waited should spread their return.
func (e *endpoint) slow(d time.Duration) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	spread := min(d/10, time.Second)
	if len(e.windows) < 2 {
		return spread
	}
	burst, steady := &e.windows[0], &e.windows[1]
	e.share.refuse(steady)
	if burst.span < d && d <= steady.span {
		e.share.divide(steady, time.Now().Add(d))
		return max(spread, e.share.gap(steady))
	}
	// The pace stays at least the rate of the next longer window, so that no quota is wasted.
	enough := int(int64(len(steady.answered))*int64(burst.span)/int64(steady.span)) + 1
	burst.pace, burst.eased = min(max(burst.pace/2, enough), len(burst.answered)), time.Now()
	return spread
}

// ease lets bursts and the share grow again. The lock is held.
func (e *endpoint) ease() {
	for i := range e.windows {
		if w := &e.windows[i]; w.pace < len(w.answered) && time.Since(w.eased) >= easing {
			w.pace, w.eased = w.pace+1, time.Now()
		}
	}
	if len(e.windows) > 1 {
		e.share.ease(&e.windows[1])
	}
}

// shut closes the endpoint for d, unless it is closed for longer. It returns how much longer it is closed now.
func (e *endpoint) shut(d time.Duration) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	from := now
	if e.open.After(now) {
		from = e.open
	}
	if until := now.Add(d); until.After(e.open) {
		e.open = until
	}
	return max(e.open.Sub(from), 0)
}

// closed returns for how long Klaviyo keeps the endpoint closed.
func (e *endpoint) closed() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return max(time.Until(e.open), 0)
}
