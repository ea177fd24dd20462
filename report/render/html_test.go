package render

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	golden(t, "unchanged.html", pageOf(t, all["unchanged"]))
	if err := HTML(full{}, all["zero"]); err != errFull {
		t.Error(err)
	}
}

// The table of columns says how often rows clear a column, where some do.
func TestClearedColumns(t *testing.T) {
	all := samples()
	const cleared = `<td class="number">958</td><td class="number">12</td></tr>`
	if page := pageOf(t, all["simulated"]); !strings.Contains(page, cleared) || strings.Count(page, ">cleared<") != 1 {
		t.Error("the page does not show the cleared rows once")
	}
	if strings.Contains(pageOf(t, all["hostile"]), ">cleared<") {
		t.Error("a page without cleared rows has a column for them")
	}
}

// Reasons that the page has no room for are counted.
func TestMoreReasons(t *testing.T) {
	r := &report.Report{Rows: report.Rows{Read: 99, Rejected: 90}}
	for i := range pageReasons + 2 {
		r.Reasons = append(r.Reasons, report.Reason{Code: fmt.Sprint("code", i), Rows: 4})
	}
	if page := pageOf(t, r); !strings.Contains(page, ">and 2 more reasons with 8 rows<") {
		t.Error("the page does not say what is left out")
	}
}

// The figures at the top count accepted rows apart from applied ones, and name the statuses of failed rows.
func TestTiles(t *testing.T) {
	for _, c := range []struct {
		name string
		rows report.Rows
		want []fact
	}{
		{"no rows", report.Rows{}, []fact{{"rows", "0"}}},
		{"accepted", report.Rows{Read: 1000, Accepted: 1000}, []fact{{"rows", "1,000"}, {"accepted", "100.0 %"}}},
		{"applied and accepted", report.Rows{Read: 4, Applied: 1, Accepted: 2, Skipped: 1},
			[]fact{{"rows", "4"}, {"applied", "25.0 %"}, {"accepted", "50.0 %"}}},
		{"valid and rejected", report.Rows{Read: 4, Valid: 3, Rejected: 1},
			[]fact{{"rows", "4"}, {"valid", "75.0 %"}, {"rejected", "1"}}},
		{"unchanged", report.Rows{Read: 4, Applied: 1, Skipped: 3},
			[]fact{{"rows", "4"}, {"applied", "25.0 %"}, {"unchanged", "50.0 %"}}},
		{"failed", report.Rows{Read: 9, Applied: 1, Rejected: 1, Unknown: 2, Unsent: 5},
			[]fact{{"rows", "9"}, {"applied", "11.1 %"}, {"rejected, unknown or unsent", "8"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &report.Report{Rows: c.rows}
			if c.name == "unchanged" {
				r.Reasons = []report.Reason{{Code: "unchanged", Rows: 2}, {Code: "duplicate", Rows: 1}}
			}
			if diff := cmp.Diff(c.want, tiles(r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

var safeAttributes = []string{
	"aria-hidden", "aria-label", "charset", "class", "content", "dy", "height", "http-equiv", "id", "lang", "name",
	"role", "rx", "scope", "tabindex", "text-anchor", "width", "x", "x1", "x2", "y", "y1", "y2",
}

// No report gives a page with a script, a link or anything to load. Texts from outside stay texts.
func TestHTMLSafe(t *testing.T) {
	for _, part := range []string{"url(", "@import", "<"} {
		if strings.Contains(pageStyle, part) {
			t.Errorf("the style contains %q", part)
		}
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
			hash := "sha256-" + base64.StdEncoding.EncodeToString(style[:])
			if !strings.Contains(text, strings.ReplaceAll(hash, "+", "&#43;")) {
				t.Errorf("the policy does not allow the style %s", hash)
			}
		})
	}
}
