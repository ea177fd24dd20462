package report

import (
	"fmt"
	"testing"
)

// Codes without end count as one.
func TestReasonsAreBounded(t *testing.T) {
	tally := newTally()
	for row := range int64(2 * maxReasons) {
		tally.add(row+1, Rejected, fmt.Sprintf("code%d", row), "import")
	}
	tally.add(1, Rejected, "code0", "import")
	list := tally.Reasons()
	if first := list[0]; len(list) != maxReasons+1 || first != (Reason{Code: "other", Stage: "import", Rows: maxReasons, FirstRow: maxReasons + 1}) || list[1].Rows != 2 {
		t.Errorf("%d reasons, first %+v, %+v", len(list), first, list[1])
	}
}
