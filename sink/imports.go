package sink

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/segmentio/encoding/json"
)

// Limits of one bulk import request (klaviyo-api.md §4.1). 5 MB is taken as 5,000,000 bytes, with a margin.
const (
	maxImport      = 10_000
	maxImportBytes = 4_900_000
)

// Import adds profiles to a list by bulk import jobs.
type Import struct {
	client *Client
	list   *List
}

// NewImport returns the Sender that adds to list.
func NewImport(c *Client, list *List) *Import { return &Import{client: c, list: list} }

const importPrefix = `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[`

// importSuffix closes the request's body with the list's relation.
func importSuffix(list string) string {
	return string(json.AppendEscape([]byte(`]}},"relationships":{"lists":{"data":[{"type":"list","id":`), list, 0)) + `}]}}}}`
}

// Limits implements Sender.
func (s *Import) Limits() (profiles, bytes int) {
	const envelope = 1000
	return maxImport, maxImportBytes - envelope
}

// Send implements Sender. Profiles end as Accepted: the job that took them may still refuse some.
func (s *Import) Send(ctx context.Context, profiles []Profile) error {
	if len(profiles) == 0 {
		return nil
	}
	list, err := s.list.ensure(ctx)
	if err != nil {
		return err
	}
	d := delivery{list: s.list, send: func(ctx context.Context, set []*Profile) (*refusal, error) {
		return s.post(ctx, list, set)
	}}
	return d.run(ctx, profiles)
}

func (s *Import) post(ctx context.Context, list string, set []*Profile) (*refusal, error) {
	var doc struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	a, err := s.client.call(ctx, &request{
		doing: fmt.Sprintf("import %d profiles", len(set)), method: http.MethodPost, path: "/api/profile-bulk-import-jobs", endpoint: s.client.rates.imports,
		prefix: importPrefix, suffix: importSuffix(list), set: set,
		accept: func(a *answer) error { return decodeID(a, &doc, &doc.Data.ID) },
	})
	if err != nil {
		return nil, err
	}
	if a.status >= 300 {
		return refuse(a, "import profiles", importPlace)
	}
	s.client.counters.jobs.Add(1)
	for _, p := range set {
		p.Status, p.Job = Accepted, doc.Data.ID
	}
	return nil, nil
}

const importPointer = "/data/attributes/profiles/data/"

// importPlace reads the profile's index off an error's pointer (klaviyo-api.md §4.4).
func importPlace(e *apiError, set []*Profile) (int, string) {
	return indexed(e.Source.Pointer, importPointer, len(set))
}

// indexed reads what follows the prefix of a pointer as index below n and the attribute's path; -1 when it is none.
func indexed(pointer, prefix string, n int) (int, string) {
	rest, ok := strings.CutPrefix(pointer, prefix)
	if !ok {
		return -1, ""
	}
	index, path, _ := strings.Cut(rest, "/")
	at, err := strconv.ParseUint(index, 10, 31)
	if err != nil || int(at) >= n {
		return -1, ""
	}
	return int(at), attribute(path)
}
