package sink

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestForeign: a text from outside is one line of bounded length, whatever it is and however it is printed, and none of
// it is escaped twice.
func TestForeign(t *testing.T) {
	long := strings.Repeat("x", maxText)
	for _, c := range []struct{ text, shown, quoted string }{
		{"", "", `""`},
		{"plain", "plain", `"plain"`},
		{`a "b" \c`, `a "b" \c`, `"a \"b\" \\c"`},
		{"Jürgen 東京 👩\u200d💻 \ufffd", "Jürgen 東京 👩\u200d💻 \ufffd", `"Jürgen 東京 👩\u200d💻 ` + "\ufffd" + `"`},
		{"a\r\nb\tc\x00\x7f", `a\r\nb\tc\x00\x7f`, `"a\r\nb\tc\x00\x7f"`},
		{"\x1b[2J\u009b2J", `\x1b[2J\u009b2J`, `"\x1b[2J\u009b2J"`},
		{"a\u202eb\u2066c\u200bd\ufeff", `a\u202eb\u2066c\u200bd\ufeff`, `"a\u202eb\u2066c\u200bd\ufeff"`},
		{"a\u2028b\u2029", `a\u2028b\u2029`, `"a\u2028b\u2029"`},
		{"\U000e0041", `\U000e0041`, `"\U000e0041"`},
		{"\xff\xc3", `\xff\xc3`, `"\xff\xc3"`},
		{long, long, `"` + long + `"`},
		{long + "x", long + "…", `"` + long + `…"`},
		{long[1:] + "é", long[1:] + "…", `"` + long[1:] + `…"`},
		{long[1:] + "\n", long[1:] + "…", `"` + long[1:] + `\n"`},
		{"\n" + long, `\n` + long[2:] + "…", `"\n` + long[1:] + `…"`},
		{strings.Repeat("\x80", 5<<20), strings.Repeat(`\x80`, maxText/4) + "…", ""},
		{strings.Repeat("\n", 5<<20), strings.Repeat(`\n`, maxText/2) + "…", `"` + strings.Repeat(`\n`, maxText) + `…"`},
	} {
		f := foreign(c.text)
		for verb, got := range map[string]string{
			"%s": fmt.Sprintf("%s", f), "%v": fmt.Sprint(f), "twice": foreign(f.String()).String(),
			"text": new(Client).text(f), "error": fmt.Errorf("%v", f).Error(),
		} {
			if got != c.shown {
				t.Errorf("%.20q: %s is %.60q (%d bytes), want %.60q", c.text, verb, got, len(got), c.shown)
			}
		}
		if got := fmt.Sprintf("%q", f); got != c.quoted && c.quoted != "" {
			t.Errorf("%.20q: %%q is %.60s (%d bytes), want %.60s", c.text, got, len(got), c.quoted)
		}
		if name := new(Client).name(f); len(name) > 3*maxText+3 || !utf8.ValidString(name) {
			t.Errorf("%.20q: the name has %d bytes", c.text, len(name))
		}
	}
}

// TestLongAnswers: no text of an answer makes an error long, whichever part of the answer it is.
func TestLongAnswers(t *testing.T) {
	const doing = `look up list "Aaaaaa": `
	const broken = doing + "net/http: HTTP/1.x transport connection broken: "
	long, cut := strings.Repeat("x", 5<<20), strings.Repeat("x", maxText)
	for _, c := range []struct{ name, answer, begins string }{
		{"status line", "HTTP/1.1 " + long + "\r\n\r\n", broken + `malformed HTTP status code "xxx`},
		{"version", long + " 200 X\r\n\r\n", broken + `malformed HTTP version "xxx`},
		{"header", "HTTP/1.1 200 X\r\n" + long + "\r\n\r\n", broken + `malformed MIME header: missing colon: "xxx`},
		{"reason", "HTTP/1.1 405 " + long + "\r\nConnection: close\r\n\r\n", doing + "HTTP 405"},
		{"redirect", head(302, "Location: http://127.0.0.2/"+long), doing + "redirects are not followed: HTTP 302"},
		{"redirect to nowhere", head(302, "Location: ://"+long), doing + `failed to parse Location header "://xxx`},
		{"request id", head(405, "X-Klaviyo-Req-Id: "+long), doing + "HTTP 405, request id " + cut[:longestID] + "…"},
		{"code", head(405) + `{"errors":[{"code":"` + long + `"}]}`, doing + "HTTP 405:  (xxx"},
		{"title", head(405) + `{"errors":[{"title":"` + long + `"}]}`, doing + "HTTP 405: " + cut + "…"},
		{"detail", head(405) + `{"errors":[{"detail":"` + long + `"}]}`, doing + "HTTP 405: " + cut + "…"},
		{"id", head(200) + `{"data":{"id":"` + long + `"}}`, doing + "HTTP 200: an id in the answer is too long"},
		{
			"bytes of no text", head(405, "X-Klaviyo-Req-Id: "+strings.Repeat("\x80", 5000)),
			doing + "HTTP 405, request id " + strings.Repeat(`\x80`, longestID/4) + "…",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire(t, Options{}, spoken(c.answer), func(t *testing.T, client *Client) {
				failed := look(t, client)
				if text := failed.Error(); !strings.HasPrefix(text, c.begins) || len(text) > 1100 {
					t.Errorf("%d bytes: %.200q", len(text), text)
				}
			})
		})
	}
}

// TestOddIDs: an id is used only if it needs no escapes anywhere, and does not hold the key. What it would have been
// used for counts as not answered.
func TestOddIDs(t *testing.T) {
	for id, want := range map[string]string{
		"V0JoWEhOX21haW50ZW5hbmNlLlBIV0tSRC4xNzg4NTI5MjAxLkVHZEk1Tw": "",
		"01JBTPE5DQXB6B7G4WTTNAKW47":                                 "", "a-b_c=d+e/f:g.h~i|j": "",
		`J\nklaviyo-export: done`: errOddID.Error(), "J K": errOddID.Error(), `J\u202e`: errOddID.Error(),
		"Jü": errOddID.Error(), "pk_bubble": errOddID.Error(), `apk\u005fbubble1`: errOddID.Error(),
		strings.Repeat("x", maxText): "", strings.Repeat("x", maxText+1): errLongID.Error(), "": errNoData.Error(),
	} {
		wire(t, Options{}, func(conn net.Conn, r *http.Request, _ []byte) {
			if isImport(r) {
				spoken(head(202)+`{"data":{"id":"`+id+`"}}`)(conn, r, nil)
				return
			}
			spoken(head(200)+`{"data":{"id":"Aaaaaa","attributes":{"name":"News"}}}`)(conn, r, nil)
		}, func(t *testing.T, c *Client) {
			list, err := c.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
			if err != nil {
				t.Fatal(err)
			}
			set := people(1)
			err = NewImport(c, list).Send(t.Context(), set)
			switch {
			case want == "" && (err != nil || set[0].Status != Accepted || set[0].Job != id):
				t.Errorf("%.60q: status %v, job %.60q, error %.200v", id, set[0].Status, set[0].Job, err)
			case want != "" && (set[0].Status != Unknown || set[0].Job != "" ||
				fmt.Sprint(err) != "import 1 profile: HTTP 202: "+want):
				t.Errorf("%.60q: status %v, job %.60q, error %.200v", id, set[0].Status, set[0].Job, err)
			}
		})
	}
}

// TestKeyAsList: the key is neither looked up nor created as a list, and no message shows it.
func TestKeyAsList(t *testing.T) {
	wire(t, Options{RetryFor: time.Second}, spoken(head(500)), func(t *testing.T, c *Client) {
		for _, ref := range []ListRef{{ID: "pk_bubble"}, {Name: "pk_bubble"}, {Name: "my pk_bubble", Create: true}} {
			list, err := c.FindList(t.Context(), ref)
			shown := strings.ReplaceAll(ref.ID+ref.Name, "pk_bubble", "[API key]")
			if want := `look up list "` + shown + `": this holds the API key`; fmt.Sprint(err) != want {
				t.Errorf("error %v, want %s", err, want)
			}
			if id, name, _ := list.State(); strings.Contains(id+name, "pk_bubble") {
				t.Errorf("list %q %q", id, name)
			}
		}
		if n := c.Stats().Sent; n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}
