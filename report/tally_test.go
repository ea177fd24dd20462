package report

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The memory for reasons is bounded: codes beyond maxReasons count as one.
func TestReasonsAreBounded(t *testing.T) {
	tally := newTally()
	for row := range int64(2 * maxReasons) {
		tally.add(row+1, Rejected, fmt.Sprintf("code%d", row), "import")
	}
	tally.add(1, Rejected, "code0", "import")
	list := tally.Reasons()
	other := Reason{Code: "other", Stage: "import", Rows: maxReasons, FirstRow: maxReasons + 1}
	if len(list) != maxReasons+1 || list[0] != other || list[1].Rows != 2 {
		t.Errorf("got %d reasons, the first two are %+v and %+v; expected %+v first, then one with 2 rows",
			len(list), list[0], list[1], other)
	}
}

// A reason has the key and the detail of its first row, also when a later run or a line that is passed on has it. The
// texts are bounded.
func TestReasonTexts(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, l := range []Line{
		{Row: 5, Status: Rejected, Code: "a", Key: []byte(`"f\u0069fth"`), Detail: "detail 5"},
		{Row: 6, Status: Rejected, Code: "a", Key: []byte(`"sixth"`), Detail: "detail 6"},
		{Row: 3, Status: Rejected, Code: "a", Key: []byte(`"third"`), Detail: "detail 3"},
		{Row: 4, Status: Rejected, Code: "b"},
		{Row: 7, Status: Rejected, Code: "b", Key: []byte(`"seventh"`), Detail: "detail 7"},
		{Row: 8, Status: Unknown, Code: "c", Raw: []byte(`{"type":"row","row":8,"status":"unknown","key":"eighth",` +
			`"code":"c","detail":"\"8\""}`)},
		{Row: 9, Status: Unknown, Code: "d", Raw: []byte(`not a result`)},
		{
			Row: 10, Status: Rejected, Code: "e", Key: []byte(`"` + strings.Repeat("é", 150) + `"`),
			Detail: strings.Repeat("語", 250) + "\xff" + strings.Repeat("語", 250),
		},
	} {
		w.Line(&l)
	}
	want := []Reason{
		{Code: "a", Rows: 3, FirstRow: 3, FirstKey: "third", Detail: "detail 3"},
		{Code: "b", Rows: 2, FirstRow: 4},
		{Code: "c", Rows: 1, FirstRow: 8, FirstKey: "eighth", Detail: `"8"`},
		{Code: "d", Rows: 1, FirstRow: 9},
		{
			Code: "e", Rows: 1, FirstRow: 10, FirstKey: strings.Repeat("é", 100) + "…",
			Detail: strings.Repeat("語", 250) + "\ufffd" + strings.Repeat("語", 48) + "…",
		},
	}
	if diff := cmp.Diff(want, w.Reasons()); diff != "" {
		t.Error(diff)
	}
}

// Dropped columns count for rows that a resumed run does not send again. Their number is bounded.
func TestDropped(t *testing.T) {
	w := NewWriter(&bytes.Buffer{})
	for status := range Resumed { // all that a line can have
		w.Line(&Line{Row: int64(status) + 1, Status: status, Dropped: []string{"phone_number"}})
	}
	if got := w.Dropped(); !maps.Equal(got, map[string]int64{"phone_number": 5}) {
		t.Errorf("got %v, expected 5 rows: applied, accepted, skipped, rejected and valid", got)
	}
	for i := range 300 {
		w.Line(&Line{Row: int64(i), Status: Applied, Dropped: []string{fmt.Sprint(i)}})
	}
	if got := w.Dropped(); len(got) != maxColumns+1 || got["other"] != 101 {
		t.Errorf("got %d columns with %d rows of others, expected 201 with 101", len(got), got["other"])
	}
}
