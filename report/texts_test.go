package report

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// A report that is read or written has none of its texts longer than its bound, whatever Klaviyo or a file has there.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("長", 500_000)
	whole := func() *Report {
		return &Report{
			Type: "report", Status: "error", ExitCode: 2, Operation: long, Version: long, BaseURL: long, Error: long,
			List:    &List{ID: long, Name: long, LeftBehind: []string{long}},
			Account: &Account{ID: long, Name: long},
			Reasons: []Reason{{Code: long, Stage: long, FirstKey: long, Detail: long, FirstFile: long}},
			Columns: []Column{{long, long, 1, 0}}, Dropped: map[string]int64{long + "1": 1, long + "2": 2, "x": 4},
			Jobs: Jobs{Open: []string{long}},
		}
	}
	cut := func(most int) string { return long[:3*(most-1)] + "…" }
	want := whole()
	name := cut(300)
	want.Operation, want.Version, want.BaseURL, want.Error = name, name, name, cut(2000)
	*want.List, *want.Account = List{ID: name, Name: name, LeftBehind: []string{name}}, Account{name, name}
	want.Reasons[0] = Reason{Code: name, Stage: name, FirstKey: cut(101), Detail: name, FirstFile: name}
	want.Columns[0], want.Dropped = Column{name, name, 1, 0}, map[string]int64{name: 3, "x": 4}
	want.Jobs.Open[0] = name

	read := whole()
	if err := read.check(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("read: %.2000s", diff)
	}
	line := bytesOf(t, whole())
	got, _, err := ReadStream("s", strings.NewReader(line))
	if err != nil || bytesOf(t, got) != line || len(line) > 22_000 {
		t.Errorf("%v, a line of %d bytes", err, len(line))
	}
	r := whole()
	r.Reasons[0].FirstFile = ""
	if r.SetFile(long); r.Reasons[0].FirstFile != name {
		t.Errorf("a file's name has %d characters", utf8.RuneCountInString(r.Reasons[0].FirstFile))
	}
}

// codesReport returns a report with n codes from one on, which also count as rows.
func codesReport(from, n int, file string) *Report {
	r := &Report{Type: "report", Status: "failed", ExitCode: 1, Rows: Rows{Read: int64(n), Rejected: int64(n)}}
	for i := range n {
		r.Reasons = append(r.Reasons, Reason{
			Code: fmt.Sprintf("c%06d", from+i), Stage: []string{"import", "validate"}[i%2], Rows: 1, FirstRow: int64(i + 1),
			Detail: strings.Repeat("d", 150) + file,
		})
	}
	r.SetFile(file)
	return r
}

// Merged reports have at most 10,000 codes, those that come first by name, in whatever order and grouping they are
// merged. The rows of all other codes count as other, by stage, and no row is lost.
func TestMergeManyReasons(t *testing.T) {
	a, b, c := codesReport(0, 6000, "a"), codesReport(5000, 9000, "b"), codesReport(2000, 9000, "c")
	want := bytesOf(t, Merge(Merge(a, b), c))
	for i, m := range []*Report{
		Merge(a, Merge(b, c)), Merge(Merge(c, a), b), Merge(again(t, bytesOf(t, Merge(b, c))), a), Merge(c, Merge(b, a)),
	} {
		if got := bytesOf(t, m); got != want {
			t.Fatalf("order %d: %s", i, cmp.Diff(want[:2000], got[:2000]))
		}
	}
	// The codes are c000000 to c013999: 4,000 too many, 3,000 of them in b alone and 1,000 in b and c.
	m := Merge(Merge(a, b), c)
	if n := len(m.Reasons); n != maxReasons+2 {
		t.Errorf("got %d reasons", n)
	}
	if m.Reasons[0].Detail, m.Reasons[1].Detail = "", ""; !slices.Equal(m.Reasons[:2], []Reason{
		{Code: "other", Stage: "import", Rows: 2500, FirstRow: 5001, FirstFile: "b"},
		{Code: "other", Stage: "validate", Rows: 2500, FirstRow: 5002, FirstFile: "b"},
	}) {
		t.Errorf("got %+v", m.Reasons[:2])
	}
	sum := int64(0)
	for _, r := range m.Reasons {
		sum += r.Rows
	}
	if sum != 24_000 {
		t.Errorf("the reasons have %d rows, expected 24000", sum)
	}
}

// Stages from elsewhere do not make further reasons once the codes are other, in rows and in reports.
func TestOtherStages(t *testing.T) {
	counted := newTally()
	r := &Report{}
	for i := range 3 * maxReasons {
		stage := fmt.Sprint("stage", i)
		counted.add(1, Rejected, fmt.Sprint("c", i), stage)
		r.Reasons = append(r.Reasons, Reason{Code: "other", Stage: stage, Rows: 1})
	}
	counted.add(2, Rejected, "other", "elsewhere")
	last := slices.IndexFunc(counted.Reasons(), func(r Reason) bool { return r.Code == "other" })
	if n := len(counted.reasons); n != maxReasons+1 || counted.Reasons()[last].Rows != 2*maxReasons+1 {
		t.Errorf("got %d reasons of rows", n)
	}
	counted = newTally()
	long := strings.Repeat("x", 5<<20)
	counted.add(1, Rejected, "other", "elsewhere")
	counted.add(2, Rejected, long+"1", "import")
	counted.add(3, Rejected, long+"2", "import")
	if got := counted.Reasons(); !slices.Equal(got, []Reason{
		{Code: long[:299] + "…", Stage: "import", Rows: 2, FirstRow: 2},
		{Code: "other", Stage: "other", Rows: 1, FirstRow: 1},
	}) {
		t.Errorf("got %.2000v", got)
	}
	want := []Reason{{Code: "other", Stage: "other", Rows: 3 * maxReasons}}
	if got := Merge(r, &Report{}).Reasons; cap(got) > 9 || !slices.Equal(got, want) {
		t.Errorf("got %d reasons of reports", len(got))
	}
}

// The first row of merged reasons has its file, which a merged report keeps when it is read from another one.
func TestSetFile(t *testing.T) {
	of := func(row int64, file string) *Report {
		r := &Report{Reasons: []Reason{{Code: "c", Rows: 1, FirstRow: row}}}
		r.SetFile(file)
		return r
	}
	for _, c := range []struct {
		a, b *Report
		want string
	}{{of(2, "a"), of(1, "b"), "b"}, {of(1, "b"), of(1, "a"), "a"}, {of(1, "a"), of(1, ""), "a"}} {
		for _, m := range []*Report{Merge(c.a, c.b), Merge(c.b, c.a)} {
			m.SetFile("merged")
			if got := m.Reasons[0].FirstFile; got != c.want {
				t.Errorf("got %s, expected %s", got, c.want)
			}
		}
	}
}

// A report that is read has at most 200 columns, dropped columns and lists that were left behind.
func TestManyNames(t *testing.T) {
	r := &Report{Status: "succeeded", List: &List{}, Dropped: map[string]int64{}}
	for i := range 3 * maxColumns {
		name := fmt.Sprintf("c%03d", i)
		r.List.LeftBehind, r.Dropped[name] = append(r.List.LeftBehind, name), 1
	}
	err := r.check()
	lists, columns, others := len(r.List.LeftBehind), len(r.Dropped), r.Dropped["other"]
	if err != nil || lists != 200 || columns != 201 || others != 400 {
		t.Errorf("%v: %d lists, %d dropped columns, %d others", err, lists, columns, others)
	}
}

// Merged reports count at most 200 dropped columns by name, and the others together, in whatever order.
func TestMergeManyDropped(t *testing.T) {
	of := func(from int) *Report {
		r := &Report{Dropped: map[string]int64{"other": 5}}
		for i := range maxColumns {
			r.Dropped[fmt.Sprintf("c%03d", from+i)] = 1
		}
		return r
	}
	a, b, c := of(0), of(100), of(300)
	for _, m := range []*Report{Merge(Merge(a, b), c), Merge(a, Merge(b, c)), Merge(Merge(c, a), b)} {
		names := slices.Sorted(maps.Keys(m.Dropped))
		if n := len(names); n != maxColumns+1 || names[maxColumns-1] != "c199" || m.Dropped["other"] != 3*5+100+200 ||
			m.Dropped["c150"] != 2 {
			t.Errorf("got %d columns, %d others", n, m.Dropped["other"])
		}
	}
}

// The memory for merging reports does not grow with their number. With -long there are 60.
func TestMergeMemory(t *testing.T) {
	files := 12
	if *long {
		files = 60
	}
	var m *Report
	for i := range files {
		line := bytesOf(t, codesReport(i*maxReasons, maxReasons, fmt.Sprint("part-", i)))
		one, _, err := ReadStream("s", io.NewSectionReader(strings.NewReader(line), 0, int64(len(line))))
		if err != nil {
			t.Fatal(err)
		}
		m = Merge(m, one)
	}
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	line := bytesOf(t, m)
	if now.HeapAlloc > 16<<20 || len(line) > 3<<20 || m.Rows.Read != int64(files*maxReasons) {
		t.Errorf("%d rows take %d bytes, and a report of %d bytes", m.Rows.Read, now.HeapAlloc, len(line))
	}
}
