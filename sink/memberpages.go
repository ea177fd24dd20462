package sink

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"
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

// memberPage is a page of members, next the path and query of the following one.
type memberPage struct {
	members []Member
	next    string
}

// follow reads pages from a path on, until the last one or until each says that it needs no more. Pages that lead
// back, or too many without members, are an error.
func (m *memberPages) follow(ctx context.Context, path string, each func(*memberPage) (on bool, err error)) error {
	seen, empty := map[string]bool{}, 0
	for path != "" {
		if seen[path] {
			return setupError("", "%s: Klaviyo's pages repeat", m.doing)
		}
		seen[path] = true
		page, err := m.page(ctx, path)
		if err != nil {
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

// page reads one page.
func (m *memberPages) page(ctx context.Context, path string) (*memberPage, error) {
	var doc struct {
		Data []struct {
			ID         string                     `json:"id"`
			Attributes map[string]json.RawMessage `json:"attributes"`
		} `json:"data"`
		Links links `json:"links"`
	}
	err := m.client.page(ctx, &request{doing: m.doing, path: path, endpoint: m.client.endpoints.members}, &doc,
		func() bool { return doc.Data != nil })
	var failed *Error
	if errors.As(err, &failed) && failed.status == http.StatusNotFound && failed.Hint == "" {
		failed.Hint = goneHint
	}
	if err != nil {
		return nil, notLost(err)
	}
	page := &memberPage{members: make([]Member, len(doc.Data))}
	for i, data := range doc.Data {
		since, err := time.Parse(time.RFC3339, plain(data.Attributes["joined_group_at"]))
		if err != nil || data.ID == "" {
			return nil, setupError("", "%s: expected an id and joined_group_at for each member", m.doing)
		}
		page.members[i] = Member{data.ID, since.UTC().Truncate(time.Second), data.Attributes}
	}
	page.next, err = doc.Links.next()
	return page, err
}

// disordered is the error of a member who joined before the one in front of it.
func (m *memberPages) disordered(since, after time.Time) error {
	return setupError("", "%s: expected them in the order in which they joined, got %s after %s",
		m.doing, since.Format(time.RFC3339), after.Format(time.RFC3339))
}
