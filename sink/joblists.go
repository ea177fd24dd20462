package sink

import (
	"context"
	"net/url"
)

// JobLists returns the ids of the lists that an import job adds people to. It returns none when Klaviyo does not know
// the job, which it forgets after seven days (klaviyo-more.md section 5), when the key lacks the scope lists:read, or
// when no usable answer comes. It sends at most two requests and takes at most ten seconds.
func (c *Client) JobLists(ctx context.Context, job string) (lists []string) {
	var doc struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	err := c.optional(ctx, c.endpoints.jobLists, func(ctx context.Context, r *request) error {
		r.doing = "look up the list of import job " + foreign(job).String()
		r.path = "/api/profile-bulk-import-jobs/" + url.PathEscape(job) + "/relationships/lists"
		return c.page(ctx, r, &doc, func() bool { return doc.Data != nil })
	})
	if err != nil {
		return nil
	}
	for _, list := range doc.Data {
		lists = append(lists, list.ID)
	}
	return lists
}
