package sink

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
)

// Finding is the result of one check of Examine.
type Finding struct {
	Type   string `json:"type"` // "finding"
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// Examine checks the key, its scopes for reading, the account, the rate limits and the list. It writes nothing, so it
// cannot check the scopes for writing. It ends early when Klaviyo does not know the key.
func (c *Client) Examine(ctx context.Context, list ListRef) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		account, err := c.account(ctx)
		if unreachable(err) {
			yield(finding("network", "", err))
			return
		}
		if !yield(keyFinding(err)) || err != nil && !forbidden(err) {
			return
		}
		if !yield(finding("account", account, err)) {
			return
		}
		limits, err := c.readable(ctx, "lists", c.endpoints.lists)
		if !yield(finding("scope lists:read", "lists can be read; rate limits "+limits, err)) {
			return
		}
		limits, err = c.readable(ctx, "profile-bulk-import-jobs", c.endpoints.jobs)
		if !yield(finding("scope profiles:read", "import jobs can be read; rate limits "+limits, err)) {
			return
		}
		if list.ID == "" && list.Name == "" {
			return
		}
		l, err := c.FindList(ctx, list)
		id, name, _ := l.State()
		yield(finding("list", fmt.Sprintf("list %q has the id %s", name, id), err))
	}
}

// keyFinding is the finding about the key: Klaviyo may know it even if it lacks a scope.
func keyFinding(err error) Finding {
	if forbidden(err) {
		err = nil
	}
	return finding("key", "Klaviyo knows the API key", err)
}

func finding(check, detail string, err error) Finding {
	f := Finding{Type: "finding", Check: check, OK: err == nil, Detail: detail}
	if err != nil {
		f.Detail = err.Error()
		var failed *Error
		if errors.As(err, &failed) {
			f.Hint = failed.Hint
			if unreachable(err) {
				f.Hint = "check --base-url, HTTPS_PROXY and the network, or try again later: no usable answer came"
			}
		}
	}
	return f
}

// forbidden reports whether Klaviyo knew the key but refused the request because of a missing scope.
func forbidden(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.status == http.StatusForbidden
}

// unreachable reports whether no usable answer came, so that nothing is known about the key.
func unreachable(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Kind == Outage
}

// account returns a text on the account of the key.
func (c *Client) account(ctx context.Context) (string, error) {
	var doc struct {
		Data []struct {
			ID         string `json:"id"`
			Attributes struct {
				Contact struct {
					Name string `json:"organization_name"`
				} `json:"contact_information"`
				Test bool `json:"test_account"`
			} `json:"attributes"`
		} `json:"data"`
	}
	r := &request{doing: "read the account", path: "/api/accounts", endpoint: c.endpoints.accounts}
	if err := c.page(ctx, r, &doc, func() bool { return len(doc.Data) > 0 }); err != nil {
		return "", err
	}
	kind := ""
	if doc.Data[0].Attributes.Test {
		kind = ", a test account"
	}
	return fmt.Sprintf("account %s, %q%s", doc.Data[0].ID, doc.Data[0].Attributes.Contact.Name, kind), nil
}

// readable reads one element of a collection. It returns the rate limits in the answer's headers, and how many
// requests are left in the first window.
func (c *Client) readable(ctx context.Context, collection string, e *endpoint) (string, error) {
	doing, path := "read "+collection, "/api/"+collection+"?page%5Bsize%5D=1"
	a, err := c.call(ctx, &request{doing: doing, method: http.MethodGet, path: path, endpoint: e})
	if err != nil {
		return "", err
	}
	if a.status >= 300 {
		return "", setupError("", "%s: %s", doing, explain(a.status, a.errors))
	}
	limits := cut(c.hide(a.header.Get("RateLimit-Limit")))
	left := cut(c.hide(a.header.Get("RateLimit-Remaining")))
	if limits == "" || left == "" {
		return "unknown", nil
	}
	return fmt.Sprintf("%s (%s requests left in the first window)", limits, left), nil
}
