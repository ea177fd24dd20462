package render

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"klaviyo-export/report"
)

func pageOf(t *testing.T, r *report.Report) string {
	t.Helper()
	var b strings.Builder
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The same report always gives the same page.
func TestHTML(t *testing.T) {
	all := samples()
	golden(t, "short.html", pageOf(t, all["short"]))
	golden(t, "hostile.html", pageOf(t, all["hostile"]))
	if err := HTML(full{}, all["zero"]); err != errFull {
		t.Error(err)
	}
}

var safeAttributes = []string{
	"aria-hidden", "aria-label", "charset", "class", "content", "dy", "height", "http-equiv", "id", "lang", "name", "role", "rx",
	"scope", "text-anchor", "width", "x", "x1", "x2", "y", "y1", "y2",
}

// No report gives a page with a script, a link or anything to load. Texts from outside stay texts.
func TestHTMLSafe(t *testing.T) {
	if strings.Contains(pageStyle, "url(") || strings.Contains(pageStyle, "@import") || strings.Contains(pageStyle, "<") {
		t.Error("the style loads something")
	}
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			text := pageOf(t, r)
			page := xml.NewDecoder(strings.NewReader(text))
			page.Strict, page.AutoClose, page.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
			var ids []string
			tags := map[string]int{}
			seen := ""
			for {
				token, err := page.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				switch token := token.(type) {
				case xml.CharData:
					seen += string(token)
				case xml.StartElement:
					tags[token.Name.Local]++
					for _, a := range token.Attr {
						if !slices.Contains(safeAttributes, a.Name.Local) {
							t.Errorf("<%s> has an unexpected attribute %s", token.Name.Local, a.Name.Local)
						}
						if a.Name.Local == "id" {
							ids = append(ids, a.Value)
						}
					}
				}
			}
			for _, tag := range []string{"script", "img", "link", "a", "iframe", "object", "form", "base"} {
				if tags[tag] > 0 {
					t.Errorf("the page contains <%s>", tag)
				}
			}
			if tags["style"] != 1 || tags["main"] != 1 || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
				t.Errorf("%v, ids %q", tags, ids)
			}
			if name == "hostile" && !strings.Contains(seen, visible(hostileText)) {
				t.Errorf("the page does not show the hostile text: %q", seen)
			}
			if strings.ContainsAny(text, "\x00\x1b\u202e\u2066") {
				t.Error("the page contains a control character")
			}
			style := sha256.Sum256([]byte(regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(text)[1]))
			if hash := "sha256-" + base64.StdEncoding.EncodeToString(style[:]); !strings.Contains(text, strings.ReplaceAll(hash, "+", "&#43;")) {
				t.Errorf("the policy does not allow the style %s", hash)
			}
		})
	}
}
