package simulator

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// answer is a response: a body or problems. Without either it has no media type.
type answer struct {
	status   int
	header   http.Header // more of them; nil for none
	body     []byte
	problems problems
}

// write sends the answer to the request with an id. A 429 has no media type, as recorded.
func (a answer) write(w http.ResponseWriter, request string) {
	h := w.Header()
	h.Set(requestIDHeader, request)
	maps.Copy(h, a.header)
	body := a.body
	if a.problems != nil {
		body = a.problems.body(request)
	}
	switch {
	case a.status == http.StatusTooManyRequests:
		h["Content-Type"] = nil // keeps net/http from guessing one
	case body != nil:
		h.Set("Content-Type", mediaType)
	}
	if a.status == http.StatusUnauthorized {
		h.Set("Www-Authenticate", "Bearer, Klaviyo-API-Key")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // the client may have gone
}

// requestIDHeader names the request, for Klaviyo's support. Every answer has it.
const requestIDHeader = "X-Klaviyo-Req-Id"

func newUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// isLegacy reports whether a path belongs to the APIs before revisions, which are retired.
func isLegacy(path string) bool {
	return strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/api/v2/")
}

// writeLegacy sends a legacy API's 410, which is no JSON:API error. "" is the recorded message. Its media type is a
// choice.
func writeLegacy(w http.ResponseWriter, message string) {
	if message == "" {
		message = "This API has been retired and is no longer in service. Please review our migration resources " +
			"for help migrating to our new APIs. https://developers.klaviyo.com/en/docs/migration_resources"
	}
	w.Header().Set(requestIDHeader, newUUID())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusGone)
	_, _ = w.Write(append(quote([]byte(`{"message":`), message), '}')) // the client may have gone
}
