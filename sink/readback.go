package sink

import (
	"context"
	"slices"
	"time"

	"github.com/sourcegraph/conc/pool"
)

// Proof is what reading a person back on the list showed.
type Proof struct {
	State    ProofState
	Since    time.Time // when the member joined the list, in whole seconds; zero when not known
	Mailable bool      // marketing may be sent to the member: an SMS by PhoneNumber, an email by others
	IDs      []string  // of the profiles that Klaviyo finds by the identifier, on the list or not
}

// ProofState says whether a person is on the list.
type ProofState uint8

const (
	NotRead ProofState = iota // it cannot be looked up: its profile has neither email nor phone number
	OnList                    // it was found there
	OffList                   // it was looked up and not found
)

// ReadBack reads people back on a list after they were added to it or removed from it. Its look-ups have quotas of
// their own. Its methods may be called concurrently.
type ReadBack struct {
	lookups *lookups
	by      Identifier
}

// NewReadBack returns a ReadBack of people who are named by an identifier.
func NewReadBack(c *Client, list *List, by Identifier) *ReadBack {
	return &ReadBack{newLookups(c, list), by}
}

// To returns the ReadBack of another list, which keeps to the same number of look-ups in flight.
func (r *ReadBack) To(list *List) *ReadBack { return &ReadBack{r.lookups.on(list), r.by} }

// Added reads back people who should be on the list. The values are their identifiers, and proofs belong to them. A
// person who is not seen there by the identifier counts as a member if the profile with it is one: a profile may have
// several addresses. The error is an *Error.
func (r *ReadBack) Added(ctx context.Context, values []string) ([]Proof, error) {
	return r.read(ctx, values, true)
}

// Known is Added for people who may be unknown to Klaviyo: it does not ask for each of them alone when a look-up finds
// nobody.
func (r *ReadBack) Known(ctx context.Context, values []string) ([]Proof, error) {
	return r.read(ctx, values, false)
}

// read reads people back. thorough says that each of them has a profile.
func (r *ReadBack) read(ctx context.Context, values []string, thorough bool) ([]Proof, error) {
	people := sought(values)
	list, _, _ := r.lookups.list.State()
	members := r.lookups.client.members(list).withConsent()
	left := people
	if r.by == Email || r.by == PhoneNumber {
		if err := r.lookups.find(ctx, members, r.by, people); err != nil {
			return nil, err
		}
		left = nil
		for _, p := range people {
			if len(p.found) == 0 {
				left = append(left, p)
			}
		}
	}
	profiles := r.lookups.client.profiles()
	profiles.thorough = thorough
	bare, err := r.lookups.throughProfiles(ctx, profiles, members, r.by, left)
	if err != nil {
		return nil, err
	}
	return r.proofs(people, bare), nil
}

// proofs are those of people who were looked up. The profiles of bare have nothing to look them up by.
func (r *ReadBack) proofs(people, bare []*person) []Proof {
	unreadable := map[*person]bool{}
	for _, step := range bare {
		unreadable[step.owner] = true
	}
	all := make([]Proof, len(people))
	for i, p := range people {
		switch {
		case len(p.found) > 0:
			all[i] = r.member(p)
		case p.row.Status != Rejected && !unreadable[p]:
			all[i].State = OffList
		}
		all[i].IDs = p.ids
	}
	return all
}

// member is the proof of a person who is on the list: of several members with one number, of the one who joined last.
func (r *ReadBack) member(p *person) Proof {
	proof := Proof{State: OnList}
	for i := range p.found {
		p.ids = append(p.ids, p.found[i].ID)
		a := &p.found[i].Attributes
		since, _ := time.Parse(time.RFC3339, a.JoinedAt)
		if i > 0 && since.Before(proof.Since) {
			continue
		}
		proof.Since, proof.Mailable = since.Truncate(time.Second), a.Subscriptions.mailable()
		if r.by == PhoneNumber {
			proof.Mailable = a.Subscriptions.SMS.Marketing.CanReceive
		}
	}
	return proof
}

// Removed reads back people who should not be on the list any more. It returns what Added returns.
func (r *ReadBack) Removed(ctx context.Context, values []string) ([]Proof, error) {
	people := sought(values)
	list, _, _ := r.lookups.list.State()
	members := r.lookups.client.members(list)
	if r.by == ExternalID || r.by == ProfileID {
		bare, err := r.lookups.throughProfiles(ctx, r.lookups.client.profiles(), members, r.by, people)
		if err != nil {
			return nil, err
		}
		return r.proofs(people, bare), nil
	}
	seen, err := r.lookups.seen(ctx, r.lookups.client.memberIDs(list), r.by, people)
	if err == nil {
		err = r.lookups.find(ctx, members, r.by, seen)
	}
	if err != nil {
		return nil, err
	}
	return r.proofs(people, nil), nil
}

// seen returns the people of those calls that have an answer with somebody in it, or are refused. Whoever is not among
// them is not in the collection, whose answers have ids alone.
func (l *lookups) seen(ctx context.Context, in *collection, by Identifier, people []*person) ([]*person, error) {
	p := pool.NewWithResults[[]*person]().WithErrors().WithFirstError().WithMaxGoroutines(lookupsAtOnce)
	for _, call := range in.calls(by, people) {
		p.Go(func() ([]*person, error) {
			some := false
			refused, err := l.read(ctx, in, in.any(by, values(call)), func(*profileResource) { some = true })
			if refused == nil && !some {
				call = nil
			}
			return call, err
		})
	}
	calls, err := p.Wait()
	return slices.Concat(calls...), err
}

func sought(values []string) []*person {
	people := make([]*person, len(values))
	for i, value := range values {
		people[i] = &person{row: new(Profile), value: value}
	}
	return people
}
