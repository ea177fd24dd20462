package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// window is a rate limit: limit requests in each span. Spans start at multiples of their length since 1970,
// shifted by Options.RatePhase.
type window struct {
	span  time.Duration
	limit int
}

// The tiers of Klaviyo's endpoints. The first window is the burst.
var (
	tierXS     = []window{{time.Second, 1}, {time.Minute, 15}}
	tierS      = []window{{time.Second, 3}, {time.Minute, 60}}
	tierM      = []window{{time.Second, 10}, {time.Minute, 150}}
	tierL      = []window{{time.Second, 75}, {time.Minute, 750}}
	tierCreate = []window{{time.Second, 10}, {time.Minute, 150}, {24 * time.Hour, 150}}
)

// rates counts the requests of each endpoint in its current windows, and those of other clients with them.
type rates struct {
	phase  time.Duration // the shift of all windows
	others map[string]Others

	mu       sync.Mutex
	used     map[string][]count
	overruns map[string]int
}

type count struct {
	start time.Time
	n     int
}

// take counts one request to an endpoint. If a window is full and the limits are enforced, it counts nothing,
// and wait is the time until all full windows end. remaining is what the burst window has left.
func (r *rates) take(
	endpoint string, tier []window, now time.Time, enforced bool,
) (remaining int, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used == nil {
		r.used, r.overruns = map[string][]count{}, map[string]int{}
	}
	used := r.used[endpoint]
	if used == nil {
		used = make([]count, len(tier))
		r.used[endpoint] = used
	}
	full := false
	for i, w := range tier {
		start := r.windowStart(now, w.span)
		if !used[i].start.Equal(start) {
			used[i] = count{start: start}
		}
		if used[i].n+r.others[endpoint].between(start, now) >= w.limit {
			full = true
			wait = max(wait, start.Add(w.span).Sub(now))
		}
	}
	if full {
		r.overruns[endpoint]++
	}
	if full && enforced {
		return 0, wait
	}
	for i := range used {
		used[i].n++
	}
	return max(0, tier[0].limit-used[0].n-r.others[endpoint].between(used[0].start, now)), 0
}

func (r *rates) windowStart(now time.Time, span time.Duration) time.Time {
	ns := now.UnixNano()
	return time.Unix(0, ns-(ns-int64(r.phase%span))%int64(span))
}

// setHeaders writes the headers that every answer except 401 and 429 has. In Klaviyo's answers the first
// number of the limit, the remaining requests and the reset describe the burst window.
func (r *rates) setHeaders(h http.Header, tier []window, remaining int, now time.Time) {
	limit := strconv.Itoa(tier[0].limit)
	for _, w := range tier {
		limit += fmt.Sprintf(", %d;w=%d", w.limit, int(w.span.Seconds()))
	}
	left := r.windowStart(now, tier[0].span).Add(tier[0].span).Sub(now)
	h.Set("Ratelimit-Limit", limit)
	h.Set("Ratelimit-Remaining", strconv.Itoa(remaining))
	h.Set("Ratelimit-Reset", strconv.Itoa(int(left.Seconds())))
}

// Overruns returns how many requests found a window of their endpoint full, by method and path.
// Those requests get 429 if the rate limits are enforced, and would get it if they were.
func (s *Simulator) Overruns() map[string]int {
	s.rates.mu.Lock()
	defer s.rates.mu.Unlock()
	return maps.Clone(s.rates.overruns)
}

// wholeSeconds is what Retry-After says about a time: at least one second. Choice: it is the rest of the full window.
func wholeSeconds(wait time.Duration) int {
	return max(1, int((wait+time.Second-1)/time.Second))
}

// throttled is the problem of a request over the limit.
func throttled(seconds int) problem {
	unit := "seconds"
	if seconds == 1 {
		unit = "second"
	}
	return problem{
		status: http.StatusTooManyRequests, code: "throttled", title: "Request was throttled.",
		detail:  fmt.Sprintf("Request was throttled. Expected available in %d %s.", seconds, unit),
		pointer: "/data", link: "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits",
	}
}
