package sink

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
)

// Finding is the outcome of one check of Examine.
type Finding struct {
	Type   string `json:"type"` // "finding"
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// Examine looks at key, scopes for reading, account, rate limits and list, as far as they can be seen without writing
// anything: whether the key has the scopes for writing is not. It ends early when Klaviyo does not know the key.
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
		limits, err := c.readable(ctx, "/api/lists?page%5Bsize%5D=1", c.rates.lists)
		if !yield(finding("scope lists:read", "lists can be read; rate limits "+limits, err)) {
			return
		}
		limits, err = c.readable(ctx, "/api/profile-bulk-import-jobs?page%5Bsize%5D=1", c.rates.jobs)
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

// keyFinding tells a key that Klaviyo knows, even if it lacks a scope, from one that it does not.
func keyFinding(err error) Finding {
	if forbidden(err) {
		err = nil
	}
	return finding("key", "Klaviyo knows the key", err)
}

func finding(check, detail string, err error) Finding {
	f := Finding{Type: "finding", Check: check, OK: err == nil, Detail: detail}
	if err != nil {
		f.Detail = err.Error()
		var failed *Error
		if errors.As(err, &failed) {
			f.Hint = failed.Hint
			if unreachable(err) {
				f.Hint = "no usable answer came: check --base-url, HTTPS_PROXY and the network, or try again later"
			}
		}
	}
	return f
}

// forbidden reports whether Klaviyo knew the key and refused for want of a scope.
func forbidden(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.status == http.StatusForbidden
}

// unreachable reports whether no answer came, which would say something of the key.
func unreachable(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Kind == Outage
}

// account returns a sentence on the account that the key belongs to.
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
	err := c.page(ctx, &request{doing: "look at the account", path: "/api/accounts", endpoint: c.rates.accounts}, &doc, func() bool { return len(doc.Data) > 0 })
	if err != nil {
		return "", err
	}
	kind := ""
	if doc.Data[0].Attributes.Test {
		kind = ", a test account"
	}
	return fmt.Sprintf("account %s, %q%s", doc.Data[0].ID, doc.Data[0].Attributes.Contact.Name, kind), nil
}

// readable reads one page and returns the rate limits that its answer tells, and what is left of the first.
func (c *Client) readable(ctx context.Context, path string, e *endpoint) (string, error) {
	a, err := c.call(ctx, &request{doing: "read " + path, method: http.MethodGet, path: path, endpoint: e})
	if err != nil {
		return "", err
	}
	if a.status >= 300 {
		return "", setupError("", "read %s: %s", path, explain(a.status, a.errors))
	}
	limits, left := cut(c.hide(a.header.Get("RateLimit-Limit"))), cut(c.hide(a.header.Get("RateLimit-Remaining")))
	if limits == "" || left == "" {
		return "unknown", nil
	}
	return limits + ", of the first " + left + " are left", nil
}
