package sink

import (
	"fmt"
	"strings"
	"testing"
)

// TestKeep: beyond half of the bounds a long reason is cut, beyond the bounds it is left out, and says so. Code and
// column stay, unless there are too many different ones.
func TestKeep(t *testing.T) {
	texts := new(Client).newTexts()
	detail := func(i int) string { return fmt.Sprintf("%06d %s", i, strings.Repeat("x", 1000)) }
	first := texts.keep("invalid", "phone_number", detail(0))
	if first.Detail != detail(0) || texts.keep("invalid", "phone_number", detail(0)) != first {
		t.Errorf("%+v", first)
	}
	whole, cut, left := 1, 0, 0
	for i := 1; i < 50_000; i++ {
		f := texts.keep("invalid", "phone_number", detail(i))
		switch {
		case f.Detail == detail(i):
			whole++
		case f.Detail == detail(i)[:cutShort]+"…"+cutNote:
			cut++
		case f.Detail == leftNote:
			left++
		}
		if f.Code != "invalid" || f.Column != "phone_number" {
			t.Fatalf("%+v", f)
		}
	}
	const each = int64(len("invalid")+len("phone_number")) + perText
	if most := batchTexts / 2 / int(each+1007); whole != most || whole+cut+left != 50_000 || left == 0 || cut < whole {
		t.Errorf("%d whole, %d cut, %d left out", whole, cut, left)
	}
	for i := range 1000 {
		f := texts.keep(fmt.Sprint("code", i), "c", detail(i))
		if known := i < mostBare-1; known != (f.Code == fmt.Sprint("code", i)) || f.Detail != leftNote {
			t.Fatalf("%d: %+v", i, f)
		}
	}
	if texts.free(); texts.run.Load() != 0 {
		t.Errorf("%d bytes are held after free", texts.run.Load())
	}
}

// TestRefusedRoom: a reason for which a run has no room takes none, so that later reasons find what others gave back.
func TestRefusedRoom(t *testing.T) {
	c := new(Client)
	c.texts.Add(runTexts / 2)
	texts := c.newTexts()
	for i := range 100 {
		f := texts.keep("invalid", "email", fmt.Sprintf("%06d %s", i, strings.Repeat("x", 1000)))
		if !strings.HasSuffix(f.Detail, cutNote) {
			t.Fatalf("%+v", f)
		}
	}
	if texts.free(); c.texts.Load() != runTexts/2 {
		t.Errorf("%d bytes are held, want %d", c.texts.Load(), runTexts/2)
	}
}
