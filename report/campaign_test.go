package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sentLine = `{"type":"campaign","id":"01JSALE","status":"sending"}` + "\n"

// The line of a campaign is the same when it is written and read back, and no row is lost before or after it.
func TestCampaignLine(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	w.Line(&Line{Row: 1, Status: Applied})
	if err := w.Campaign("01JSALE"); err != nil {
		t.Fatal(err)
	}
	want := `{"type":"row","row":1,"status":"applied"}` + "\n" + sentLine
	if out.String() != want {
		t.Errorf("got %s, want %s", out.String(), want)
	}
	text := want + `{"type":"row","row":2,"status":"applied"}` + "\n" + `{ "id": "X", "type": "campaign", "status": "x" }`
	results, err := OpenResults(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	var rows []int64
	for {
		e, err := results.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, e.Row)
	}
	var campaigns []string
	for _, e := range results.Campaigns {
		campaigns = append(campaigns, e.Campaign.ID+" "+e.Campaign.Status)
	}
	if got, want := fmt.Sprint(rows, campaigns), "[1 2] [01JSALE sending X x]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A line that is passed on keeps its bytes, and an output that fails is noticed before the line of a campaign counts as
// written.
func TestPassAndFail(t *testing.T) {
	const line = `{"type":"row", "row":1,"status":"applied","extra":[1]}`
	var out bytes.Buffer
	e, err := NewLines(strings.NewReader(line)).Next()
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(&out)
	if err := w.Pass(&e); err != nil || w.Flush() != nil || out.String() != line+"\n" || w.Written() != 1 {
		t.Errorf("%v: got %q, written %d", err, out.String(), w.Written())
	}
	w = NewWriter(failing{})
	if err := w.Pass(&e); err != nil {
		t.Error(err)
	}
	if err := w.Campaign("01JSALE"); err == nil || w.Pass(&e) == nil {
		t.Error("a broken output was not noticed")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A run that was killed after it wrote a campaign's line names the campaign in its report, and one with a report does
// as that says.
func TestCampaignOfAKilledRun(t *testing.T) {
	row := `{"type":"row","row":1,"status":"applied","key":"a@b.example"}` + "\n"
	r, _, err := ReadStream("killed", strings.NewReader(row+sentLine))
	if err != nil {
		t.Fatal(err)
	}
	if want := (&Campaign{ID: "01JSALE", Status: "sending"}); !cmp.Equal(r.Campaign, want) || r.Rows.Applied != 1 {
		t.Errorf("got %+v, %+v", r.Campaign, r.Rows)
	}
	report := strings.Replace(oneReport, `"started_at"`,
		`"campaign":{"id":"01JSALE","status":"Sent","estimated_recipients":5},"started_at"`, 1)
	five := int64(5)
	for _, text := range []string{report, sentLine + report, strings.Replace(oneRun, oneReport, sentLine+report, 1)} {
		r, notes, err := ReadStream("sent", strings.NewReader(text))
		if err != nil || notes != nil {
			t.Fatal(err, notes)
		}
		if want := (&Campaign{"01JSALE", "Sent", &five}); !cmp.Equal(r.Campaign, want) {
			t.Errorf("got %+v, want %+v", r.Campaign, want)
		}
	}
	if _, err := Rejects("sent", strings.NewReader(strings.Replace(oneRun, oneReport, sentLine+report, 1)),
		func(r *Reject) error {
			if r.Row != 2 {
				t.Errorf("row %d is rejected", r.Row)
			}
			return nil
		}); err != nil {
		t.Error(err)
	}
}

// Merged reports keep a campaign that is the same, and say where several differ. Their order makes no difference.
func TestMergeCampaigns(t *testing.T) {
	five, seven := int64(5), int64(7)
	of := func(id, status string, n *int64) *Campaign { return &Campaign{id, status, n} }
	for _, c := range []struct {
		name  string
		given []*Campaign
		want  *Campaign
	}{
		{"none", []*Campaign{nil, nil}, nil},
		{"one", []*Campaign{nil, of("A", "Sent", &five), nil}, of("A", "Sent", &five)},
		{"the same", []*Campaign{of("A", "Sent", &five), of("A", "Sent", &seven)}, of("A", "Sent", &seven)},
		{"another status", []*Campaign{of("A", "Sent", nil), of("A", "Sending", &five)}, of("A", "several", &five)},
		{"another campaign", []*Campaign{of("A", "Sent", &five), of("B", "Sent", &five), of("A", "Sent", &seven)},
			of("several", "Sent", nil)},
	} {
		for first := range c.given {
			var m *Report
			for i := range c.given {
				m = Merge(m, &Report{Campaign: c.given[(first+i)%len(c.given)]})
			}
			if !cmp.Equal(m.Campaign, c.want) {
				t.Errorf("%s from %d: got %+v, want %+v", c.name, first, m.Campaign, c.want)
			}
		}
	}
}
