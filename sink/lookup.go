package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/sourcegraph/conc/pool"
)

// lookupsAtOnce is the number of look-ups in flight. At 0.6 seconds each they use an endpoint's whole quota.
const lookupsAtOnce = 8

// person is somebody who is looked up.
type person struct {
	row   *Profile // rejected when Klaviyo refuses the value
	value string
	found []profileResource
	ids   []string // of the profiles that a look-up went through

	owner *person // of whose profile, with this id, this is a step on the way
	id    string
}

// lookups looks people up, so many at once for all callers. Its methods may be called concurrently.
type lookups struct {
	client *Client
	list   *List
	slots  chan struct{} // one for each look-up in flight
	trial  *trial
}

func newLookups(c *Client, list *List) *lookups {
	return &lookups{client: c, list: list, slots: make(chan struct{}, lookupsAtOnce),
		trial: &trial{doing: "look people up"}}
}

// on returns the look-ups on another list, with the same slots.
func (l *lookups) on(list *List) *lookups {
	return &lookups{client: l.client, list: list, slots: l.slots, trial: l.trial}
}

// find looks people up by an identifier and sets found of each one, to nothing where Klaviyo knows nobody. It asks for
// up to 100 at once. When an answer has somebody who matches no value, or the collection is to be searched thoroughly,
// it asks for the people of that call who are left over one by one: a profile may have several addresses and show
// another one (klaviyo-more.md §3.3).
//
// A value that Klaviyo refuses has its row rejected. The error is that of Sender.Send.
func (l *lookups) find(ctx context.Context, in *collection, by Identifier, people []*person) error {
	p := pool.New().WithErrors().WithFirstError().WithMaxGoroutines(lookupsAtOnce)
	for _, call := range in.calls(by, people) {
		p.Go(func() error { return l.ask(ctx, in, by, call) })
	}
	return p.Wait()
}

// values are those that people are looked up by.
func values(people []*person) []string {
	all := make([]string, len(people))
	for i, p := range people {
		all[i] = p.value
	}
	return all
}

// ask looks the people of one call up. A refused call is halved until the refused value is alone.
func (l *lookups) ask(ctx context.Context, in *collection, by Identifier, people []*person) error {
	rows := make([]Profile, len(people))
	owner := make(map[*Profile]*person, len(people))
	for i := range people {
		owner[&rows[i]] = people[i]
	}
	b := batch{list: l.list, trial: l.trial, texts: l.client.newTexts()}
	defer b.texts.free()
	b.request = func(ctx context.Context, set []*Profile) (*refusal, error) {
		asked := make([]*person, len(set))
		for i, p := range set {
			asked[i] = owner[p]
		}
		return l.request(ctx, in, by, asked)
	}
	err := b.send(ctx, rows)
	for i := range rows {
		if rows[i].Status == Rejected {
			people[i].row.rejectAs(&rows[i])
		}
	}
	return err
}

// request sends one look-up and attributes its answer, and asks for the people left over where it has to.
func (l *lookups) request(ctx context.Context, in *collection, by Identifier, people []*person) (*refusal, error) {
	places := make(map[string][]*person, len(people))
	for _, p := range people {
		p.found = nil
		places[by.same(p.value)] = append(places[by.same(p.value)], p)
	}
	strangers := in.thorough
	refused, err := l.read(ctx, in, in.any(by, values(people)), func(found *profileResource) {
		matched := places[by.same(by.of(found))]
		strangers = strangers || len(matched) == 0
		for _, p := range matched {
			p.found = append(p.found, *found)
		}
	})
	if err != nil || refused != nil || !strangers {
		return refused, err
	}
	for _, p := range people {
		if len(p.found) > 0 && by != PhoneNumber { // a number may belong to several profiles
			continue
		}
		if refused, err := l.single(ctx, in, by, p); err != nil || refused != nil {
			return refused, err
		}
	}
	return nil, nil
}

// single asks for one person. Klaviyo knows its profiles' other addresses, so one profile that shows another address
// is this person. If there are several, nobody knows which one it is: the row is rejected.
func (l *lookups) single(ctx context.Context, in *collection, by Identifier, p *person) (*refusal, error) {
	p.found = nil
	var all []profileResource
	refused, err := l.read(ctx, in, in.equals(by, p.value), func(found *profileResource) { all = append(all, *found) })
	if err != nil || refused != nil {
		return refused, err
	}
	for i := range all {
		if p.id == all[i].ID || p.id == "" && by.same(by.of(&all[i])) == by.same(p.value) {
			p.found = append(p.found, all[i])
		}
	}
	switch {
	case p.id != "":
	case len(p.found) > 0 && (by != PhoneNumber || len(p.found) == len(all)):
	case len(all) == 1:
		p.found = all
	case len(all) > 1:
		p.row.Status, p.row.Fault = Rejected, &Fault{Code: "several_profiles", Column: string(by), Detail: fmt.Sprintf(
			"Klaviyo answers with %d profiles, and %d of them show this %s", len(all), len(p.found), by)}
		p.found = nil
		for i := range all { // each of them may be this person
			p.ids = append(p.ids, all[i].ID)
		}
	}
	return nil, nil
}

// read reads all pages of a look-up. An answer that does not say who is in it is none.
func (l *lookups) read(
	ctx context.Context, in *collection, path string, each func(*profileResource),
) (*refusal, error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, &Error{Kind: Stopped, err: context.Cause(ctx)}
	}
	for seen := map[string]bool{}; path != ""; {
		if seen[path] || len(seen) == maxPages {
			return nil, setupError("", "%s: Klaviyo's pages do not end", in.doing)
		}
		seen[path] = true
		var page struct {
			Data  []profileResource `json:"data"`
			Links links             `json:"links"`
		}
		a, err := l.client.call(ctx, &request{
			doing: in.doing, method: http.MethodGet, path: path, endpoint: in.endpoint,
			accept: func(a *answer) error {
				if err := decode(a.body, &page); err != nil {
					return err
				}
				return whole(page.Data)
			},
		})
		if err != nil {
			return nil, notLost(err)
		}
		if a.status >= 300 {
			return refuse(a, in.doing, nil, nil, func(*apiError, []*Profile, func(int, string, string)) {})
		}
		for i := range page.Data {
			if !in.whole {
				page.Data[i].Attributes.Properties = nil
			}
			each(&page.Data[i])
		}
		if path, err = page.Links.next(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// notLost says that a request that reads changed nothing, whatever happened to its answer.
func notLost(err error) error {
	var failed *Error
	if errors.As(err, &failed) {
		failed.lost = false
	}
	return err
}
