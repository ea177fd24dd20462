package sink

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// seeded returns a source of random numbers below n, which depend on the seed and the stream alone.
func seeded(seed, stream uint64) func(n int64) int64 {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, stream))
	return func(n int64) int64 {
		mu.Lock()
		defer mu.Unlock()
		return random.Int64N(n)
	}
}

// crowd is a number of clients of one account that all have more to send than they may.
type crowd struct {
	*world
	seed    uint64
	id      string
	clients []*Client
	senders sync.WaitGroup
}

// slowly delays each answer by up to latency. How long depends on the seed, the client and the number of its request
// alone. So no two events share a moment of the bubble's clock, and every run is the same.
func slowly(seed uint64, latency time.Duration) func(http.Handler) http.Handler {
	var mu sync.Mutex
	latencies := map[string]func(n int64) int64{} // by User-Agent, which is a number or empty
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			agent := r.UserAgent()
			if latencies[agent] == nil {
				client, _ := strconv.ParseUint(agent, 10, 32)
				latencies[agent] = seeded(seed, client)
			}
			random := latencies[agent]
			mu.Unlock()
			time.Sleep(time.Duration(random(int64(latency)))) // on the bubble's clock
			next.ServeHTTP(w, r)
		})
	}
}

// crowded runs f with an account that has its real rates, whose minutes begin at phase. Answers take up to latency.
func crowded(t *testing.T, seed uint64, phase, latency time.Duration, f func(c *crowd)) {
	t.Helper()
	o := Options{RateShare: 100, RetryFor: time.Minute}
	bubble(t, slowly(seed, latency), simulator.Options{RateLimits: true, RatePhase: phase}, o, func(w *world) {
		c := &crowd{world: w, seed: seed, id: w.sim.AddList("News", "single_opt_in")}
		f(c)
		c.senders.Wait()
	})
}

// send lets one more client send requests of one profile for so long, as fast as it may.
func (c *crowd) send(d time.Duration) *Client {
	c.Helper()
	until := time.Now().Add(d)
	n := uint64(len(c.clients) + 1)
	client := c.join(Options{RateShare: 100, RetryFor: time.Minute, UserAgent: fmt.Sprint(n)})
	client.endpoints.imports.random = seeded(c.seed, n<<32)
	c.clients = append(c.clients, client)
	list, err := client.FindList(c.Context(), ListRef{ID: c.id})
	if err != nil {
		c.Fatal(err)
	}
	s := NewImport(client, list)
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

// during returns how many requests of clients are accepted and refused within d.
func (c *crowd) during(d time.Duration, clients ...*Client) (accepted, refused int64) {
	for _, c := range clients {
		s := c.Stats()
		accepted, refused = accepted-s.Sent+s.Throttled, refused-s.Throttled
	}
	time.Sleep(d) // on the bubble's clock
	for _, c := range clients {
		s := c.Stats()
		accepted, refused = accepted+s.Sent-s.Throttled, refused+s.Throttled
	}
	return accepted, refused
}

// TestProcessesShareTheQuota: processes that know nothing of each other share the account's quota. From the second
// minute on they use it, few of their requests are refused, and none of them gives up. When only one is left, it soon
// has the whole quota.
func TestProcessesShareTheQuota(t *testing.T) {
	for _, k := range []struct {
		name           string
		processes      int
		phase, latency time.Duration
	}{
		{"two", 2, 0, 20 * time.Millisecond},
		{"eight", 8, 0, 50 * time.Millisecond},
		{"eight, another phase", 8, 37 * time.Second, 20 * time.Millisecond},
		{"eight, slow answers", 8, 0, 400 * time.Millisecond},
	} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s, seed %d", k.name, seed), func(t *testing.T) {
				crowded(t, seed, k.phase, k.latency, func(c *crowd) { c.useQuota(k.processes, k.phase) })
			})
		}
	}
}

// useQuota lets processes send at full rate for ten minutes, and one of them for longer, and checks what they get.
func (c *crowd) useQuota(processes int, phase time.Duration) {
	const minutes, more = 9, 7
	whole := time.Now().Add(time.Minute + phase) // whole minutes of Klaviyo's are counted
	for i := range processes {
		d := (1+minutes)*time.Minute + phase
		if i == 0 {
			d += more * time.Minute
		}
		c.send(d)
	}
	time.Sleep(time.Until(whole)) // on the bubble's clock, as below
	accepted, refused := c.during(minutes*time.Minute, c.clients...)
	used, share := float64(accepted)/(150*minutes), float64(refused)/float64(accepted+refused)
	c.Logf("%.4f of the quota used, %.4f of the requests refused", used, share)
	if used < 0.95 || share > 0.05 {
		c.Errorf("%.4f of the quota used, %.4f of the requests refused", used, share)
	}
	time.Sleep((more - 2) * time.Minute)
	if accepted, refused := c.during(time.Minute, c.clients...); accepted < 145 || refused > 0 {
		c.Errorf("the process that is left sends %d requests in a minute, and %d are refused", accepted, refused)
	}
}

// TestNewcomer: a process that starts when others have used the minute up knows nothing of its share. It still gets
// its part of the following minutes.
func TestNewcomer(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			crowded(t, seed, 0, 20*time.Millisecond, func(c *crowd) {
				began := time.Now()
				c.send(12 * time.Minute)
				time.Sleep(time.Until(began.Add(30 * time.Second)))
				second := c.send(11*time.Minute + 30*time.Second)
				time.Sleep(time.Until(began.Add(7 * time.Minute)))
				accepted, refused := c.during(4*time.Minute, second)
				c.Logf("the second process: %d accepted, %d refused", accepted, refused)
				if accepted < 600/6 || accepted > 600*5/6 {
					t.Errorf("the second process gets %d of 600 requests", accepted)
				}
			})
		})
	}
}
