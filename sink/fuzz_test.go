package sink

import (
	"bufio"
	"compress/gzip"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// FuzzAnswers lets Klaviyo answer anything to any request. Nothing panics or hangs, no error is long or shows the
// key, and every profile gets a status. A profile is accepted or applied only if an answer says so.
//
// Each text has the answers to one kind of request, which are given in turn: "200 BODY", or the bytes of the answer.
func FuzzAnswers(f *testing.F) {
	const (
		list = `200 {"data":{"type":"list","id":"Aaaaaa","attributes":{"name":"News",` +
			`"created":"2026-11-23T20:00:00+00:00"}}}`
		lists = `200 {"data":[{"type":"list","id":"Aaaaaa","attributes":{"name":"News"}}],"links":{"self":"x",` +
			`"next":null,"prev":null}}`
		created = `201 {"data":{"type":"list","id":"Bbbbbb","attributes":{"name":"News"}}}`
		taken   = `202 {"data":{"type":"profile-bulk-import-job","id":"J1","attributes":{"status":"queued",` +
			`"total_count":3}}}`
		done = `200 {"data":{"type":"profile-bulk-import-job","id":"J1","attributes":{"status":"complete",` +
			`"total_count":3,"completed_count":2,"failed_count":1,` +
			`"created_at":"2026-11-23T20:00:00Z","completed_at":"2026-11-23T20:00:05+00:00"}}}`
		well = `200 {"data":{"id":"J1","attributes":{"status":"complete","failed_count":0}}}`
		errs = `200 {"data":[{"type":"import-error","attributes":{"code":"invalid","title":"T","detail":"D",` +
			`"source":{"pointer":"/data/attributes/profiles/data/1"},` + "\n" +
			`"original_payload":{"email":"b0p1@example.com"}}}],"links":{"next":null}}`
		refused = `400 {"errors":[{"id":"e","status":400,"code":"invalid","title":"T","detail":"pk_bubble",` +
			`"source":{"pointer":"/data/attributes/profiles/data/1/attributes/email"},"links":{},"meta":{}}]}`
		notFound = `404 {"errors":[{"code":"not_found","detail":"no profile 01HQ0b0p1 here"}]}`
		slow     = "HTTP/1.1 429 X\r\nRetry-After: 70\r\nRateLimit-Remaining: 0\r\nRateLimit-Limit: 10, 10;w=1\r\n" +
			"RateLimit-Reset: 9\r\nConnection: close\r\n\r\n{}"
	)
	add := func(how byte, list, created, imports, job, errs, removal string) {
		f.Add(how, list, created, imports, job, errs, removal)
	}
	add(0, list, "", taken, done, errs, "")
	add(byName, lists, created, taken, well, "", "")
	add(byName, `200 {"data":[]}`, created, refused+"\x1e"+taken, "200 {}\x1e"+done, errs+"\x1e503 no", "")
	add(removing, list, "", "", "", "", "404 {}\x1e"+notFound+"\x1e204 ")
	add(several, list, "", taken+"\x1e"+strings.Replace(taken, "J1", "J2", 1),
		`200 {"data":[{"id":"J1","attributes":{"status":"complete","failed_count":null}}],`+
			`"links":{"next":"https://klaviyo.example/api/x?page=2"}}`, `200 {"data":[]}`, "")
	add(several, list, "", slow+"\x1e"+taken,
		`200 {"data":{"id":"J1","attributes":{"status":"cancelled","failed_count":-1}}}`, "", "")
	add(0, list, "", taken, strings.Replace(well, "J1", "J9", 1), "", "")
	add(0, list, "", taken, strings.Replace(done, `"failed_count":1`, `"failed_count":3`, 1), errs, "")
	add(0, list, "", taken, strings.Replace(done, `"failed_count":1`, `"failed_count":null`, 1),
		"200 null\x1e403 {\"errors\":[{}]}", "")
	add(removing, list, "", "", "", "", "200 {}\x1e202 {}")
	add(examining, list, "", "", `200 {"data":[{"id":"XyZ123",`+
		`"attributes":{"contact_information":{"organization_name":"O"},"test_account":true}}]}`, "", "")
	add(0, "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "pk_bubble",
		"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 302 X\r\nLocation: http://127.0.0.2/\r\n\r\n", "", "", "")
	add(0, list, "", "HTTP/1.1 202 X\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", `410 {"errors":{}}`,
		strings.Repeat("[", 300), "")
	f.Fuzz(func(t *testing.T, how byte, list, created, imports, job, errs, removal string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		far := &anything{says: map[string][]string{
			"list": turns(list), "create": turns(created), "import": turns(imports), "job": turns(job),
			"errors": turns(errs), "removal": turns(removal),
		}, given: map[string]int{}}
		wire(t, Options{RetryFor: 3 * time.Second, RateShare: 100, Notice: func(text string) { harmless(t, text) }},
			far.answer, func(t *testing.T, c *Client) {
				began := time.Now()
				visit(t, c, how, far)
				if took, sent := time.Since(began), c.Stats().Sent; took > 5*time.Hour || sent > 10_000 {
					t.Errorf("%d requests, %v", sent, took)
				}
			})
	})
}

// Bits of FuzzAnswers' first argument: what the run does.
const (
	removing = 1 << iota
	byName
	several
	examining
)

func turns(text string) []string { return strings.Split(text, "\x1e") }

// anything is a Klaviyo that gives the answers in says.
type anything struct {
	says map[string][]string

	mu    sync.Mutex
	given map[string]int
	said  []exchange
}

// exchange is a request with its answer, as net/http reads it.
type exchange struct {
	kind, request string
	status        int // 0: no answer
	body          string
}

func (a *anything) answer(conn net.Conn, r *http.Request, body []byte) {
	kind := "list"
	switch {
	case isRemoval(r):
		kind = "removal"
	case isImport(r):
		kind = "import"
	case r.Method == http.MethodPost:
		kind = "create"
	case strings.HasSuffix(r.URL.Path, "/import-errors"):
		kind = "errors"
	case strings.HasPrefix(r.URL.Path, "/api/profile-bulk-import-jobs"), r.URL.Path == "/api/accounts":
		kind = "job"
	}
	a.mu.Lock()
	text := a.says[kind][a.given[kind]%len(a.says[kind])]
	a.given[kind]++
	a.mu.Unlock()
	if status, rest, ok := strings.Cut(text, " "); ok && len(status) == 3 &&
		!strings.ContainsFunc(status, func(r rune) bool { return r < '0' || r > '9' }) && status >= "100" {
		text = "HTTP/1.1 " + status + " X\r\nConnection: close\r\n\r\n" + rest
	}
	e := exchange{kind: kind, request: string(body)}
	e.status, e.body = answerIn(text)
	a.mu.Lock()
	a.said = append(a.said, e)
	a.mu.Unlock()
	_, _ = io.WriteString(conn, text)
}

// answerIn reads the first final answer in the bytes. The status is 0 if there is none.
func answerIn(text string) (status int, body string) {
	in := bufio.NewReader(strings.NewReader(text))
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return 0, ""
		}
		if res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		if strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
			if res.Body, err = gzip.NewReader(res.Body); err != nil {
				return 0, ""
			}
		}
		text, err := io.ReadAll(res.Body)
		if err != nil {
			return 0, ""
		}
		return res.StatusCode, string(text)
	}
}

// harmless checks a text that people are shown.
func harmless(t *testing.T, text string) {
	if strings.Contains(text, "pk_bubble") || len(text) > 4*maxText || text == "" {
		t.Errorf("people are shown %.200q… (%d bytes)", text, len(text))
	}
}

// visit does what a run does with a client, and checks the results.
func visit(t *testing.T, c *Client, how byte, far *anything) {
	ref := ListRef{ID: "Aaaaaa"}
	if how&byName != 0 {
		ref = ListRef{Name: "News", Create: how&removing == 0}
	}
	if how&examining != 0 {
		for found := range c.Examine(t.Context(), ref) {
			harmless(t, found.Check)
			if !found.OK {
				harmless(t, found.Detail)
			}
		}
		return
	}
	list, err := c.FindList(t.Context(), ref)
	if failing(t, err) {
		return
	}
	var sender Sender = NewImport(c, list)
	if how&removing != 0 {
		sender = NewRemoval(c, list, ProfileID)
	}
	batches := 1
	if how&several != 0 {
		batches = polledSingly + 2
	}
	sets := make([][]Profile, batches)
	jobs := NewJobs(c)
	var waiting sync.WaitGroup
	for n := range sets {
		sets[n] = threeProfiles(n, how&removing != 0)
		over := failing(t, sender.Send(t.Context(), sets[n]))
		for i := range sets[n] {
			far.check(t, &sets[n][i], over)
		}
		if over {
			break
		}
		waiting.Go(func() { far.wait(t, jobs, sets[n]) })
	}
	waiting.Wait()
	jobs.Progress()
}

// failing reports whether err is an error, and checks it.
func failing(t *testing.T, err error) bool {
	if err == nil {
		return false
	}
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind == Stopped {
		t.Errorf("error %v", err)
		return true
	}
	harmless(t, failed.Error())
	return true
}

// threeProfiles returns the profiles of a batch.
func threeProfiles(batch int, removal bool) []Profile {
	set := make([]Profile, 3)
	for i := range set {
		set[i].JSON = fmt.Appendf(nil, `{"type":"profile","attributes":{"email":"b%dp%d@example.com"}}`, batch, i)
		if removal {
			set[i].JSON = fmt.Appendf(nil, `{"type":"profile","id":"01HQ0b%dp%d"}`, batch, i)
		}
	}
	return set
}

// check compares a profile's status after Send with what the answers said.
func (a *anything) check(t *testing.T, p *Profile, over bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	proved, sent := false, false
	for _, e := range a.said {
		if (e.kind != "import" && e.kind != "removal") || !strings.Contains(e.request, string(p.JSON)) {
			continue
		}
		sent = true
		switch p.Status {
		case Accepted:
			proved = proved || e.status >= 200 && e.status < 300 && len(resources(e.body, p.Job)) > 0
		case Applied:
			proved = proved || e.status == http.StatusNoContent
		case Rejected:
			proved = proved || e.status >= 400
		case Unknown:
			proved = true
		}
	}
	if p.Status == Unsent {
		proved = over
	}
	if !proved || sent && p.Status == Unsent && a.arrived(p) {
		t.Errorf("status %v, sent %v, %+v: %+v", p.Status, sent, p.Fault, a.said)
	}
	if p.Fault != nil {
		harmless(t, p.Fault.Detail)
		if len(p.Fault.Code)+len(p.Fault.Column) > 3*maxText {
			t.Errorf("fault %+v", p.Fault)
		}
	}
}

// arrived reports whether an answer accepts the profile.
func (a *anything) arrived(p *Profile) bool {
	for _, e := range a.said {
		removed := e.kind == "removal" && e.status == http.StatusNoContent
		imported := e.kind == "import" && e.status == http.StatusAccepted
		if strings.Contains(e.request, string(p.JSON)) && (removed || imported) {
			return true
		}
	}
	return false
}

// jobSaid is what an answer says about a job.
type jobSaid struct {
	ID         string
	Attributes struct {
		Status      string `json:"status"`
		FailedCount *int   `json:"failed_count"`
	}
}

// resources returns the jobs of an id in an answer about one or many jobs.
func resources(body, id string) (found []jobSaid) {
	var one struct{ Data jobSaid }
	var many struct{ Data []jobSaid }
	if stdjson.Unmarshal([]byte(body), &one) == nil {
		many.Data = append(many.Data, one.Data)
	} else if stdjson.Unmarshal([]byte(body), &many) != nil {
		return nil
	}
	for _, job := range many.Data {
		if job.ID == strings.ToValidUTF8(id, "\ufffd") {
			found = append(found, job)
		}
	}
	return found
}

// wait waits for the jobs of a set and compares their settlements with what the answers said.
func (a *anything) wait(t *testing.T, jobs *Jobs, set []Profile) {
	for len(set) > 0 {
		id, n := set[0].Job, 1
		for n < len(set) && set[n].Job == id {
			n++
		}
		own := set[:n]
		if set = set[n:]; own[0].Status != Accepted {
			continue
		}
		var addresses []string
		for i := range own {
			_, address, _ := strings.Cut(string(own[i].JSON), `"email":"`)
			address, _, _ = strings.Cut(address, `"`)
			addresses = append(addresses, address)
		}
		end := new(End)
		ended := func(_ int, e *End) { end = e }
		err := jobs.Wait(t.Context(), time.Now().Add(2*time.Minute), []Job{jobOf(id, addresses...)}, ended)
		if failing(t, err) && end.State != Open {
			t.Errorf("state %v, error %v", end.State, err)
		}
		harmless(t, end.Unread+".")
		settled := end.Settlement
		for _, row := range settled.named {
			harmless(t, row.fault.Detail+".")
		}
		a.mu.Lock()
		if len(settled.named) < n && settled.Rest == Applied && !a.complete(id, len(settled.named)) {
			t.Errorf("job %q, state %v, %d faults: %+v", id, end.State, len(settled.named), a.said)
		}
		a.mu.Unlock()
	}
}

// complete reports whether answers prove that a job is complete and that only so many rows failed.
func (a *anything) complete(id string, faults int) bool {
	read := false
	for _, e := range a.said {
		var page struct{ Data *[]stdjson.RawMessage }
		read = read || e.kind == "errors" && e.status >= 200 && e.status < 300 &&
			stdjson.Unmarshal([]byte(e.body), &page) == nil && page.Data != nil
	}
	for _, e := range a.said {
		if e.kind != "job" || e.status < 200 || e.status >= 300 {
			continue
		}
		for _, job := range resources(e.body, id) {
			failed := job.Attributes.FailedCount
			if job.Attributes.Status == "complete" &&
				(failed != nil && *failed == 0 || read && (failed == nil || *failed <= faults)) {
				return true
			}
		}
	}
	return false
}
