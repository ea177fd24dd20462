package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/segmentio/encoding/json"
	"github.com/sourcegraph/conc/pool"
)

const (
	// maxLookup is the number of values in one look-up, maxQuery the bytes of its query (klaviyo-more.md §3.1).
	maxLookup = 100
	maxQuery  = 6_000
	// lookupsAtOnce is the number of look-ups in flight. At 0.6 seconds each they use an endpoint's whole quota.
	lookupsAtOnce = 8
)

// profileResource is a profile as collections show it. JoinedAt is there in the collection of a list's members.
type profileResource struct {
	ID         string `json:"id"`
	Attributes struct {
		Email       string `json:"email"`
		PhoneNumber string `json:"phone_number"`
		ExternalID  string `json:"external_id"`
		JoinedAt    string `json:"joined_group_at"`

		Subscriptions struct {
			Email struct {
				Marketing struct {
					CanReceive  bool              `json:"can_receive_email_marketing"`
					Suppression []json.RawMessage `json:"suppression"`
				} `json:"marketing"`
			} `json:"email"`
			SMS struct {
				Marketing struct {
					CanReceive bool `json:"can_receive_sms_marketing"`
				} `json:"marketing"`
			} `json:"sms"`
		} `json:"subscriptions"`
	} `json:"attributes"`
}

// collection is one that people are looked up in.
type collection struct {
	doing    string // for errors
	path     string
	endpoint *endpoint
	query    url.Values // beside the filter
	list     bool       // its equals takes a list of values
	thorough bool       // whoever is not found is asked for singly
}

// members are the profiles on a list (klaviyo-more.md §3.1).
func (c *Client) members(list string) *collection {
	return &collection{
		doing: "look up members of the list", path: "/api/lists/" + url.PathEscape(list) + "/profiles",
		endpoint: c.endpoints.members, list: true,
		query: url.Values{"fields[profile]": {"email,phone_number,joined_group_at"}, "page[size]": {"100"}},
	}
}

// withConsent also reads whether marketing may be sent to the members. The rate stays (klaviyo-more.md §2.7).
func (c *collection) withConsent() *collection {
	c.query.Set("additional-fields[profile]", "subscriptions")
	c.query.Set("fields[profile]", c.query.Get("fields[profile]")+",subscriptions")
	return c
}

// memberIDs are the ids of the profiles on a list, an endpoint with a quota of its own.
func (c *Client) memberIDs(list string) *collection {
	return &collection{
		doing: "read the list back", path: "/api/lists/" + url.PathEscape(list) + "/relationships/profiles",
		endpoint: c.endpoints.memberIDs, list: true, query: url.Values{"page[size]": {"100"}},
	}
}

// profiles are those of the account.
func (c *Client) profiles() *collection {
	return &collection{
		doing: "look up profiles", path: "/api/profiles", endpoint: c.endpoints.profiles,
		query: url.Values{"fields[profile]": {"email,phone_number,external_id"}, "page[size]": {"100"}},
	}
}

// any returns path and query for the profiles that have one of the values.
func (c *collection) any(by Identifier, values []string) string {
	return c.filter("any", by, appendList(nil, values))
}

// equals returns path and query for the profiles that have the value. A list's members take it in brackets.
func (c *collection) equals(by Identifier, value string) string {
	if c.list {
		return c.filter("equals", by, appendList(nil, []string{value}))
	}
	return c.filter("equals", by, json.AppendEscape(nil, value, 0))
}

func (c *collection) filter(operator string, by Identifier, value []byte) string {
	return c.path + "?" + c.query.Encode() + "&filter=" +
		url.QueryEscape(operator+"("+by.field()+","+string(value)+")")
}

// appendList appends values as a JSON array.
func appendList(b []byte, values []string) []byte {
	b = append(b, '[')
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = json.AppendEscape(b, value, 0)
	}
	return append(b, ']')
}

// person is somebody who is looked up.
type person struct {
	row   *Profile // rejected when Klaviyo refuses the value
	value string
	found []profileResource

	owner *person // of whose profile, with this id, this is a step on the way
	id    string
}

// lookups looks people up, so many at once for all callers. Its methods may be called concurrently.
type lookups struct {
	client *Client
	list   *List
	slots  chan struct{} // one for each look-up in flight
	trial  trial
}

func newLookups(c *Client, list *List) *lookups {
	return &lookups{client: c, list: list, slots: make(chan struct{}, lookupsAtOnce),
		trial: trial{doing: "look people up"}}
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

// calls divides people into those of single look-ups.
func (c *collection) calls(by Identifier, people []*person) (calls [][]*person) {
	for len(people) > 0 {
		n := c.fit(by, people)
		calls = append(calls, people[:n])
		people = people[n:]
	}
	return calls
}

// values are those that people are looked up by.
func values(people []*person) []string {
	all := make([]string, len(people))
	for i, p := range people {
		all[i] = p.value
	}
	return all
}

// fit returns how many people, at least one, a single look-up may ask for.
func (c *collection) fit(by Identifier, people []*person) (n int) {
	size := len(c.any(by, nil))
	for n < min(len(people), maxLookup) {
		quoted := json.AppendEscape(nil, people[n].value, 0)
		if size += len(url.QueryEscape(string(quoted) + ",")); size > maxQuery && n > 0 {
			break
		}
		n++
	}
	return n
}

// ask looks the people of one call up. A refused call is halved until the refused value is alone.
func (l *lookups) ask(ctx context.Context, in *collection, by Identifier, people []*person) error {
	rows := make([]Profile, len(people))
	owner := make(map[*Profile]*person, len(people))
	for i := range people {
		owner[&rows[i]] = people[i]
	}
	b := batch{list: l.list, trial: &l.trial, texts: l.client.newTexts()}
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
		if len(p.found) > 0 {
			continue
		}
		if refused, err := l.single(ctx, in, by, p); err != nil || refused != nil {
			return refused, err
		}
	}
	return nil, nil
}

// single asks for one person. Klaviyo knows its profiles' other addresses, so one profile that shows another address
// is this person. Of several it is not known which one is: the row is rejected.
func (l *lookups) single(ctx context.Context, in *collection, by Identifier, p *person) (*refusal, error) {
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
	case len(p.found) > 0 || p.id != "":
	case len(all) == 1:
		p.found = all
	case len(all) > 1:
		p.row.Status, p.row.Fault = Rejected, &Fault{Code: "several_profiles", Column: string(by), Detail: fmt.Sprintf(
			"Klaviyo answers with %d profiles, and none of them shows this %s", len(all), by)}
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
			each(&page.Data[i])
		}
		if path, err = page.Links.next(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

var errNoID = errors.New("expected an id for each profile")

// whole reports what is wrong with a page of profiles.
func whole(data []profileResource) error {
	if data == nil {
		return errNoData
	}
	for i := range data {
		if data[i].ID == "" {
			return errNoID
		}
	}
	return nil
}

// notLost says that a request that reads changed nothing, whatever happened to its answer.
func notLost(err error) error {
	var failed *Error
	if errors.As(err, &failed) {
		failed.lost = false
	}
	return err
}
