package sink

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/encoding/json"
	"github.com/sourcegraph/conc/pool"
)

// walkers is how many stretches of a list are read at once. A cursor is serial: at 0.3 seconds a page, four of them use
// the whole quota (klaviyo-more.md §4).
const walkers = 8

// Member is a profile on a list.
type Member struct {
	ID         string
	Since      time.Time                  // when it joined the list, in whole seconds
	Attributes map[string]json.RawMessage // those that were asked for, joined_group_at included
}

// walk reads all members of a list: stretches of the seconds in which they joined, several at once. A walker that has
// nothing left to do takes the later half of the stretch that has the most seconds left.
type walk struct {
	client *Client
	list   string
	query  url.Values
	each   func([]Member) error

	emitting sync.Mutex // held while each runs

	mu        sync.Mutex
	stretches []*stretch
	changed   *sync.Cond
}

// stretch is a range of seconds that one walker reads.
type stretch struct {
	from, end time.Time // whole seconds, end excluded; a zero from has no bound
	at        time.Time // the second of the last member that was read
	more      bool      // a page was read since the stretch was divided, and another one follows
}

// filter is that of the stretch's members.
func (s *stretch) filter() string {
	filter := "less-than(joined_group_at," + s.end.Format(time.RFC3339) + ")"
	if !s.from.IsZero() {
		filter = "greater-or-equal(joined_group_at," + s.from.Format(time.RFC3339) + ")," + filter
	}
	return filter
}

// Members calls each with all members of list who joined before the call, a page at a time, and in any order. Somebody
// who joins or leaves meanwhile may be missing, or come twice. Fields are names of the profile's attributes, as
// Klaviyo's sparse fieldsets have them. The error is an *Error, or that of each. ctx ends the reading.
func (c *Client) Members(ctx context.Context, list *List, fields []string, each func([]Member) error) error {
	id, _, _ := list.State()
	w := c.newWalk(id, append([]string{"joined_group_at"}, fields...)...)
	w.each = each
	for _, field := range fields {
		if field == "subscriptions" {
			w.query.Set("additional-fields[profile]", field)
		}
	}
	first, err := w.page(ctx, w.path(url.Values{"sort": {"joined_group_at"}}, ""))
	if err != nil || len(first.members) == 0 {
		return err
	}
	if first.next == "" {
		return each(first.members)
	}
	last, err := w.page(ctx, w.path(url.Values{"sort": {"-joined_group_at"}, "page[size]": {"1"}}, ""))
	switch {
	case err != nil:
		return err
	case len(last.members) == 0:
		return setupError("run it again", "%s: the list has %d members or more, and then none", doingWalk, len(first.members))
	}
	w.divide(first.members[0].Since, last.members[0].Since.Add(time.Second))
	p := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	for _, s := range w.stretches {
		p.Go(func(ctx context.Context) error {
			defer context.AfterFunc(ctx, w.wake)()
			return w.work(ctx, s)
		})
	}
	return p.Wait()
}

func (c *Client) newWalk(list string, fields ...string) *walk {
	w := &walk{client: c, list: list, query: url.Values{
		"page[size]": {"100"}, "fields[profile]": {strings.Join(fields, ",")},
	}}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// divide makes the first stretches: equal parts of the seconds from the first member to the last.
func (w *walk) divide(from, end time.Time) {
	seconds := int64(end.Sub(from) / time.Second)
	n := min(walkers, max(seconds, 1))
	for i := range n {
		part := func(i int64) time.Time { return from.Add(time.Duration(seconds*i/n) * time.Second) }
		w.stretches = append(w.stretches, &stretch{from: part(i), end: part(i + 1), at: part(i)})
	}
	w.stretches[0].from = time.Time{} // nobody joined earlier
}

// work reads a stretch, and then parts of others, until nothing is left.
func (w *walk) work(ctx context.Context, s *stretch) error {
	for s != nil {
		if err := w.read(ctx, s); err != nil {
			return err
		}
		s = w.take(ctx, s)
	}
	return nil
}

// take ends a stretch and returns the later half of another one. It waits while others may still be divided, and
// returns nil when none can be.
func (w *walk) take(ctx context.Context, done *stretch) *stretch {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.stretches {
		if s == done {
			w.stretches = append(w.stretches[:i], w.stretches[i+1:]...)
			break
		}
	}
	w.changed.Broadcast()
	for ctx.Err() == nil {
		var longest *stretch
		waiting := false
		for _, s := range w.stretches {
			switch left := s.end.Sub(s.at); {
			case left < 2*time.Second:
			case !s.more:
				waiting = true
			case longest == nil || left > longest.end.Sub(longest.at):
				longest = s
			}
		}
		switch {
		case longest != nil:
			middle := longest.at.Add(longest.end.Sub(longest.at) / 2).Truncate(time.Second)
			half := &stretch{from: middle, end: longest.end, at: middle}
			longest.end, longest.more = middle, false
			w.stretches = append(w.stretches, half)
			return half
		case !waiting:
			return nil
		}
		w.changed.Wait()
	}
	return nil
}

func (w *walk) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed.Broadcast()
}

// read reads a stretch to its end, which other walkers may bring nearer.
func (w *walk) read(ctx context.Context, s *stretch) error {
	w.mu.Lock()
	filter := s.filter()
	w.mu.Unlock()
	next := w.path(url.Values{"sort": {"joined_group_at"}}, filter)
	seen := map[string]bool{}
	for next != "" {
		if seen[next] {
			return setupError("", "%s: Klaviyo's pages repeat", doingWalk)
		}
		seen[next] = true
		page, err := w.page(ctx, next)
		if err != nil {
			return err
		}
		members, over, err := w.advance(s, page)
		if err != nil {
			return err
		}
		if err := w.emit(members); err != nil || over {
			return err
		}
		next = page.next
	}
	return nil
}

// advance notes a page that was read. It returns the members who are in the stretch, and whether it is read to its end.
func (w *walk) advance(s *stretch, page *memberPage) (members []Member, over bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.changed.Broadcast()
	s.more = page.next != ""
	for i := range page.members {
		since := page.members[i].Since
		if !since.Before(s.end) {
			s.more = false
			return page.members[:i], true, nil
		}
		if since.Before(s.at) {
			return nil, true, setupError("", "%s: expected them in the order in which they joined, got %s after %s",
				doingWalk, since.Format(time.RFC3339), s.at.Format(time.RFC3339))
		}
		s.at = since
	}
	return page.members, false, nil
}

func (w *walk) emit(members []Member) error {
	w.emitting.Lock()
	defer w.emitting.Unlock()
	return w.each(members)
}

const doingWalk = "read the list's members"

// path returns path and query of a page. own goes before the walk's query.
func (w *walk) path(own url.Values, filter string) string {
	query := url.Values{}
	for name, values := range w.query {
		query[name] = values
	}
	for name, values := range own {
		query[name] = values
	}
	if filter != "" {
		query.Set("filter", filter)
	}
	return "/api/lists/" + url.PathEscape(w.list) + "/profiles?" + query.Encode()
}

// memberPage is a page of members, next the path and query of the following one.
type memberPage struct {
	members []Member
	next    string
}

// page reads one page.
func (w *walk) page(ctx context.Context, path string) (*memberPage, error) {
	var doc struct {
		Data []struct {
			ID         string                     `json:"id"`
			Attributes map[string]json.RawMessage `json:"attributes"`
		} `json:"data"`
		Links links `json:"links"`
	}
	err := w.client.page(ctx, &request{doing: doingWalk, path: path, endpoint: w.client.endpoints.members}, &doc,
		func() bool { return doc.Data != nil })
	if err != nil {
		return nil, notLost(err)
	}
	page := &memberPage{members: make([]Member, len(doc.Data))}
	for i, data := range doc.Data {
		since, err := time.Parse(time.RFC3339, plain(data.Attributes["joined_group_at"]))
		if err != nil || data.ID == "" {
			return nil, setupError("", "%s: expected an id and joined_group_at for each member", doingWalk)
		}
		page.members[i] = Member{data.ID, since.UTC().Truncate(time.Second), data.Attributes}
	}
	page.next, err = doc.Links.next()
	return page, err
}
