package sink

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// TestProfilesAreGivenBack: when Send returns, nothing reads the profiles any more, even if Klaviyo answered before
// it had read them. The race detector proves it.
func TestProfilesAreGivenBack(t *testing.T) {
	early := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) {
				w.Header().Set("Content-Type", mediaType)
				w.WriteHeader(401)
				_, _ = io.WriteString(w, `{"errors":[{"code":"authentication_failed","detail":"No"}]}`)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, early, simulator.Options{}, Options{}, func(w *world) {
		set := people(2)
		set[1].JSON = named(strings.Repeat("x", 3_000_000))
		if err := NewImport(w.client, w.list("News")).Send(w.Context(), set); err == nil {
			t.Error("Send returned no error")
		}
		for i := range set[1].JSON {
			set[1].JSON[i] = 'y'
		}
	})
}

// named returns the profile of a person with the first name.
func named(name string) []byte {
	return []byte(`{"type":"profile","attributes":{"email":"x@example.com","first_name":"` + name + `"}}`)
}

// TestRequestBytes: an import request has exactly the bytes and headers of Klaviyo's documentation.
func TestRequestBytes(t *testing.T) {
	var got *http.Request
	var text []byte
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) {
				got = r.Clone(r.Context())
				text, _ = io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(text))
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, wrap, simulator.Options{}, Options{UserAgent: "klaviyo-export/test"}, func(w *world) {
		id := w.sim.AddList("News", "single_opt_in")
		set := append(people(2), Profile{JSON: named(strings.Repeat("é", 40_000))})
		if err := NewImport(w.client, w.list("News")).Send(w.Context(), set); err != nil {
			t.Fatal(err)
		}
		want := `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[` +
			`{"type":"profile","attributes":{"email":"p0@example.com"}},` +
			`{"type":"profile","attributes":{"email":"p1@example.com"}},` + string(set[2].JSON) +
			`]}},"relationships":{"lists":{"data":[{"type":"list","id":"` + id + `"}]}}}}`
		if string(text) != want || got.ContentLength != int64(len(want)) {
			t.Errorf("got %d bytes, length %d, want %d: %.300s", len(text), got.ContentLength, len(want), text)
		}
	})
	headers := map[string]string{}
	for name := range got.Header {
		headers[name] = got.Header.Get(name)
	}
	delete(headers, "Content-Length")
	want := map[string]string{
		"Accept":          "application/vnd.api+json",
		"Accept-Encoding": "gzip",
		"Authorization":   "Klaviyo-API-Key pk_bubble",
		"Content-Type":    "application/vnd.api+json",
		"Revision":        "2026-07-15",
		"User-Agent":      "klaviyo-export/test",
	}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Error(diff)
	}
}

// TestClosedBodyIsNotRead: a closed body reads nothing, whatever the transport does. Its profiles may belong to
// another request by then.
func TestClosedBodyIsNotRead(t *testing.T) {
	b := newBody("[", "]", []*Profile{{JSON: []byte("{}")}})
	b.moved = func() { t.Error("the closed body was read") }
	_, _ = b.Close(), b.Close()
	if n, err := b.Read(make([]byte, 8)); n != 0 || err != io.ErrClosedPipe {
		t.Errorf("read %d bytes, error %v", n, err)
	}
}

// TestSlowLine: a request that takes ten minutes to leave on a slow line succeeds. The time limit is for the answer.
func TestSlowLine(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		var all bytes.Buffer
		for {
			time.Sleep(10 * time.Second) // on the bubble's clock
			if _, err := io.CopyN(&all, r.Body, 32<<10); err != nil {
				break
			}
		}
		r.Body = io.NopCloser(&all)
		next.ServeHTTP(w, r)
	}
	notices := 0
	o := Options{RetryFor: time.Second, Notice: func(string) { notices++ }}
	bubble(t, faulty(isImport, slow), simulator.Options{}, o, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		set := people(25)
		for i := range set {
			set[i].JSON = fmt.Appendf(nil, `{"type":"profile","attributes":{"email":"p%d@example.com","title":"%s"}}`,
				i, strings.Repeat("x", 80_000))
		}
		began := time.Now()
		err := NewImport(w.client, w.list("News")).Send(w.Context(), set)
		if err != nil || statuses(set)["accepted"] != 25 {
			t.Errorf("error %v, %v", err, statuses(set))
		}
		if s := w.client.Stats(); s.Retried > 0 || notices > 0 || time.Since(began) < 10*time.Minute {
			t.Errorf("after %v: %+v, %d notices", time.Since(began), s, notices)
		}
	})
}

// TestListIDIsJSON: an id with any characters is written as JSON into the request.
func TestListIDIsJSON(t *testing.T) {
	got := importSuffix("a\x07\"\u2028\x7fé")
	want := "]}},\"relationships\":{\"lists\":{\"data\":[{\"type\":\"list\",\"id\":\"a\\u0007\\\"\\u2028\x7fé\"}]}}}}"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
