package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"
)

// Finding is the result of one check of Examine.
type Finding struct {
	Type   string `json:"type"` // "finding"
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// Examine checks the key, its scopes for reading, the account, the rate limits, the API revision and the list. It
// changes nothing, so it cannot check the scopes for writing. It ends early when Klaviyo does not know the key. A check
// that passes with a Hint is a warning.
func (c *Client) Examine(ctx context.Context, list ListRef) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		account, err := c.account(ctx, &request{})
		if stage := before(err); stage != "" {
			yield(finding(stage, "", err))
			return
		}
		if !yield(keyFinding(err)) || err != nil && !forbidden(err) {
			return
		}
		if !yield(accountFinding(account, err)) {
			return
		}
		seen := scopes{}
		lists, err := c.readable(ctx, "lists", c.endpoints.lists)
		seen.see("lists:read", err)
		if !yield(finding("scope lists:read", "lists can be read; rate limits "+c.limits(lists), err)) {
			return
		}
		jobs, err := c.readable(ctx, "profile-bulk-import-jobs", c.endpoints.jobs)
		if seen["lists:read"] { // it needs that scope too
			seen.see("profiles:read", err)
		}
		said := "import jobs can be read; rate limits " + c.limits(jobs)
		if !yield(finding("scope profiles:read", said, err)) {
			return
		}
		if served := cmp.Or(jobs, lists); served != nil && !yield(c.revisionFinding(served.header)) {
			return
		}
		for f := range seen.findings() {
			if !yield(f) {
				return
			}
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

// accountFinding is the finding about the account, which no run needs.
func accountFinding(account *Account, err error) Finding {
	if !forbidden(err) {
		return finding("account", account.String(), err)
	}
	f := finding("account", "the key may not read the account: reports do not name it", nil)
	f.Hint = "give the key the scope accounts:read if reports should name the account"
	return f
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

// before returns the check that an error is about when it says nothing about the key, or "".
func before(err error) string {
	var failed *Error
	switch {
	case !errors.As(err, &failed):
		return ""
	case failed.Kind != Setup || failed.status == 0 || failed.status == http.StatusProxyAuthRequired:
		return "network"
	case failed.status == http.StatusGone:
		return "revision"
	}
	return ""
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

// readable reads one element of a collection and returns the answer, nil after an error.
func (c *Client) readable(ctx context.Context, collection string, e *endpoint) (*answer, error) {
	doing, path := "read "+collection, "/api/"+collection+"?page%5Bsize%5D=1"
	a, err := c.call(ctx, &request{doing: doing, method: http.MethodGet, path: path, endpoint: e})
	if err != nil {
		return nil, err
	}
	if a.status >= 300 {
		return nil, a.refused(doing)
	}
	return a, nil
}

// limits writes the rate limits in an answer's headers, and how many requests are left in the first window.
func (c *Client) limits(a *answer) string {
	if a == nil {
		return ""
	}
	limits := c.text(foreign(a.header.Get("RateLimit-Limit")))
	left := c.text(foreign(a.header.Get("RateLimit-Remaining")))
	if limits == "" || left == "" {
		return "unknown"
	}
	return fmt.Sprintf("%s (%s requests left in the first window)", limits, left)
}

// deprecated is how long before its retirement Klaviyo calls a revision deprecated (klaviyo-api.md §1).
const deprecated = 365 * 24 * time.Hour

// revisionFinding says which API revision an answer was served by, and when Klaviyo retires it.
func (c *Client) revisionFinding(h http.Header) Finding {
	asked := c.options.Revision
	served := c.short(foreign(h.Get("X-Klaviyo-Api-Revision")))
	ends := c.short(foreign(h.Get("X-Klaviyo-Api-Revision-Retirement-Date")))
	f := finding("revision", "Klaviyo accepts API revision "+asked, nil)
	switch served {
	case "":
	case asked:
		f.Detail = "Klaviyo serves API revision " + served
	default:
		f.Detail = fmt.Sprintf("Klaviyo serves API revision %s instead of %s", served, asked)
		f.Hint = "pass a newer date to --revision, or leave it out: the default is " + DefaultRevision
	}
	if ends == "" {
		return f
	}
	f.Detail += ", and retires it on " + ends
	if at, ok := retirement(ends); !ok || time.Until(at) < deprecated {
		f.Hint = "update klaviyo-export, or pass a newer date to --revision, before " + ends
	}
	return f
}

// retirement reads a date of retirement, whose form is not documented.
func retirement(text string) (time.Time, bool) {
	for _, form := range []string{time.DateOnly, time.RFC3339, time.RFC1123, "2006-01-02T15:04:05", time.DateTime} {
		if at, err := time.Parse(form, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
