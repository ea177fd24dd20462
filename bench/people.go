package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// people are those that a server knows: person n has the email and the id of n, and joined the list n/10 seconds after
// joinedFirst. The server computes what it shows, so it costs little beside the program that is measured.
type people struct {
	states   []state   // of the members; the server's mutex guards it
	asked    time.Time // of the first request that changed a consent
	imported time.Time // of the last import
}

// state is what a run has done to a person.
type state byte

const (
	gone state = 1 << iota
	subscribed
	unsubscribed
)

// How emails and ids of people begin. Their number follows, in digits.
const (
	emailStart, emailDigits, emailEnd = "p", 8, "@example.com"
	idStart, idDigits                 = "01BENCH", 19
)

const pageSize = 100

var joinedFirst = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// numbers returns the numbers of all people whose email is in a text.
func numbers(text []byte) []int {
	return digitsIn(text, emailStart, emailEnd, emailDigits)
}

// digitsIn returns the numbers of so many digits between start and end.
func digitsIn(text []byte, start, end string, digits int) []int {
	var all []int
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(end))
		if i < 0 {
			return all
		}
		at += i
		if from := at - digits; from >= len(start) && string(text[from-len(start):from]) == start {
			if n, err := strconv.Atoi(string(text[from:at])); err == nil {
				all = append(all, n)
			}
		}
		at += len(end)
	}
}

// show answers a request that changes nothing.
func (s *server) show(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/")
	query := r.URL.Query()
	filter := query.Get("filter")
	switch {
	case path == "accounts":
		answer(w, http.StatusOK, `{"data":[{"type":"account","id":"BeNcH1","attributes":{"test_account":true,`+
			`"timezone":"UTC","locale":"en-US"}}],"links":{"next":null}}`)
	case path == "lists":
		s.showLists(w, filter)
	case path == "profile-bulk-import-jobs":
		s.showJobs(w, r, query)
	case strings.HasPrefix(path, "profile-bulk-import-jobs/"):
		answer(w, http.StatusOK, `{"data":`+s.job(strings.TrimPrefix(path, "profile-bulk-import-jobs/"))+`}`)
	case (path == "profiles" || strings.HasPrefix(path, "lists/Bench")) && strings.Contains(filter, "(email,"):
		s.lookUp(w, filter, path != "profiles", strings.Contains(r.URL.RawQuery, "subscriptions"))
	case path == "lists/"+list+"/profiles":
		s.page(w, r, query, filter)
	case strings.HasPrefix(path, "lists/Bench") && !strings.Contains(path[len("lists/"):], "/"):
		answer(w, http.StatusOK, `{"data":`+listNamed(path[len("lists/"):])+`}`)
	default:
		http.NotFound(w, r)
	}
}

func listNamed(name string) string {
	return `{"type":"list","id":"` + name + `","attributes":{"name":"` + name +
		`","created":"2020-01-01T00:00:00+00:00","opt_in_process":"single_opt_in"}}`
}

// showLists answers with the lists that a filter names. A list's name is its id.
func (s *server) showLists(w http.ResponseWriter, filter string) {
	var found []string
	for i, part := range strings.Split(filter, `"`) {
		if i%2 == 1 && strings.HasPrefix(part, "Bench") {
			found = append(found, listNamed(part))
		}
	}
	answer(w, http.StatusOK, `{"data":[`+strings.Join(found, ",")+`],"links":{"next":null}}`)
}

// jobTime is how long after the last import all jobs are complete.
const jobTime = time.Second / 2

// job is an import job without failed rows.
func (s *server) job(id string) string {
	s.mu.Lock()
	status := "complete"
	if time.Since(s.people.imported) < jobTime {
		status = "processing"
	}
	s.mu.Unlock()
	return `{"type":"profile-bulk-import-job","id":"` + id + `","attributes":{"status":"` + status + `",` +
		`"created_at":"2026-01-01T00:00:00+00:00","total_count":1,"completed_count":1,"failed_count":0}}`
}

// showJobs answers with a page of the import jobs, the newest first.
func (s *server) showJobs(w http.ResponseWriter, r *http.Request, query url.Values) {
	s.mu.Lock()
	last := s.counts.Requests
	s.mu.Unlock()
	if cursor, err := strconv.ParseInt(query.Get("page[cursor]"), 10, 64); err == nil {
		last = cursor
	}
	var found []string
	for ; last > 0 && len(found) < pageSize; last-- {
		found = append(found, s.job(jobID(last)))
	}
	answer(w, http.StatusOK, `{"data":[`+strings.Join(found, ",")+`],"links":`+nextPage(r, query, int(last), last > 0)+`}`)
}

// nextPage returns the links of a page.
func nextPage(r *http.Request, query url.Values, cursor int, more bool) string {
	if !more {
		return `{"next":null}`
	}
	query.Set("page[cursor]", strconv.Itoa(cursor))
	return `{"next":"http://` + r.Host + r.URL.Path + `?` + query.Encode() + `"}`
}

// lookUp answers with the people whose emails are in a filter: members, or profiles whether or not they are members.
func (s *server) lookUp(w http.ResponseWriter, filter string, members, consent bool) {
	asked := numbers([]byte(filter))
	b := append(make([]byte, 0, 256*len(asked)), `{"data":[`...)
	s.mu.Lock()
	s.counts.Lookups += int64(len(asked))
	for _, n := range asked {
		if n < len(s.people.states) && !(members && s.people.states[n]&gone != 0) {
			b = s.person(b, n, consent)
		}
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, string(bytes.TrimSuffix(b, []byte{','}))+`],"links":{"next":null}}`)
}

// person appends a person and a comma. The mutex is held.
func (s *server) person(b []byte, n int, consent bool) []byte {
	b = fmt.Appendf(b, `{"type":"profile","id":"%s%0*d","attributes":{"email":"%s%0*d%s","phone_number":null,`,
		idStart, idDigits, n, emailStart, emailDigits, n, emailEnd)
	b = append(b, `"joined_group_at":"`...)
	b = joinedFirst.Add(time.Duration(n)*time.Second/10).AppendFormat(b, "2006-01-02T15:04:05-07:00")
	if !consent {
		return append(b, `"}},`...)
	}
	said, given, left := "NEVER_SUBSCRIBED", "null", ""
	at := `"` + s.people.asked.Format(time.RFC3339Nano) + `"`
	switch state := s.people.states[n]; {
	case state&unsubscribed != 0:
		left = `{"reason":"UNSUBSCRIBE","list_id":"` + list + `","timestamp":` + at + `}`
		given, said = at, "SUBSCRIBED"
	case state&subscribed != 0:
		given, said = at, "SUBSCRIBED"
	}
	return fmt.Appendf(b, `","subscriptions":{"email":{"marketing":{"can_receive_email_marketing":true,"consent":"%s",`+
		`"consent_timestamp":%s,"last_updated":%s,"suppression":[],"list_suppressions":[%s]}}}}},`, said, given, given, left)
}

// page answers with a page of the list's members, in the order in which they joined, or with the last one alone.
func (s *server) page(w http.ResponseWriter, r *http.Request, query url.Values, filter string) {
	from, end := 0, len(s.people.states)
	for _, part := range strings.SplitAfter(filter, ")") {
		name, rest, _ := strings.Cut(strings.TrimPrefix(part, ","), "(joined_group_at,")
		at, err := time.Parse(time.RFC3339, strings.TrimSuffix(rest, ")"))
		if n := int(at.Sub(joinedFirst) / (time.Second / 10)); err == nil && at.Year() < 2025 {
			switch name {
			case "greater-or-equal":
				from = max(n, 0)
			case "less-than":
				end = min(n, end)
			}
		}
	}
	if strings.HasPrefix(query.Get("sort"), "-") {
		from = max(end-1, 0)
	}
	if cursor, err := strconv.Atoi(query.Get("page[cursor]")); err == nil {
		from = cursor
	}
	b := append(make([]byte, 0, 200*pageSize), `{"data":[`...)
	s.mu.Lock()
	s.counts.Pages++
	for shown := 0; from < end && shown < pageSize; from++ {
		if s.people.states[from]&gone == 0 {
			b = s.person(b, from, false)
			shown++
		}
	}
	s.mu.Unlock()
	b = append(bytes.TrimSuffix(b, []byte{','}), `],"links":`...)
	answer(w, http.StatusOK, string(b)+nextPage(r, query, from, from < end)+`}`)
}

// change answers a removal, or a request that sets or withdraws consent.
func (s *server) change(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	switch path := strings.TrimSuffix(r.URL.Path, "/"); {
	case r.Method == http.MethodDelete && path == "/api/lists/"+list+"/relationships/profiles":
		s.mark(digitsIn(body, idStart, `"`, idDigits), gone, &s.counts.Removed)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost && path == "/api/profile-subscription-bulk-create-jobs":
		s.mark(numbers(body), subscribed, &s.counts.Subscribed)
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPost && path == "/api/profile-subscription-bulk-delete-jobs":
		s.mark(numbers(body), unsubscribed|gone, &s.counts.Unsubscribed)
		w.WriteHeader(http.StatusAccepted)
	default:
		http.NotFound(w, r)
	}
}

// mark adds to the states of people, and counts those who did not have them.
func (s *server) mark(all []int, as state, count *int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.people.asked.IsZero() {
		s.people.asked = time.Now().UTC()
	}
	for _, n := range all {
		if n < len(s.people.states) && s.people.states[n]&as == 0 {
			s.people.states[n] |= as
			*count++
		}
	}
}
