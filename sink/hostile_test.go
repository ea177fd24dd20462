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

// wire runs f in a bubble with the client of a Klaviyo that sends exactly the bytes that answer writes. The
// connection ends after them.
func wire(
	t *testing.T, o Options, answer func(conn net.Conn, r *http.Request, body []byte), f func(t *testing.T, c *Client),
) {
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
		defer func() {
			client.Close()
			_ = network.Close()
			serving.Wait()
		}()
		f(t, client)
	})
}

// spoken returns an answer that always writes the same.
func spoken(text string) func(net.Conn, *http.Request, []byte) {
	return func(conn net.Conn, _ *http.Request, _ []byte) { _, _ = io.WriteString(conn, text) }
}

// head is the head of an answer whose body ends with the connection.
func head(status int, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nConnection: close\r\n%s\r\n", status,
		strings.Join(append(headers, ""), "\r\n"))
}

// look looks up a list, which fails, and returns the error.
func look(t *testing.T, c *Client) *Error {
	t.Helper()
	_, err := c.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("error %v", err)
	}
	return failed
}

// TestOtherProtocol: an answer that switches to another protocol, whose body never ends, is a failure and not a hang.
func TestOtherProtocol(t *testing.T) {
	wire(t, Options{RetryFor: time.Second}, func(conn net.Conn, _ *http.Request, _ []byte) {
		const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
		_, _ = io.WriteString(conn, head)
		_, _ = io.Copy(io.Discard, conn)
	}, func(t *testing.T, c *Client) {
		if failed := look(t, c); failed.Kind != Outage || !strings.Contains(failed.Error(), "HTTP 101") {
			t.Errorf("kind %v: %v", failed.Kind, failed)
		}
	})
}

// memory returns the most bytes that the heap grew by while f ran. It measures whenever f calls watch.
func memory(f func(watch func())) (grown uint64) {
	var before, now runtime.MemStats
	var mu sync.Mutex // f calls watch from several goroutines
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

// allocated returns how many bytes f allocates, however long it takes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// endless writes the piece until the reader hangs up.
func endless(piece []byte) func(io.Writer) (int, error) {
	return func(w io.Writer) (sent int, err error) {
		for err == nil {
			var n int
			n, err = w.Write(piece)
			sent += n
		}
		return sent, err
	}
}

// TestEndlessAnswers: an answer is read up to a limit, in bounded memory, however long it is and however well
// compressed.
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
		most       int // bytes that the client reads of it
	}{
		{"endless", head(200), endless(blanks), maxAnswer + 2<<20},
		{"endless error", head(400), endless(blanks), maxAnswer + 2<<20},
		{
			"four times as much, compressed", head(200, "Content-Encoding: gzip"),
			func(w io.Writer) (int, error) { return w.Write(packed.Bytes()) }, packed.Len() / 2,
		},
		{
			"endless headers", "HTTP/1.1 200 X\r\n",
			endless([]byte("X-Filler: " + strings.Repeat("x", 1000) + "\r\n")), 12 << 20,
		},
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
						t.Errorf("the client read all %d bytes", sent)
					}
				}, func(t *testing.T, c *Client) {
					if failed := look(t, c); failed.Kind != Outage {
						t.Errorf("kind %v: %v", failed.Kind, failed)
					}
				})
			})
			if tries < 2 || most > c.most {
				t.Errorf("%d tries, %d bytes were read", tries, most)
			}
			if grown > 4*maxAnswer {
				t.Errorf("the heap grew by %d MB", grown>>20)
			}
		})
	}
}

// TestAnswersOfManyValues: an answer with so many values that they would take a hundred times its length is not
// decoded.
func TestAnswersOfManyValues(t *testing.T) {
	for name, body := range map[string]string{
		"jobs":   `{"data":[{}` + strings.Repeat(`,{}`, 5<<20) + `]}`,
		"errors": `{"errors":[{}` + strings.Repeat(`,{}`, 5<<20) + `]}`,
	} {
		var doc struct {
			Data []jobResource `json:"data"`
		}
		if err := decode([]byte(body), &doc); err == nil {
			t.Errorf("%s: %d values were decoded", name, len(doc.Data))
		}
	}
	// As many errors as 10,000 profiles can have are decoded.
	one := `,{"id":"e","status":400,"code":"invalid","title":"T","detail":"D",` +
		`"source":{"pointer":"/data/attributes/profiles/data/9999"},"links":{},"meta":{}}`
	if got := len(new(Client).apiErrors([]byte(`{"errors":[{}` + strings.Repeat(one, 20_000) + `]}`))); got != 20_001 {
		t.Errorf("%d errors were decoded, want 20001", got)
	}
	// More are not: each of several requests in flight may be refused like this.
	if got := len(new(Client).apiErrors([]byte(`{"errors":[{}` + strings.Repeat(one, 22_000) + `]}`))); got != 0 {
		t.Errorf("%d errors were decoded, want 0", got)
	}
}

// TestEndlessImportErrors: the errors of a job are read up to a limit, however many pages and however long texts there
// are. The rows that they name are rejected; no other row counts as applied.
func TestEndlessImportErrors(t *testing.T) {
	const more = `],"links":{"next":"http://127.0.0.1/api/more"}}`
	for name, page := range map[string]string{
		"many":       `{"data":[{}` + strings.Repeat(`,{}`, 100_000) + more,
		"long":       `{"data":[{"attributes":{"code":"c","original_payload":"` + strings.Repeat("x", 10<<20) + `"}}` + more,
		"empty":      `{"data":[` + more,
		"of one row": `{"data":[` + jobError(at(0), `{"email":"p0@example.com"}`, "bad") + more,
	} {
		t.Run(name, func(t *testing.T) {
			pages := 0
			wire(t, Options{RetryFor: time.Second}, func(conn net.Conn, r *http.Request, _ []byte) {
				if !strings.HasSuffix(r.URL.Path, "J1") {
					pages++
					spoken(head(200)+page)(conn, r, nil)
					return
				}
				spoken(head(200)+`{"data":{"id":"J1","attributes":{"status":"complete","failed_count":1,"total_count":2}}}`)(
					conn, r, nil)
			}, func(t *testing.T, c *Client) {
				var end *End
				job := jobOf("J1", "p0@example.com", "p1@example.com")
				err := NewJobs(c).Wait(t.Context(), time.Now().Add(time.Hour), []Job{job}, func(_ int, e *End) { end = e })
				if err != nil || end.State != Complete || end.Settlement.Rest != Unknown || pages > 10 {
					t.Errorf("error %v after %d pages: %+v", err, pages, end)
				}
				code := map[string]string{"empty": "errors_incomplete", "of one row": "errors_incomplete"}[name]
				if code == "" {
					code = "error_unmatched"
				}
				f := end.Settlement.Fault(0)
				if end.Settlement.RestFault.Code != code || (f != nil) != (name == "of one row") || f != nil && f.Detail != "bad" {
					t.Errorf("%+v, %+v", end.Settlement.RestFault, f)
				}
			})
		})
	}
}

// TestStrangeIDs: an answer whose id is empty, or too long to be repeated for every row, is not usable.
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
				_, err := c.FindList(t.Context(), ref)
				if !errors.As(err, &failed) || failed.Kind != Outage || len(err.Error()) > 2*maxText {
					t.Errorf("%v: %.200v", ref, err)
				}
			}
		})
	}
}
