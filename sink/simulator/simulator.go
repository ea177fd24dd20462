// Package simulator is a local Klaviyo: an HTTP server that answers the requests of a list export as Klaviyo's API
// does. It keeps lists, profiles and import jobs in memory. Start reading at operations, the table of the endpoints.
//
// Where the facts leave Klaviyo's behaviour open, a comment beside the code states the choice.
package simulator

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// defaultJobTime completes an import job two seconds after it was accepted, as observed with small jobs.
const defaultJobTime = time.Second

// jobLife is how long an import job and its errors can be read.
const jobLife = 7 * 24 * time.Hour

// Options says how a Simulator behaves. The zero value is a Klaviyo without rate limits.
type Options struct {
	// RateLimits enforces the rate limits of every endpoint. Their headers are sent either way.
	RateLimits bool
	// Now is the clock; nil is time.Now. Several goroutines may call it at once.
	Now func() time.Time
	// JobTime is how long an import job is queued, and as long again processing; 0 is one second.
	JobTime time.Duration
	// Consent is how the account treats requests for consent. A plan's own replaces it.
	Consent Consent
	// RatePhase shifts the start of every rate-limit window. Without it, windows start at multiples of their length
	// since 1970.
	RatePhase time.Duration
	// MaxPage caps the page size, so that a few resources fill several pages; 0 is Klaviyo's own cap.
	MaxPage int
	// Plan says what goes wrong; nil: nothing. ReadPlan must accept it.
	Plan *Plan
	// Ledger records every effect on a profile, for Simulator.Ledger and GET /simulator/ledger. An entry takes some
	// 200 bytes.
	Ledger bool
	// AnyProfile accepts an unknown profile id where a list is changed by ids. It stands for a profile on no list.
	AnyProfile bool

	// AnyList has a list of each name and id that lists are looked up by.
	AnyList bool
	// Wrap, if set, puts a layer around the account's handler, inside the faults that act on any request.
	// It sees what the account itself answers, and no request that a fault answers.
	Wrap func(http.Handler) http.Handler
}

// Simulator is one Klaviyo account. It is an http.Handler that several goroutines may use at once.
// All keys belong to the same account and share its rate limits.
type Simulator struct {
	options Options
	inner   http.Handler // without the faults on any request
	faults  *faults      // nil without a plan
	rates   rates
	server  *http.Server
	served  chan struct{}
	conns   sync.WaitGroup

	mu          sync.Mutex
	lists       []*list // in order of creation
	profiles    profiles
	consents    map[uint32]*profileConsent // without the profiles that never consented and are not suppressed
	consenting  []asked                    // that have had no effect, in order of acceptance
	unconfirmed []asked
	jobs        []*job // in order of creation
	open        []*job // the jobs that have not ended, in order of creation
	requests    map[string]int
	ledger      []Entry
	campaigns   []*campaign // in order of creation
	drawnULIDs  int
	calls       int        // that changed members by id
	drawn       *rand.Rand // what the plan's seed draws besides Fault.Percent
}

// New returns an empty account. It panics if the plan is wrong.
func New(options Options) *Simulator {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.JobTime == 0 {
		options.JobTime = defaultJobTime
	}
	if p := options.Plan; p != nil && p.Consent != nil {
		options.Consent = *p.Consent
	}
	if options.Consent.Time == 0 {
		options.Consent.Time = options.JobTime
	}
	s := &Simulator{options: options, profiles: newProfiles(), consents: map[uint32]*profileConsent{},
		requests: map[string]int{}}
	s.rates.phase = options.RatePhase
	if p := options.Plan; p != nil {
		if err := p.check(); err != nil {
			panic(fmt.Sprintf("check the plan of a simulator: %v", err))
		}
		s.faults = newFaults(p)
		s.drawn = rand.New(rand.NewPCG(p.Seed, 1<<63))
		s.rates.others = maps.Clone(p.Others)
		s.addAll(p.Profiles)
		for _, c := range p.Campaigns {
			s.addCampaign(c)
		}
	}
	s.inner = http.HandlerFunc(s.serve)
	if options.Wrap != nil {
		s.inner = options.Wrap(s.inner)
	}
	return s
}

// Requests returns how many requests were answered, by method, path and status,
// such as "POST /api/profile-bulk-import-jobs 202". An id in the path reads {id};
// a request outside the operations counts as "other". A request that a fault kept from its effect
// counts under the fault's status, or as "reset". One whose answer was lost counts under that answer.
func (s *Simulator) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// AddList creates a list and returns its id. optIn is "single_opt_in" or "double_opt_in".
// The list was created a day ago, and each further list a minute after the one before.
func (s *Simulator) AddList(name, optIn string) (id string) {
	s.lock()
	defer s.mu.Unlock()
	ago := max(24*time.Hour-time.Duration(len(s.lists))*time.Minute, 0)
	return s.addList(name, optIn, s.options.Now().Add(-ago)).id
}

// AddListAs creates a list with an id that the caller chooses and that no other list has.
func (s *Simulator) AddListAs(id, name string) {
	s.lock()
	defer s.mu.Unlock()
	s.addList(name, "single_opt_in", s.options.Now()).id = id
}

// AddProfile creates a profile that has only this email, or finds the one that has it, and returns its id.
func (s *Simulator) AddProfile(email string) (id string) {
	s.lock()
	defer s.mu.Unlock()
	return s.profiles.id(s.addProfile(email))
}

// AddOldProfile is AddProfile for a profile from before ULIDs: its id has six letters and digits.
func (s *Simulator) AddOldProfile(email string) (id string) {
	s.lock()
	defer s.mu.Unlock()
	return s.profiles.age(s.addProfile(email))
}

func (s *Simulator) addProfile(email string) (n uint32) {
	n, ok := s.profiles.byEmail([]byte(email))
	if !ok {
		attributes := append(quote([]byte(`{"email":`), email), '}')
		n = s.profiles.create(&sentProfile{attributes: attributes, email: []byte(email)}, s.options.Now(), 0)
	}
	return n
}

// lock locks the account after bringing its import jobs and consents up to date.
func (s *Simulator) lock() {
	s.mu.Lock()
	now := s.options.Now()
	s.advance(now)
	s.advanceConsents(now)
}
