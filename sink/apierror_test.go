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
		e.Source.Pointer = pointer
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

// TestReasonsKeepTheirLine: Klaviyo's text cannot break out of its line in an error.
func TestReasonsKeepTheirLine(t *testing.T) {
	said := head(400) + `{"errors":[{"code":"a\nb","detail":"bad\r\nhint: run this\u001b[2J\u009b2J"}]}`
	wire(t, Options{}, spoken(said), func(t *testing.T, c *Client) {
		if failed := look(t, c); !strings.HasSuffix(failed.Error(), "HTTP 400: bad  hint: run this [2J 2J (a b)") {
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
