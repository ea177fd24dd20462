// Package simulator is a local Klaviyo: an HTTP server that answers the requests of a list
// export as Klaviyo's API does, and holds the lists, profiles and jobs in memory.
//
// Where the public facts leave Klaviyo's behaviour open, the choice made is stated beside the code that makes it.
package simulator

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// DefaultJobTime makes a job complete two seconds after it was accepted, as was seen with small jobs.
const DefaultJobTime = time.Second

// jobLife is how long a job and its errors can be read.
const jobLife = 7 * 24 * time.Hour

// Options says how a Simulator behaves. The zero value is a Klaviyo without rate limits.
type Options struct {
	// RateLimits enforces the rate limits of every endpoint. Their headers are sent either way.
	RateLimits bool
	// Now is the clock; nil is time.Now. It may be called at once from several goroutines.
	Now func() time.Time
	// JobTime is how long a job stays queued, and then again processing; 0 is DefaultJobTime.
	JobTime time.Duration
	// RatePhase makes all windows of the rate limits begin so much later than at multiples of their length since 1970.
	RatePhase time.Duration
	// MaxPage is the most items on a page, whatever is asked for, so that few items fill several; 0: as many as Klaviyo's.
	MaxPage int
	// Plan is what goes wrong; nil: nothing. It must be one that ReadPlan would take.
	Plan *Plan
	// Ledger keeps account of every effect on a person, for Simulator.Ledger and GET /simulator/ledger, at some 200 bytes each.
	Ledger bool
	// AnyProfile takes an id that no profile has for that of one on no list, where lists are changed by ids.
	AnyProfile bool
	// Wrap, where set, puts a layer around the handler. It lies between the faults that act on any request and the
	// account: it sees what the account itself answers, and no request that a fault answers.
	Wrap func(http.Handler) http.Handler
}

// Simulator is one Klaviyo account. It is an http.Handler and may be used at once from several goroutines.
// All keys belong to the same account and share its rate limits.
type Simulator struct {
	options Options
	inner   http.Handler // without the faults on any request
	faults  *faults      // nil where there is no plan
	rates   rates
	server  *http.Server
	served  chan struct{}
	conns   sync.WaitGroup

	mu       sync.Mutex
	lists    []*list // in order of creation
	profiles profiles
	jobs     []*job // in order of creation
	open     []*job // those of jobs that have not ended, in order of creation
	requests map[string]int
	ledger   []Entry
}

// New returns an empty account. It panics if the plan is wrong.
func New(options Options) *Simulator {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.JobTime == 0 {
		options.JobTime = DefaultJobTime
	}
	s := &Simulator{options: options, profiles: newProfiles(), requests: map[string]int{}}
	s.rates.phase = options.RatePhase
	if p := options.Plan; p != nil {
		if err := p.check(func(i int) string { return fmt.Sprintf("fault %d", i) }); err != nil {
			panic(fmt.Sprintf("the plan of a simulator: %v", err))
		}
		s.faults = newFaults(p)
		s.rates.others = maps.Clone(p.Others)
	}
	s.inner = http.HandlerFunc(s.serve)
	if options.Wrap != nil {
		s.inner = options.Wrap(s.inner)
	}
	return s
}

// Start listens on addr, which must be a loopback address such as 127.0.0.1:0, and serves until Close.
// The URL has no slash at its end. Start may be called once.
func (s *Simulator) Start(addr string) (url string, err error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("starting the simulator: %w", err)
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return "", fmt.Errorf("starting the simulator: %s is not a loopback address", addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("starting the simulator: %w", err)
	}
	s.served = make(chan struct{})
	s.server = &http.Server{
		Handler:           s,
		ConnContext:       withConn,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnState:         s.track,
	}
	go func() { // Close waits for it
		defer close(s.served)
		_ = s.server.Serve(listener) // ends by Close alone
	}()
	return "http://" + listener.Addr().String(), nil
}

// Close ends serving, requests under way included, and returns when nothing of it runs any more.
// Without Start before it, it does nothing. It may be called once.
func (s *Simulator) Close() error {
	if s.server == nil {
		return nil
	}
	err := s.server.Close()
	<-s.served
	s.conns.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// track counts the connections, so that Close can wait for their goroutines.
func (s *Simulator) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed:
		s.conns.Done()
	}
}

// Requests returns how many requests were answered, by method, path and status,
// such as "POST /api/profile-bulk-import-jobs 202". Ids in the path read {id};
// requests for anything the simulator does not know are counted as "other". A request that a fault
// kept from its effect counts under the fault's status or as "reset"; one whose answer was lost, under that answer.
func (s *Simulator) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]int, len(s.requests))
	for name, n := range s.requests {
		counts[name] = n
	}
	return counts
}

// AddList creates a list and returns its id. optIn is "single_opt_in" or "double_opt_in". Its time of creation is a day ago, and
// a minute later than that of the list before.
func (s *Simulator) AddList(name, optIn string) (id string) {
	s.lock()
	defer s.mu.Unlock()
	ago := max(24*time.Hour-time.Duration(len(s.lists))*time.Minute, 0)
	return s.addList(name, optIn, s.options.Now().Add(-ago)).id
}

// AddListAs creates a list with an id of the caller's choice, which no other has.
func (s *Simulator) AddListAs(id, name string) {
	s.lock()
	defer s.mu.Unlock()
	s.addList(name, "single_opt_in", s.options.Now()).id = id
}

// AddProfile creates a profile that has this email alone, or finds the one that has it, and returns its id.
func (s *Simulator) AddProfile(email string) (id string) {
	s.lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	attributes := append(quote([]byte(`{"email":`), email), '}')
	n, ok := s.profiles.byEmail([]byte(email))
	if !ok {
		n = s.profiles.create(&row{attributes: attributes, email: []byte(email)}, now, 0)
	}
	return s.profiles.id(n)
}

// lock takes the lock of the account after bringing its jobs up to date.
func (s *Simulator) lock() {
	s.mu.Lock()
	s.settle(s.options.Now())
}
