package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/segmentio/encoding/json"
)

// clash has import jobs fail for the rows that bad matches: another profile has their identifier.
type clash struct {
	mu     sync.Mutex
	bad    func(address string) bool
	known  map[string][]string // addresses of each import job's bad rows
	hidden int                 // by so many failed_count exceeds the errors
}

func (c *clash) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, isErrors := strings.CutSuffix(jobID(r), "/import-errors")
		switch {
		case isImport(r):
			c.post(next, w, r)
		case isErrors:
			c.errors(w, id)
		case id != "":
			c.status(w, id)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (c *clash) post(next http.Handler, w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	kept := &kept{header: w.Header()}
	next.ServeHTTP(kept, r)
	var doc struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	_ = json.Unmarshal(kept.body.Bytes(), &doc)
	var bad []string
	for _, part := range strings.Split(string(text), `"email":"`)[1:] {
		if address, _, _ := strings.Cut(part, `"`); c.bad(address) {
			bad = append(bad, address)
		}
	}
	c.mu.Lock()
	c.known[doc.Data.ID] = bad
	c.mu.Unlock()
	w.WriteHeader(kept.status)
	_, _ = w.Write(kept.body.Bytes())
}

func (c *clash) status(w http.ResponseWriter, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q,`+
		`"attributes":{"status":"complete","failed_count":%d}}}`, id, len(c.known[id])+c.hidden)
}

func (c *clash) errors(w http.ResponseWriter, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, address := range c.known[id] {
		all = append(all, fmt.Sprintf(`{"type":"import-error","id":"e","attributes":{"code":"duplicate_profile",`+
			`"title":"T","detail":"another profile has it","source":{"pointer":"/data"},`+
			`"original_payload":{"email":%q}}}`, address))
	}
	fmt.Fprintf(w, `{"data":[%s],"links":{"next":null}}`, strings.Join(all, ","))
}

// kept keeps an answer.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }
