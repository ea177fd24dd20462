package sink

import (
	"cmp"
	"context"
	"net/http"

	"github.com/segmentio/encoding/json"
)

// Limits of one bulk import request (klaviyo-api.md §4.1). 5 MB is read as 5,000,000 bytes, with a margin.
const (
	maxImport      = 10_000
	maxImportBytes = 4_900_000
)

// importer adds profiles to a list by bulk import jobs.
type importer struct {
	client *Client
	list   *List
	trial  *trial
}

// NewImport returns the Sender that adds profiles to list by import jobs. It creates the list when it sends the first
// profiles, if the list does not exist. Sent profiles are Accepted: the job that accepted them may still refuse some.
func NewImport(c *Client, list *List) Sender {
	return &importer{client: c, list: list, trial: new(trial)}
}

func (s *importer) To(list *List) Sender {
	return &importer{client: s.client, list: list, trial: s.trial}
}

const importPrefix = `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[`

// importSuffix closes the request's body with the list's relation.
func importSuffix(list string) string {
	b := []byte(`]}},"relationships":{"lists":{"data":[{"type":"list","id":`)
	return string(json.AppendEscape(b, list, 0)) + `}]}}}}`
}

func (s *importer) Limits() (profiles, bytes int) {
	const envelope = 1000
	return maxImport, maxImportBytes - envelope
}

func (s *importer) Send(ctx context.Context, profiles []Profile) error {
	if len(profiles) == 0 {
		return nil
	}
	list, err := s.list.ensure(ctx)
	if err != nil {
		return err
	}
	b := batch{list: s.list, trial: s.trial, texts: s.client.newTexts()}
	b.request = func(ctx context.Context, set []*Profile) (*refusal, error) { return s.post(ctx, list, set, b.texts) }
	return b.send(ctx, profiles)
}

func (s *importer) post(ctx context.Context, list string, set []*Profile, t *texts) (*refusal, error) {
	var doc struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	var refused *refusal
	var wrong error
	_, err := s.client.call(ctx, &request{
		doing:  "import " + plural(len(set), "profile"),
		method: http.MethodPost, path: "/api/profile-bulk-import-jobs", endpoint: s.client.endpoints.imports,
		prefix: importPrefix, suffix: importSuffix(list), set: set,
		accept:  func(a *answer) error { return s.client.decodeID(a, &doc, &doc.Data.ID) },
		refused: func(a *answer) { refused, wrong = refuse(a, "import profiles", set, t, importNamed) },
	})
	if err = cmp.Or(err, wrong); err != nil || refused != nil {
		return refused, err
	}
	s.client.counters.jobs.Add(1)
	for _, p := range set {
		p.Status, p.Job = Accepted, doc.Data.ID
	}
	return nil, nil
}
