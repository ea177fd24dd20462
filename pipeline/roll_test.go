package pipeline

import "testing"

// A roll knows each person's first valid row, whatever was marked before and after. It finds people whose own slots are
// one, tells people apart who share either hash, and enters nobody beyond its room.
func TestRoll(t *testing.T) {
	r := newRoll(4) // 6 slots, of which 5 are used
	const low, high = 1 << 20, 1 << 63
	ann, bo, cy, di, ed := [2]uint64{low, high}, [2]uint64{low, 3 * high / 2}, [2]uint64{2 * low, high},
		[2]uint64{high, low}, [2]uint64{high + 1, high}
	for i, c := range []struct {
		id    [2]uint64
		valid bool
		want  int64
	}{
		{ann, false, 0}, {ann, true, 0}, {bo, true, 0}, {ann, true, 2}, {ann, false, 0}, {bo, true, 3}, {cy, true, 0},
		{cy, true, 7}, {di, false, 0}, {ed, true, 0}, {[2]uint64{7, high}, true, 0},
	} {
		if got := r.add(c.id, int64(i)+1, c.valid); got != c.want {
			t.Errorf("row %d repeats row %d, want %d", i+1, got, c.want)
		}
		r.see(ann)
		r.keep(bo)
	}
	if r.people != 5 || r.valid != 4 || r.seen != 1 {
		t.Errorf("%d people, %d valid, %d seen; want 5, 4 and 1", r.people, r.valid, r.seen)
	}
	if !r.is(bo, hasValid) || r.is(di, hasValid) || r.is(bo, onList) || !r.lacks(bo) || r.lacks(bo) || r.lacks(ann) {
		t.Error("a mark is not as it was set")
	}
}
