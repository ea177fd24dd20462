package sink

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/segmentio/encoding/json"
)

const (
	maxErrors   = 100_000  // of a job of 10,000 rows
	maxPayloads = 64 << 20 // bytes of the profiles in a job's errors; 4.9 MB were sent
)

// importError is one entry of a job's import-errors (klaviyo-api.md §4.5).
type importError struct {
	Attributes struct {
		apiError
		Payload json.RawMessage `json:"original_payload"`
	} `json:"attributes"`
}

// importErrors reads all pages of a job's errors into e. It repeats failing reads until ctx ends.
func (c *Client) importErrors(ctx context.Context, id string, e *End) error {
	doing := fmt.Sprintf("read the errors of import job %s", foreign(id))
	pause, payloads := newPause(), 0
	next := "/api/profile-bulk-import-jobs/" + url.PathEscape(id) + "/import-errors?" +
		url.Values{"page[size]": {"100"}}.Encode()
	for pages := 0; next != ""; pages++ {
		if pages == maxErrors/100 || len(e.errors) > maxErrors || payloads > maxPayloads {
			return setupError("", "%s: Klaviyo's pages do not end", doing)
		}
		var page struct {
			Data  []importError `json:"data"`
			Links links         `json:"links"`
		}
		r := &request{doing: doing, path: next, endpoint: c.endpoints.errors}
		err := c.page(ctx, r, &page, func() bool { return page.Data != nil })
		var failed *Error
		if errors.As(err, &failed) && failed.Kind == Outage {
			_ = sleep(ctx, pause.NextBackOff(), nil) // when ctx has ended, the next call returns the error
			pages--
			continue
		}
		if err != nil {
			return err
		}
		for i := range page.Data {
			c.clean(&page.Data[i].Attributes.apiError)
			payloads += len(page.Data[i].Attributes.Payload)
		}
		e.errors = append(e.errors, page.Data...)
		if next, err = page.Links.next(); err != nil {
			return err
		}
	}
	return nil
}

// email returns the address in the error's payload. The payload is the profile's attributes, bare or below
// "attributes".
func (e *importError) email() string {
	type identifiers struct {
		Email any `json:"email"`
	}
	var payload struct {
		identifiers
		Attributes identifiers `json:"attributes"`
	}
	if decode(e.Attributes.Payload, &payload) != nil {
		return ""
	}
	for _, v := range []any{payload.Email, payload.Attributes.Email} {
		if s, ok := v.(string); ok && s != "" {
			return strings.TrimSpace(s)
		}
	}
	return ""
}
