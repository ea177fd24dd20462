package render

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The pace covers the last ten seconds, with no value in the first one, and keeps few samples.
func TestPace(t *testing.T) {
	var p pace
	begin := time.Now()
	var got []string
	rows := int64(0)
	for i := range 151 { // 5 s at 1,000 rows per second, 5 s at none, 20 s at 100
		switch {
		case i > 50:
			rows += 20
		case i > 0 && i <= 25:
			rows += 200
		}
		rate := p.rate(begin.Add(time.Duration(i)*drawEvery), rows)
		if i%25 == 4 {
			got = append(got, fmt.Sprintf("%.0f", rate))
		}
	}
	want := []string{"-1", "862", "428", "58", "100", "100"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(p.samples); n > 52 {
		t.Errorf("%d samples are kept, expected at most 52", n)
	}
}
