package sink

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"klaviyo-export/sink/simulator/contract"
)

// wire runs f in a bubble with the client of a Klaviyo that sends what answer writes, byte for byte. After it the connection ends.
func wire(t *testing.T, o Options, answer func(conn net.Conn, r *http.Request, body []byte), f func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := contract.NewPipes()
		var serving sync.WaitGroup
		serving.Go(func() {
			for {
				conn, err := network.Accept()
				if err != nil {
					return
				}
				serving.Go(func() {
					defer conn.Close()
					r, err := http.ReadRequest(bufio.NewReader(conn))
					if err != nil {
						return
					}
					body, _ := io.ReadAll(r.Body)
					answer(conn, r, body)
				})
			}
		})
		o.BaseURL, o.Revision, o.Key, o.Concurrency = "http://127.0.0.1", DefaultRevision, "pk_bubble", 4
		client, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		client.http.Transport.(*http.Transport).DialContext = network.Dial
		f(t, client)
		client.Close()
		_ = network.Close()
		serving.Wait()
	})
}

// spoken returns an answer that always writes the same.
func spoken(text string) func(net.Conn, *http.Request, []byte) {
	return func(conn net.Conn, _ *http.Request, _ []byte) { _, _ = io.WriteString(conn, text) }
}

// head is the beginning of an answer whose body ends with the connection.
func head(status int, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nConnection: close\r\n%s\r\n", status, strings.Join(append(headers, ""), "\r\n"))
}

// look asks for a list and returns the error, which must be there.
func look(t *testing.T, c *Client) *Error {
	t.Helper()
	_, err := c.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("error %v", err)
	}
	return failed
}

// An answer that hands the connection over to another protocol has no end of its own.
func TestOtherProtocol(t *testing.T) {
	wire(t, Options{RetryFor: time.Second}, func(conn net.Conn, _ *http.Request, _ []byte) {
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	}, func(t *testing.T, c *Client) {
		if failed := look(t, c); failed.Kind != Outage || !strings.Contains(failed.Error(), "HTTP 101") {
			t.Errorf("kind %v: %v", failed.Kind, failed)
		}
	})
}

// memory returns the most that the heap grew by while f ran, looked at whenever watch is called.
func memory(f func(watch func())) (grown uint64) {
	var before, now runtime.MemStats
	var mu sync.Mutex // f calls from several goroutines
	runtime.GC()
	runtime.ReadMemStats(&before)
	f(func() {
		mu.Lock()
		defer mu.Unlock()
		runtime.GC()
		runtime.ReadMemStats(&now)
		if now.HeapAlloc > before.HeapAlloc {
			grown = max(grown, now.HeapAlloc-before.HeapAlloc)
		}
	})
	return grown
}

// An answer is read up to a limit, however much comes and however well it was packed.
func TestEndlessAnswers(t *testing.T) {
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	var packed bytes.Buffer
	pack, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	for range 4 * maxAnswer >> 20 {
		_, _ = pack.Write(blanks)
	}
	_ = pack.Close()
	for _, c := range []struct {
		name, head string
		body       func(io.Writer) (sent int, err error)
		most       int // that is taken of it
	}{
		{"endless", head(200), func(w io.Writer) (sent int, err error) {
			for err == nil {
				var n int
				n, err = w.Write(blanks)
				sent += n
			}
			return sent, err
		}, maxAnswer + 2<<20},
		{"endless error", head(400), func(w io.Writer) (sent int, err error) {
			for err == nil {
				var n int
				n, err = w.Write(blanks)
				sent += n
			}
			return sent, err
		}, maxAnswer + 2<<20},
		{"four times as much, packed", head(200, "Content-Encoding: gzip"), func(w io.Writer) (int, error) { return w.Write(packed.Bytes()) }, packed.Len() / 2},
		{"endless headers", "HTTP/1.1 200 X\r\n", func(w io.Writer) (sent int, err error) {
			for err == nil {
				var n int
				n, err = io.WriteString(w, "X-Filler: "+strings.Repeat("x", 1000)+"\r\n")
				sent += n
			}
			return sent, err
		}, 12 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			tries, most := 0, 0
			grown := memory(func(watch func()) {
				wire(t, Options{RetryFor: 10 * time.Second}, func(conn net.Conn, _ *http.Request, _ []byte) {
					if _, err := io.WriteString(conn, c.head); err != nil {
						t.Error(err)
					}
					sent, err := c.body(conn)
					watch()
					mu.Lock()
					defer mu.Unlock()
					tries++
					if most = max(most, sent); err == nil {
						t.Errorf("all of it was read, %d bytes", sent)
					}
				}, func(t *testing.T, c *Client) {
					if failed := look(t, c); failed.Kind != Outage {
						t.Errorf("kind %v: %v", failed.Kind, failed)
					}
				})
			})
			if tries < 2 || most > c.most {
				t.Errorf("%d tries, %d bytes were taken", tries, most)
			}
			if grown > 4*maxAnswer {
				t.Errorf("took %d MB", grown>>20)
			}
		})
	}
}

// An answer may hold so many values that they would take a hundred times its length once they are decoded.
func TestAnswersOfManyValues(t *testing.T) {
	for name, body := range map[string]string{
		"jobs":   `{"data":[{}` + strings.Repeat(`,{}`, 5<<20) + `]}`,
		"errors": `{"errors":[{}` + strings.Repeat(`,{}`, 5<<20) + `]}`,
	} {
		var doc struct {
			Data []importError `json:"data"`
		}
		if err := decode([]byte(body), &doc); err == nil {
			t.Errorf("%s: %d are decoded", name, len(doc.Data))
		}
	}
	// As many as 10,000 profiles can have are taken.
	one := `,{"id":"e","status":400,"code":"invalid","title":"T","detail":"D","source":{"pointer":"/data/attributes/profiles/data/9999"},"links":{},"meta":{}}`
	if got := len(new(Client).apiErrors([]byte(`{"errors":[{}` + strings.Repeat(one, 20_000) + `]}`))); got != 20_001 {
		t.Errorf("%d errors", got)
	}
	// Each of several requests at once may be refused with so many.
	if got := len(new(Client).apiErrors([]byte(`{"errors":[{}` + strings.Repeat(one, 22_000) + `]}`))); got != 0 {
		t.Errorf("%d errors are decoded", got)
	}
}

// However much Klaviyo says against rows, and however often, each row keeps some of it and it takes no time to speak of.
func TestLongReasons(t *testing.T) {
	const places = importPointer + `0/attributes/email`
	many := func(status int, one string) string {
		return head(status, "Content-Type: "+mediaType) + `{"errors":[` + strings.TrimSuffix(strings.Repeat(one+",", min(12<<20/len(one), 1<<15)), ",") + `]}`
	}
	for _, c := range []struct {
		name, answer string
		column, code string
	}{
		{"of many errors", many(400, `{"code":"invalid","detail":"bad","source":{"pointer":"`+places+`"}}`), "email", "invalid"},
		{"of one error", many(400, `{"code":"invalid","detail":"`+strings.Repeat("bad\\u00e9", 1<<20)+`","source":{"pointer":"`+places+`"}}`), "email", "invalid"},
		{"long names", many(400, `{"code":"`+strings.Repeat("c", 1<<20)+`","title":"bad","source":{"pointer":"`+places+strings.Repeat("/x", 1<<20)+`"}}`), "", ""},
		{"nobody named", many(400, `{"code":"invalid","detail":"`+strings.Repeat("bad", 1<<20)+`"}`), "", "invalid"},
		{"nobody named, many errors", many(400, `{"detail":"bad"}`), "", "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			late := time.AfterFunc(20*time.Second, func() { panic("reading the reasons does not end") })
			defer late.Stop()
			list := head(200, "Content-Type: "+mediaType) + `{"data":{"type":"list","id":"Aaaaaa","attributes":{"name":"News"}}}`
			wire(t, Options{RetryFor: time.Second}, func(conn net.Conn, r *http.Request, _ []byte) {
				if isImport(r) {
					spoken(c.answer)(conn, r, nil)
					return
				}
				spoken(list)(conn, r, nil)
			}, func(t *testing.T, client *Client) {
				l, err := client.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
				if err != nil {
					t.Fatal(err)
				}
				set := people(1)
				if err := NewImport(client, l).Send(t.Context(), set); err != nil {
					t.Fatal(err)
				}
				f := set[0].Fault
				if set[0].Status != Rejected || !strings.Contains(f.Detail, "bad") || len(f.Detail) > 2*maxText+10 || len(f.Code) > maxText+10 || len(f.Column) > maxText+10 {
					t.Errorf("outcome %v, %d bytes of code, %d of column, %d of detail", set[0].Status, len(f.Code), len(f.Column), len(f.Detail))
				}
				if c.code != "" && (f.Code != c.code || f.Column != c.column) {
					t.Errorf("code %.20q, column %.20q", f.Code, f.Column)
				}
			})
		})
	}
}

// A removal that is refused with very many words looks each up once.
func TestManyIDsInReasons(t *testing.T) {
	late := time.AfterFunc(20*time.Second, func() { panic("looking for ids does not end") })
	defer late.Stop()
	set := make([]Profile, maxRemoval)
	refs := make([]*Profile, len(set))
	for i := range set {
		set[i].JSON = fmt.Appendf(nil, `{"type":"profile","id":"01HQ%022d"}`, i)
		refs[i] = &set[i]
	}
	body := `{"errors":[` + strings.Repeat(`{"detail":"no id"},`, 100_000) + `{"code":"not_found","detail":"no profile 01HQ0000000000000000000007."}]}`
	refused, err := refuse(&answer{status: 404, errors: new(Client).apiErrors([]byte(body))}, "remove profiles", removalPlace())
	if err != nil {
		t.Fatal(err)
	}
	if rest := refused.strip(refs); len(rest) != maxRemoval-1 || set[7].Status != Rejected || set[7].Fault.Column != "profile_id" {
		t.Errorf("%d are left, %+v", len(rest), set[7])
	}
}

// What is said of another job proves nothing of this one.
func TestAnswerAboutAnotherJob(t *testing.T) {
	other := head(200) + `{"data":{"type":"profile-bulk-import-job","id":"J2","attributes":{"status":"complete","failed_count":0,"total_count":1}}}`
	wire(t, Options{RetryFor: time.Second}, spoken(other), func(t *testing.T, c *Client) {
		end, err := NewJobs(c).Wait(t.Context(), time.Now().Add(5*time.Minute), "J1")
		if err != nil || end.State != Open {
			t.Errorf("state %v, error %v", end.State, err)
		}
	})
}

// The errors of a job are kept up to a limit, whatever their pages say.
func TestEndlessImportErrors(t *testing.T) {
	for name, page := range map[string]string{
		"many": `{"data":[{}` + strings.Repeat(`,{}`, 100_000) + `],"links":{"next":"http://127.0.0.1/api/more"}}`,
		"long": `{"data":[{"attributes":{"code":"c","original_payload":"` + strings.Repeat("x", 10<<20) + `"}}],"links":{"next":"http://127.0.0.1/api/more"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			pages := 0
			wire(t, Options{RetryFor: time.Second}, func(conn net.Conn, r *http.Request, _ []byte) {
				if pages++; pages > 100 {
					panic("the pages are read for ever")
				}
				spoken(head(200)+page)(conn, r, nil)
			}, func(t *testing.T, c *Client) {
				var failed *Error
				if err := c.importErrors(t.Context(), "J1", new(End)); !errors.As(err, &failed) || failed.Kind != Setup {
					t.Errorf("error %v after %d pages", err, pages)
				}
			})
		})
	}
}

// Ids of any length would be repeated on every row's line, and a list without one is no list.
func TestStrangeIDs(t *testing.T) {
	for _, id := range []string{"", strings.Repeat("x", 1<<20)} {
		one := `{"type":"list","id":"` + id + `","attributes":{"name":"News"}}`
		wire(t, Options{RetryFor: time.Second}, func(conn net.Conn, r *http.Request, _ []byte) {
			if isLookup(r) {
				spoken(head(200)+`{"data":[`+one+`]}`)(conn, r, nil)
				return
			}
			spoken(head(201)+`{"data":`+one+`}`)(conn, r, nil)
		}, func(t *testing.T, c *Client) {
			for _, ref := range []ListRef{{Name: "News"}, {Name: "Other"}, {ID: "Aaaaaa"}} {
				var failed *Error
				if _, err := c.FindList(t.Context(), ref); !errors.As(err, &failed) || failed.Kind != Outage || len(err.Error()) > 2*maxText {
					t.Errorf("%v: %.200v", ref, err)
				}
			}
		})
	}
}

// A list of any id is named in the request as JSON has it.
func TestListIDIsJSON(t *testing.T) {
	text := importSuffix("a\x07\"\u2028\x7fé")
	if want := "]}},\"relationships\":{\"lists\":{\"data\":[{\"type\":\"list\",\"id\":\"a\\u0007\\\"\\u2028\x7fé\"}]}}}}"; text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// Twins without number are told in a line of bounded length.
func TestManyTwins(t *testing.T) {
	page := `{"data":[` + strings.TrimSuffix(strings.Repeat(`{"id":"Aaaaaa","attributes":{"name":"News"}},`, 100_000), ",") + `],"links":{"next":"/api/lists?page=2"}}`
	wire(t, Options{}, spoken(head(200)+page), func(t *testing.T, c *Client) {
		_, err := c.FindList(t.Context(), ListRef{Name: "News"})
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Setup || len(err.Error()) > 2*maxText || !strings.Contains(err.Error(), "100000 lists of that name") {
			t.Errorf("error %.300v", err)
		}
		if n := c.Stats().Sent; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// What Klaviyo says stays on one line of an error.
func TestReasonsKeepTheirLine(t *testing.T) {
	said := head(400) + `{"errors":[{"code":"a\nb","detail":"bad\r\nhint: run this\u001b[2J\u009b2J"}]}`
	wire(t, Options{}, spoken(said), func(t *testing.T, c *Client) {
		if failed := look(t, c); !strings.HasSuffix(failed.Error(), "HTTP 400: bad  hint: run this [2J 2J (a b)") {
			t.Errorf("error %q", failed)
		}
	})
}

// The key is told in no error, even where an answer that is none holds it.
func TestKeyInBrokenAnswers(t *testing.T) {
	for _, text := range []string{
		"pk_bubble\r\n\r\n", "HTTP/1.1 pk_bubble\r\n\r\n", "HTTP/1.1 200 X\r\nAuthorization pk_bubble\r\n\r\n", "HTTP/pk_bubble 200 X\r\n\r\n",
		"HTTP/1.1 200 X\r\nContent-Length: pk_bubble\r\n\r\n", "HTTP/1.1 200 X\r\nTransfer-Encoding: pk_bubble\r\n\r\n",
		head(400) + `{"errors":[{"code":"pk_bubble","detail":"pk_bubble","title":"pk_bubble"}]}`, head(302, "Location: http://127.0.0.2/pk_bubble") + "pk_bubble",
		head(403) + "pk_bubble", head(500) + `{"errors":[{"detail":"pk_bubble"}]}`, head(429, "Retry-After: pk_bubble") + `{"errors":[{"detail":"pk_bubble"}]}`,
	} {
		var notices []string
		wire(t, Options{RetryFor: time.Second, Notice: func(text string) { notices = append(notices, text) }}, spoken(text), func(t *testing.T, c *Client) {
			if failed := look(t, c); strings.Contains(failed.Error()+failed.Hint+strings.Join(notices, ""), "pk_bubble") {
				t.Errorf("%q: %v %q", text, failed, notices)
			}
		})
	}
}

// When a list was made matters only where several processes make it: a time that nobody understands is no reason not to find it.
func TestStrangeTimes(t *testing.T) {
	for _, created := range []string{`"yesterday"`, `""`, `null`, `"2026-11-23"`, `"99999-01-01T00:00:00Z"`} {
		one := `{"type":"list","id":"Aaaaaa","attributes":{"name":"News","created":` + created + `}}`
		for _, ref := range []ListRef{{Name: "News"}, {ID: "Aaaaaa"}} {
			wire(t, Options{RetryFor: time.Second}, func(conn net.Conn, r *http.Request, _ []byte) {
				if isLookup(r) {
					spoken(head(200)+`{"data":[`+one+`]}`)(conn, r, nil)
					return
				}
				spoken(head(200)+`{"data":`+one+`}`)(conn, r, nil)
			}, func(t *testing.T, c *Client) {
				l, err := c.FindList(t.Context(), ref)
				if err != nil {
					t.Errorf("%s: %v", created, err)
					return
				}
				if id, name, _ := l.State(); id != "Aaaaaa" || name != "News" {
					t.Errorf("%s: found %q %q", created, id, name)
				}
			})
		}
	}
}
