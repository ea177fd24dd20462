package report

import (
	"fmt"
	"testing"
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
