package sink

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"
)

// fatal returns the error of an answer that ends the run: neither another try nor fewer rows would change it.
func (c *Client) fatal(r *request, a *answer) *Error {
	var fatal *Error
	switch {
	case a.status == http.StatusUnauthorized:
		fatal = setupError("create a private API key in Klaviyo under Settings > API keys, then set KLAVIYO_API_KEY "+
			"or pass --api-key-file FILE", "%s: Klaviyo does not know the API key: %s", r.doing, a.said())
	case a.status == http.StatusForbidden:
		fatal = setupError("give the key the scopes lists:read, lists:write, profiles:read and profiles:write, "+
			c.endpoints.more(r.endpoint)+"and accounts:read for doctor",
			"%s: the API key has no permission for this: %s", r.doing, a.said())
	case a.status == http.StatusProxyAuthRequired:
		fatal = c.proxyInUse().setup(r.doing)
	case a.status == http.StatusGone || a.refusesRevision():
		fatal = c.revisionError(r, a)
	case a.status >= 300 && a.status < 400:
		fatal = setupError("check --base-url", "%s: redirects are not followed: HTTP %d", r.doing, a.status)
	default:
		return nil
	}
	fatal.lost = a.lost
	if fatal.status == 0 {
		fatal.status = a.status
	}
	return fatal
}

// aboutRevisions matches texts about API revisions. Each alternative has two words, so that an id or a name that
// Klaviyo repeats does not match. Klaviyo was seen to say "No valid revisions found for method" (klaviyo-more.md §9),
// "Unable to specify a future revision date", and of an old date that it is "before the earliest available".
var aboutRevisions = regexp.MustCompile(
	`(?i)\b(valid|api|this|requested|specified|future|available|supported) revisions?\b|` +
		`\brevisions? (dates?|headers?|found|available|supported)\b|\bbefore the earliest available\b`)

// refusesRevision reports whether Klaviyo refuses the API revision and not what the request is about. Details may
// change (klaviyo-api.md §1), so this one sign is enough for a 404, and a 400 must not name an attribute either.
func (a *answer) refusesRevision() bool {
	if a.status != http.StatusNotFound && a.status != http.StatusBadRequest {
		return false
	}
	for i := range a.errors {
		e := &a.errors[i]
		// The pointer comes first: a refusal may name 10,000 rows, each with a long text.
		whole := strings.Trim(string(e.Source.Pointer), "/")
		if a.status == http.StatusBadRequest && whole != "" && whole != "data" {
			continue
		}
		if aboutRevisions.MatchString(e.Title.String()) || aboutRevisions.MatchString(e.text()) {
			return true
		}
	}
	return false
}

// revisionError is the error of an answer that refuses the API revision. Its status is always that of a retired
// revision: a 404 must not be taken for an id that Klaviyo does not know.
func (c *Client) revisionError(r *request, a *answer) *Error {
	asked, text := cmp.Or(r.revision, c.options.Revision), "%s: Klaviyo does not offer this in API revision %s: %s"
	if a.status == http.StatusGone {
		text = "%s: Klaviyo has retired API revision %s: %s"
	}
	hint := "update klaviyo-export, or pass a newer date to --revision"
	switch {
	case r.revision != "":
		hint = "update klaviyo-export"
	case asked != DefaultRevision:
		hint = "leave out --revision, the default is " + DefaultRevision + "; or pass another date"
	}
	err := setupError(hint, text, r.doing, asked, a.said())
	err.status = http.StatusGone
	return err
}
