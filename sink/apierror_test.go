package sink

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// TestStrangeErrors: an error document that is huge, deep or of other types names no profile and causes no panic.
func TestStrangeErrors(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                  "",
		"null":                   "null",
		"an array":               "[]",
		"errors are an object":   `{"errors":{}}`,
		"pointer is a number":    `{"errors":[{"source":{"pointer":5}}]}`,
		"null members":           `{"errors":[{"source":null,"detail":null}]}`,
		"deep":                   strings.Repeat("[", 2_000_000),
		"deep errors":            `{"errors":` + strings.Repeat("[", 1000),
		"not UTF-8":              "{\"errors\":[{\"detail\":\"\xff\"}]}",
		"errors are not objects": `{"errors":[5,"x"]}`,
	} {
		for i, e := range new(Client).apiErrors([]byte(text)) {
			if at, _ := importPlace(&e, nil); at != -1 {
				t.Errorf("%s: error %d names profile %d", name, i, at)
			}
		}
	}
}

// TestPointers: a pointer names the profile of its index, if there is one, and no profile otherwise.
func TestPointers(t *testing.T) {
	set := make([]*Profile, 3)
	for pointer, want := range map[string]int{
		"/data/attributes/profiles/data/2/attributes/email":   2,
		"/data/attributes/profiles/data/0":                    0,
		"/data/attributes/profiles/data/3":                    -1,
		"/data/attributes/profiles/data/":                     -1,
		"/data/attributes/profiles/data/-1/x":                 -1,
		"/data/attributes/profiles/data/99999999999999999999": -1,
		"/data/attributes/profiles/data/1x":                   -1,
		"/data":                                               -1,
		"":                                                    -1,
		"/data/1":                                             -1,
	} {
		e := apiError{}
		e.Source.Pointer = foreign(pointer)
		if at, _ := importPlace(&e, set); at != want {
			t.Errorf("pointer %q names profile %d, want %d", pointer, at, want)
		}
	}
}

// manyErrors is a refusal with as many copies of an error as fit into 12 MB, at most 32,768.
func manyErrors(one string) string {
	copies := strings.Repeat(one+",", min(12<<20/len(one), 1<<15))
	return head(400, "Content-Type: "+mediaType) + `{"errors":[` + strings.TrimSuffix(copies, ",") + `]}`
}

// TestLongReasons: however many and however long the errors about a row are, the row keeps a bounded part of them,
// and the work does not grow with the square of their number.
func TestLongReasons(t *testing.T) {
	const at = importPointer + `0/attributes/email`
	mega := func(text string) string { return strings.Repeat(text, 1<<20) }
	for _, c := range []struct {
		name, answer string
		column, code string
	}{
		{
			"many errors",
			manyErrors(`{"code":"invalid","detail":"bad","source":{"pointer":"` + at + `"}}`),
			"email", "invalid",
		},
		{
			"one long error",
			manyErrors(`{"code":"invalid","detail":"` + mega("bad\\u00e9") + `","source":{"pointer":"` + at + `"}}`),
			"email", "invalid",
		},
		{
			"long names",
			manyErrors(`{"code":"` + mega("c") + `","title":"bad","source":{"pointer":"` + at + mega("/x") + `"}}`),
			"", "",
		},
		{"no row named", manyErrors(`{"code":"invalid","detail":"` + mega("bad") + `"}`), "", "invalid"},
		{"no row named, many errors", manyErrors(`{"detail":"bad"}`), "", "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := head(200, "Content-Type: "+mediaType) +
				`{"data":{"type":"list","id":"Aaaaaa","attributes":{"name":"News"}}}`
			answer := func(conn net.Conn, r *http.Request, _ []byte) {
				if isImport(r) {
					spoken(c.answer)(conn, r, nil)
					return
				}
				spoken(list)(conn, r, nil)
			}
			set := people(1)
			bytes := allocated(func() {
				wire(t, Options{RetryFor: time.Second}, answer, func(t *testing.T, client *Client) {
					l, err := client.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
					if err != nil {
						t.Fatal(err)
					}
					if err := NewImport(client, l).Send(t.Context(), set); err != nil {
						t.Fatal(err)
					}
				})
			})
			if bytes > 512<<20 { // joining 32,768 reasons one by one would take 2.7 GB
				t.Errorf("the refusal took %d MB", bytes>>20)
			}
			f := set[0].Fault
			if set[0].Status != Rejected || !strings.Contains(f.Detail, "bad") {
				t.Errorf("status %v, detail %.20q", set[0].Status, f.Detail)
			}
			if len(f.Detail) > 2*maxText+10 || len(f.Code) > maxText+10 || len(f.Column) > maxText+10 {
				t.Errorf("%d bytes of code, %d of column, %d of detail", len(f.Code), len(f.Column), len(f.Detail))
			}
			if c.code != "" && (f.Code != c.code || f.Column != c.column) {
				t.Errorf("code %.20q, column %.20q", f.Code, f.Column)
			}
		})
	}
}

// TestTextsOfAnswers: whatever form a refusal has, its words are shown, with the request id where people must pass it
// on.
func TestTextsOfAnswers(t *testing.T) {
	one := `{"errors":[{"id":"ID1","code":"c","title":"T","detail":"D"}]}`
	for _, c := range []struct{ name, answer, want string }{
		{"an error", head(405) + one, "HTTP 405: D (c), request id ID1"},
		{"an id in a header", head(405, "X-Klaviyo-Req-Id: ID2") + one, "HTTP 405: D (c), request id ID2"},
		{"only an id in a header", head(405, "X-Klaviyo-Req-Id: ID2"), "HTTP 405, request id ID2"},
		{"no id", head(405) + `{"errors":[{"code":"c","detail":"D"}]}`, "HTTP 405: D (c)"},
		{"a long id", head(405, "X-Klaviyo-Req-Id: "+strings.Repeat("x", 5000)), "HTTP 405, request id " +
			strings.Repeat("x", longestID) + "…"},
		{"the key as id", head(405, "X-Klaviyo-Req-Id: pk_bubble"), "HTTP 405, request id [API key]"},
		{"two errors", head(405) + `{"errors":[{"detail":"D"},{"title":"T"}]}`, "HTTP 405: D; T"},
		{"a message", head(405) + `{"message":"Use\nthe new API"}`, `HTTP 405: Use\nthe new API`},
		{"a detail", head(405) + `{"detail":"Not here"}`, "HTTP 405: Not here"},
		{"an error text", head(405) + `{"error":"not here"}`, "HTTP 405: not here"},
		{"a message with the key", head(405) + `{"message":"pk_bubble"}`, "HTTP 405: [API key]"},
		{"a long message", head(405) + `{"message":"` + strings.Repeat("x", 1<<20) + `"}`, "HTTP 405: " +
			strings.Repeat("x", maxText) + "…"},
		{"a message of another type", head(405) + `{"message":{"a":1}}`, "HTTP 405"},
		{"no errors", head(405) + `{"errors":[]}`, "HTTP 405"},
		{"a page", head(405) + page, "HTTP 405"},
		{"nothing", head(405), "HTTP 405"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire(t, Options{}, spoken(c.answer), func(t *testing.T, client *Client) {
				failed := look(t, client)
				if want := `look up list "Aaaaaa": ` + c.want; failed.Error() != want || failed.Kind != Setup {
					t.Errorf("got  %.300q\nwant %.300q", failed.Error(), want)
				}
			})
		})
	}
}

// TestAboutRevisions: only a text that speaks of API revisions ends the run as one about the revision. An id or a name
// that Klaviyo repeats does not.
func TestAboutRevisions(t *testing.T) {
	for _, c := range []struct {
		status          int
		detail, pointer string
		want            bool
	}{
		{404, "No valid revisions found for method", "/data/", true},
		{404, "No valid revisions found for method, please check our documentation", "", true},
		{404, "This revision is not available.", "", true},
		{404, "The date is before the earliest available, use a date after 2026-04-15", "", true},
		{404, "A list with id `revision` does not exist.", "/data/", false},
		{404, "A list with id revisions does not exist.", "/data/", false},
		{404, "A profile with id valid does not exist.", "/data/", false},
		{404, "Invalid job id", "/data/", false},
		{400, "Unable to specify a future revision date", "/data/", true},
		{400, "The revision header must be a date such as 2026-07-15.", "/data/", true},
		{400, "Invalid profile IDs: revision, revisions", "/data/", false},
		{400, "'API revision' is not a valid field", "/data/attributes/profiles/data/0/attributes/x", false},
		{400, "The payload provided in the request is invalid.", "/data", false},
		{409, "No valid revisions found for method", "/data/", false},
	} {
		e := apiError{Detail: foreign(c.detail)}
		e.Source.Pointer = foreign(c.pointer)
		if got := (&answer{status: c.status, errors: []apiError{e}}).refusesRevision(); got != c.want {
			t.Errorf("%d %s: got %v", c.status, c.detail, got)
		}
	}
}

// TestReasonsKeepTheirLine: Klaviyo's text cannot break out of its line in an error.
func TestReasonsKeepTheirLine(t *testing.T) {
	said := head(400) + `{"errors":[{"code":"a\nb","detail":"bad\r\nhint: run this\u001b[2J\u009b2J"}]}`
	wire(t, Options{}, spoken(said), func(t *testing.T, c *Client) {
		if failed := look(t, c); !strings.HasSuffix(failed.Error(), `HTTP 400: bad\r\nhint: run this\x1b[2J\u009b2J (a\nb)`) {
			t.Errorf("error %q", failed)
		}
	})
}

// TestKeyInBrokenAnswers: no error, hint or notice shows the key, even if a malformed answer holds it.
func TestKeyInBrokenAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"not HTTP":          "pk_bubble\r\n\r\n",
		"status":            "HTTP/1.1 pk_bubble\r\n\r\n",
		"header":            "HTTP/1.1 200 X\r\nAuthorization pk_bubble\r\n\r\n",
		"version":           "HTTP/pk_bubble 200 X\r\n\r\n",
		"length":            "HTTP/1.1 200 X\r\nContent-Length: pk_bubble\r\n\r\n",
		"encoding":          "HTTP/1.1 200 X\r\nTransfer-Encoding: pk_bubble\r\n\r\n",
		"error":             head(400) + `{"errors":[{"code":"pk_bubble","detail":"pk_bubble","title":"pk_bubble"}]}`,
		"redirect":          head(302, "Location: http://127.0.0.2/pk_bubble") + "pk_bubble",
		"challenge":         head(403) + "pk_bubble",
		"server error":      head(500) + `{"errors":[{"detail":"pk_bubble"}]}`,
		"throttled for key": head(429, "Retry-After: pk_bubble") + `{"errors":[{"detail":"pk_bubble"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			said := ""
			o := Options{RetryFor: time.Second, Notice: func(text string) { said += text }}
			wire(t, o, spoken(text), func(t *testing.T, c *Client) {
				failed := look(t, c)
				if said += failed.Error() + failed.Hint; strings.Contains(said, "pk_bubble") {
					t.Errorf("the key is shown: %q", said)
				}
			})
		})
	}
}

// TestEchoedKeyIsHidden: errors quote Klaviyo's text without the key in it, however the key is escaped.
func TestEchoedKeyIsHidden(t *testing.T) {
	for name, key := range map[string]string{"plain": `pk_bubble`, "escaped": `\u0070k_bubbl\u0065`} {
		t.Run(name, func(t *testing.T) {
			body := `{"errors":[{"code":"authentication_failed","detail":"The key ` + key + ` is unknown."}]}`
			unknown := says(401, mediaType, body)
			bubble(t, faulty(isLookup, unknown), simulator.Options{}, Options{}, func(w *world) {
				_, err := w.client.FindList(w.Context(), ListRef{Name: "News"})
				if err == nil || strings.Contains(err.Error(), "pk_bubble") ||
					!strings.Contains(err.Error(), "The key [API key] is unknown.") {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}
