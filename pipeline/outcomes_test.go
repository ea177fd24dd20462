package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"klaviyo-export/sink"
)

// While the job of a request is waited for, a row costs at most 40 bytes beside what is longer of its key than a usual address.
func TestWaitingCostsFewBytes(t *testing.T) {
	job := checkJob(t)
	r := newRun(job, nil, func(error) {})
	r.watch = new(sink.Jobs) // jobs are waited for
	var in strings.Builder
	const rows = 10_000
	for i := range rows {
		fmt.Fprintf(&in, `{"email":"somebody.%04d@example.com","first_name":"%s"}`+"\n", i, strings.Repeat("x", 300))
	}
	var batches []*batch
	b := newBatcher(r, func(b *batch) { batches = append(batches, b) })
	if err := read(t.Context(), strings.NewReader(in.String()), job.BatchDelay, func(c *chunk) {
		c.check(job.Checker)
		if err := b.add(c); err != nil {
			t.Fatal(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.cut()
	size, n := 0, 0
	for _, b := range batches {
		for i := range b.profiles {
			b.profiles[i].Status, b.profiles[i].Job = sink.Accepted, "01J"
		}
		o := r.outcomes(t.Context(), b)
		n += len(o.ends)
		size += cap(o.keys) + 4*cap(o.ends) + cap(o.odd)*int(unsafe.Sizeof(odd{})) + cap(o.shared)*int(unsafe.Sizeof(shared{})) + 8*cap(o.numbers) + int(unsafe.Sizeof(*o))
	}
	if n != rows || size > 40*rows {
		t.Errorf("%d rows cost %d bytes, %.1f each", n, size, float64(size)/float64(n))
	}
}
