package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// authorize checks the key, the revision and the scopes. Once the revision is known, all answers name it.
//
// Choices: this order, and that what is refused here does not count against the rate limits.
func (s *Simulator) authorize(w http.ResponseWriter, c *call) *problem {
	key, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Klaviyo-API-Key ")
	if !ok || key == "invalid" {
		return &notAuthenticated
	}
	served, p := serving(c.r.Header, s.options.Now())
	if p != nil {
		return p
	}
	w.Header().Set("X-Klaviyo-Api-Revision", served)
	if plan := s.options.Plan; plan != nil && plan.Retirement != "" {
		w.Header().Set("X-Klaviyo-Api-Revision-Retirement-Date", plan.Retirement)
	}
	if missing := c.missing(key); missing != nil {
		p := forbidden("Your API key is missing required scopes: " + strings.Join(missing, ", "))
		return &p
	}
	return nil
}

// notAuthenticated is the problem of a request whose key Klaviyo does not know.
var notAuthenticated = problem{
	status: http.StatusUnauthorized, code: "not_authenticated",
	title: "Authentication credentials were not provided.", detail: "Missing or invalid private key.",
	pointer: "/data/",
}

func forbidden(detail string) problem {
	return problem{
		status: http.StatusForbidden, code: "permission_denied",
		title: "You do not have permission to perform this action.", detail: detail, pointer: "/data/",
	}
}

// missing returns the scopes that the operation needs and the key lacks. A key no-SCOPE lacks the scopes that start
// with SCOPE: no-profiles lacks two, no-lists:write one.
func (op *operation) missing(key string) []string {
	lacks, ok := strings.CutPrefix(key, "no-")
	if !ok || lacks == "" {
		return nil
	}
	missing := slices.DeleteFunc(strings.Fields(op.scopes), func(scope string) bool {
		return scope != lacks && !strings.HasPrefix(scope, lacks+":")
	})
	if len(missing) == 0 {
		return nil
	}
	return missing
}
