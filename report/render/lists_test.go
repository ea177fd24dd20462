package render

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"klaviyo-export/report"
)

// The text shows the lists with most rows, and sums up the others. The page shows all of them, and the metrics a
// hundred. Names from outside cannot break out of any of the three.
func TestLists(t *testing.T) {
	r := &report.Report{Type: "report", Status: "succeeded", Operation: "add", RowsOfOthers: 7}
	for i := range 200 {
		l := report.ListRows{Rows: int64(1000 - i)}
		l.ID, l.Name, l.Created = fmt.Sprintf("L%03d", i), fmt.Sprintf("News %d", i), i == 1
		r.Lists = append(r.Lists, l)
	}
	r.Lists[0].Name = "<b>\"\n\x1b[31m"
	var text, page, metrics bytes.Buffer
	if err := errors.Join(Text(&text, r), HTML(&page, r), Prometheus(&metrics, r)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"lists       200 and more, 1 created\n", `  <b>"\n\x1b[31m (L000)`, "  News 1 (L001, created)         999\n",
		"  and more lists with 160,297 rows\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in the text:\n%s", want, text.String())
		}
	}
	if n := strings.Count(text.String(), "(L0"); n != textLists {
		t.Errorf("the text has %d lists", n)
	}
	for _, want := range []string{
		"<h2>Lists</h2>", "<bdi>&lt;b&gt;&#34;\\n\\x1b[31m</bdi> (L000)", "<bdi>News 199</bdi> (L199)",
		"and more lists with 7 rows",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("%q is missing in the page", want)
		}
	}
	series := `klaviyo_export_list_rows{list="",operation="add",id="L001",name="News 1"} 999` + "\n"
	if n := strings.Count(metrics.String(), "\nklaviyo_export_list_rows{"); n != promLists ||
		!strings.Contains(metrics.String(), series) {
		t.Errorf("%d series:\n%s", n, metrics.String())
	}
}
