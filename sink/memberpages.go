package sink

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// memberPages reads pages of a list's members, in the order in which they joined.
type memberPages struct {
	client *Client
	doing  string // for errors
	list   string // its id
	query  url.Values
}

// memberPages returns the pages of a list with these attributes of its members, and joined_group_at.
func (c *Client) memberPages(list *List, doing string, fields []string) memberPages {
	id, _, _ := list.State()
	all := append([]string{"joined_group_at"}, fields...)
	query := url.Values{"fields[profile]": {strings.Join(all, ",")}}
	for _, field := range fields {
		if field == "subscriptions" {
			query.Set("additional-fields[profile]", field)
		}
	}
	return memberPages{c, doing, id, query}
}

// path returns path and query of the first page.
func (m *memberPages) path(sort, size, filter string) string {
	query := url.Values{"sort": {sort}, "page[size]": {size}}
	for name, values := range m.query {
		query[name] = values
	}
	if filter != "" {
		query.Set("filter", filter)
	}
	return "/api/lists/" + url.PathEscape(m.list) + "/profiles?" + query.Encode()
}

// joinedIn is the filter for who joined in a range of seconds, end excluded. A zero from is no bound.
func joinedIn(from, end time.Time) string {
	filter := "less-than(joined_group_at," + end.UTC().Format(time.RFC3339) + ")"
	if !from.IsZero() {
		filter = "greater-or-equal(joined_group_at," + from.UTC().Format(time.RFC3339) + ")," + filter
	}
	return filter
}

// memberPage is a page of members, next the path and query of the following one. Page after page takes the same memory.
type memberPage struct {
	members []Member
	next    string

	doc struct {
		Data  []memberResource `json:"data"`
		Links links            `json:"links"`
	}
}

// memberResource is a member as the collection shows it.
type memberResource struct {
	ID         string     `json:"id"`
	Attributes Attributes `json:"attributes"`
}

// decode reads an answer, whose memory the page shares from then on.
func (p *memberPage) decode(body []byte) error {
	if p.doc.Data == nil {
		p.doc.Data = make([]memberResource, 1, 100)
	}
	p.doc.Data, p.doc.Links = p.doc.Data[:cap(p.doc.Data)], links{}
	clear(p.doc.Data)
	p.doc.Data = p.doc.Data[:1] // it stays as it is where the answer has no data
	if err := decodeShared(body, &p.doc); err != nil {
		return err
	}
	if p.doc.Data == nil || len(p.doc.Data) > 0 && p.doc.Data[0].ID == "" {
		return errNoData
	}
	return nil
}

// follow reads pages from a path on, until the last one or until each says that it needs no more. A page is good until
// each returns. Pages that lead back, or too many without members, are an error.
func (m *memberPages) follow(ctx context.Context, path string, each func(*memberPage) (on bool, err error)) error {
	seen, empty, page := map[string]bool{}, 0, new(memberPage)
	for path != "" {
		if seen[path] {
			return setupError("", "%s: Klaviyo's pages repeat", m.doing)
		}
		seen[path] = true
		if err := m.read(ctx, path, page); err != nil {
			return err
		}
		if empty++; len(page.members) > 0 {
			empty = 0
		}
		if empty == maxPages {
			return setupError("", "%s: Klaviyo's pages do not end", m.doing)
		}
		if on, err := each(page); err != nil || !on {
			return err
		}
		path = page.next
	}
	return nil
}

// some returns the first page from a path on that has members, or the last one.
func (m *memberPages) some(ctx context.Context, path string) (page *memberPage, err error) {
	err = m.follow(ctx, path, func(p *memberPage) (bool, error) {
		page = p
		return len(p.members) == 0, nil
	})
	return page, err
}

// read reads one page.
func (m *memberPages) read(ctx context.Context, path string, page *memberPage) error {
	r := &request{doing: m.doing, method: http.MethodGet, path: path, endpoint: m.client.endpoints.members}
	r.accept = func(a *answer) error { return page.decode(a.body) }
	a, err := m.client.call(ctx, r)
	if err == nil && a.status >= 300 {
		err = a.refused(m.doing)
	}
	var failed *Error
	if errors.As(err, &failed) && failed.status == http.StatusNotFound && failed.Hint == "" {
		failed.Hint = goneHint
	}
	if err != nil {
		return notLost(err)
	}
	page.members = page.members[:0]
	for i := range page.doc.Data {
		one := &page.doc.Data[i]
		since, err := time.Parse(time.RFC3339, one.Attributes.JoinedAt)
		if err != nil || one.ID == "" {
			return setupError("", "%s: expected an id and joined_group_at for each member", m.doing)
		}
		page.members = append(page.members, Member{one.ID, since.UTC().Truncate(time.Second), &one.Attributes})
	}
	page.next, err = page.doc.Links.next()
	return err
}

// disordered is the error of a member who joined before the one in front of it.
func (m *memberPages) disordered(since, after time.Time) error {
	return setupError("", "%s: expected them in the order in which they joined, got %s after %s",
		m.doing, since.Format(time.RFC3339), after.Format(time.RFC3339))
}
