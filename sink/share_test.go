package sink

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// crowd is some clients of one account that have more to send than they may.
type crowd struct {
	*world
	id      string
	clients []*Client
	senders sync.WaitGroup
}

// crowded runs f with an account that has its real rates. Answers take up to latency, and Klaviyo's minutes begin at
// phase.
func crowded(t *testing.T, phase, latency time.Duration, f func(c *crowd)) {
	slow := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(rand.N(latency))
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, slow, simulator.Options{RateLimits: true, RatePhase: phase},
		Options{RateShare: 100, RetryFor: time.Minute}, func(w *world) {
			c := &crowd{world: w, id: w.sim.AddList("News", "single_opt_in")}
			f(c)
			c.senders.Wait()
		})
}

// send has one more client send requests of one profile for so long, as fast as it may.
func (c *crowd) send(d time.Duration) *Client {
	c.Helper()
	client := c.join(Options{RateShare: 100, RetryFor: time.Minute})
	c.clients = append(c.clients, client)
	list, err := client.FindList(c.Context(), ListRef{ID: c.id})
	if err != nil {
		c.Fatal(err)
	}
	s, until := NewImport(client, list), time.Now().Add(d)
	for range 4 {
		c.senders.Go(func() {
			for time.Now().Before(until) {
				if err := s.Send(c.Context(), people(1)); err != nil {
					c.Error(err)
				}
			}
		})
	}
	return client
}

// after returns how many requests of clients are taken and refused in d.
func (c *crowd) after(d time.Duration, clients ...*Client) (taken, refused int64) {
	for _, c := range clients {
		s := c.Stats()
		taken, refused = taken-s.Sent+s.Throttled, refused-s.Throttled
	}
	time.Sleep(d)
	for _, c := range clients {
		s := c.Stats()
		taken, refused = taken+s.Sent-s.Throttled, refused+s.Throttled
	}
	return taken, refused
}

// Processes that know nothing of each other share the account's quota: after a minute they use it, and few requests
// are refused. Nobody gives up. One that is left alone soon has all of it again.
func TestProcessesShareTheQuota(t *testing.T) {
	for _, k := range []struct {
		processes      int
		phase, latency time.Duration
	}{{2, 0, 20 * time.Millisecond}, {8, 0, 50 * time.Millisecond}, {8, 37 * time.Second, 20 * time.Millisecond},
		{8, 0, 400 * time.Millisecond}} {
		crowded(t, k.phase, k.latency, func(c *crowd) {
			const minutes, more = 9, 7
			for i := range k.processes {
				d := (1+minutes)*time.Minute + k.phase
				if i == 0 {
					d += more * time.Minute
				}
				c.send(d)
			}
			time.Sleep(time.Minute + k.phase) // whole minutes of Klaviyo's are counted
			taken, refused := c.after(minutes*time.Minute, c.clients...)
			used, share := float64(taken)/(150*minutes), float64(refused)/float64(taken+refused)
			t.Logf("%d processes, phase %v, latency %v: %.3f of the quota used, %.3f refused", k.processes, k.phase,
				k.latency, used, share)
			if used < 0.95 || share > 0.05 {
				t.Error("the quota is not used, or too many requests are refused")
			}
			time.Sleep((more - 2) * time.Minute)
			if taken, refused := c.after(time.Minute, c.clients...); taken < 145 || refused > 0 {
				t.Errorf("the one that is left sends %d in a minute, and %d are refused", taken, refused)
			}
		})
	}
}

// A process that begins when others have used the minute up has learnt nothing of its share: it asks for its part of
// the next one.
func TestNewcomer(t *testing.T) {
	crowded(t, 0, 20*time.Millisecond, func(c *crowd) {
		c.send(12 * time.Minute)
		time.Sleep(30 * time.Second)
		second := c.send(11*time.Minute + 30*time.Second)
		time.Sleep(30*time.Second + 6*time.Minute)
		taken, refused := c.after(4*time.Minute, second)
		t.Logf("the second one: %d taken, %d refused", taken, refused)
		if taken < 600/6 || taken > 600*5/6 {
			t.Errorf("the second process is given %d of 600 requests", taken)
		}
	})
}
