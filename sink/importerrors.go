package sink

import (
	"bytes"
	"context"
	"iter"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/segmentio/encoding/json"
)

// importError is one entry of a job's import-errors (klaviyo-api.md §4.5).
type importError struct {
	Attributes struct {
		apiError
		Payload payload `json:"original_payload"`
	} `json:"attributes"`
}

// payload is the identifiers in an error's payload: email, phone number and external id, "" for none. The payload is
// the profile's attributes, bare or below "attributes".
type payload [3]string

// UnmarshalJSON accepts any value.
func (p *payload) UnmarshalJSON(text []byte) error {
	type identifiers struct {
		Email      any `json:"email"`
		Phone      any `json:"phone_number"`
		ExternalID any `json:"external_id"`
	}
	var profile struct {
		identifiers
		Attributes identifiers `json:"attributes"`
	}
	if json.Unmarshal(text, &profile) != nil {
		return nil
	}
	for _, of := range []identifiers{profile.Attributes, profile.identifiers} {
		for i, v := range []any{of.Email, of.Phone, of.ExternalID} {
			if s, ok := v.(string); ok && s != "" {
				p[i] = strings.ToLower(strings.TrimSpace(s))
			}
		}
	}
	return nil
}

// errorsPath is the path of the first page of a job's errors.
func errorsPath(job string) string {
	return "/api/profile-bulk-import-jobs/" + url.PathEscape(job) + "/import-errors?" +
		url.Values{"page[size]": {"100"}}.Encode()
}

// errorPage tries once to read a page of a job's errors, and enters them into s. It returns how many there were, and
// the path of the next page, "" after the last one. Nothing is entered of a page that is not usable.
func (c *Client) errorPage(ctx context.Context, doing, path string, s *settling) (n int, next string, err error) {
	var after links
	a, err := c.call(ctx, &request{
		doing: doing, method: http.MethodGet, path: path, endpoint: c.endpoints.errors, brief: true,
		accept: func(a *answer) (err error) {
			if n, after, err = readErrors(a.body, func(*importError) {}); err != nil {
				return err
			}
			_, _, err = readErrors(a.body, func(e *importError) {
				c.clean(&e.Attributes.apiError)
				s.attribute(e)
			})
			return err
		},
	})
	if err != nil {
		return 0, "", err
	}
	if a.status >= 300 {
		return 0, "", a.refused(doing)
	}
	next, err = after.next()
	return n, next, err
}

// readErrors calls each with one error of a page after the other, and returns how many there are. It keeps none, as
// a page of them may be long.
func readErrors(body []byte, each func(*importError)) (n int, after links, err error) {
	var page struct {
		Data  json.RawMessage `json:"data"`
		Links links           `json:"links"`
	}
	if err := decodeUpTo(math.MaxInt, body, &page); err != nil {
		return 0, after, err
	}
	if !bytes.HasPrefix(page.Data, []byte("[")) {
		return 0, after, errNoData
	}
	for one := range elements(page.Data) {
		var e importError
		if json.Unmarshal(one, &e) != nil {
			return 0, after, errNotJSON
		}
		each(&e)
		n++
	}
	return n, page.Links, nil
}

// elements are those of a JSON array.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		depth, quoted, start := 0, false, 1
		for i := 0; i < len(array); i++ {
			switch c := array[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '[' || c == '{':
				depth++
			case c == ']' || c == '}':
				depth--
			}
			ends := depth == 0 || depth == 1 && !quoted && array[i] == ','
			if !ends || len(bytes.TrimSpace(array[start:i])) == 0 {
				continue
			}
			if !yield(array[start:i]) || depth == 0 {
				return
			}
			start = i + 1
		}
	}
}
