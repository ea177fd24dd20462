package sink

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// maxPages bounds how many pages of a collection are read in one go.
const maxPages = 50

// links are those of a page of a collection.
type links struct {
	Next string `json:"next"`
}

// next returns path and query of the next page, or "" after the last one. The host is dropped: the key goes to no
// host but the base URL's.
func (l links) next() (string, error) {
	if l.Next == "" {
		return "", nil
	}
	u, err := url.Parse(l.Next)
	// A path that does not begin with a slash would extend the base URL's host.
	if err != nil || u.Opaque != "" || !strings.HasPrefix(u.EscapedPath(), "/") {
		return "", setupError("", "follow Klaviyo's link to the next page: expected a URL with a path")
	}
	return u.EscapedPath() + "?" + u.RawQuery, nil
}

// page reads one page of a collection into doc. whole reports whether doc has the page's data.
func (c *Client) page(ctx context.Context, r *request, doc any, whole func() bool) error {
	r.method = http.MethodGet
	r.accept = func(a *answer) error {
		if err := decode(a.body, doc); err != nil {
			return err
		}
		if !whole() {
			return errNoData
		}
		return nil
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return err
	}
	if a.status >= 300 {
		return a.refused(r.doing)
	}
	return nil
}

// refused is the error of an answer that is not the one that was asked for.
func (a *answer) refused(doing string) *Error {
	err := setupError("", "%s: %s", doing, a.traced())
	if err.status = a.status; a.status == http.StatusNotFound && !a.missing() {
		err.status, err.Hint = 0, "check --base-url: this is not an answer of Klaviyo's API"
	}
	return err
}
