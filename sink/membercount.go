package sink

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

var errNoCount = errors.New("expected profile_count")

// MemberCount returns how many members Klaviyo counts on the list. How fresh the number is, is not documented.
func (c *Client) MemberCount(ctx context.Context, list *List) (int64, error) {
	id, _, _ := list.State()
	var doc struct {
		Data struct {
			ID         string `json:"id"`
			Attributes struct {
				Count *int64 `json:"profile_count"`
			} `json:"attributes"`
		} `json:"data"`
	}
	doing := "count the list's members"
	a, err := c.call(ctx, &request{
		doing: doing, method: http.MethodGet, endpoint: c.endpoints.count, brief: true, optional: true,
		path: "/api/lists/" + url.PathEscape(id) + "?additional-fields%5Blist%5D=profile_count",
		accept: func(a *answer) error {
			err := c.decodeID(a, &doc, &doc.Data.ID)
			if err == nil && doc.Data.Attributes.Count == nil {
				return errNoCount
			}
			return err
		},
	})
	switch {
	case err != nil:
		return 0, notLost(err)
	case a.status >= 300:
		return 0, a.refused(doing)
	}
	return *doc.Data.Attributes.Count, nil
}
