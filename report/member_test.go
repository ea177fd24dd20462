package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mirrorOf writes the results of a mirror: rows as runOf has them, then members ("A removed" is profile A), then a
// report with the counts, unless they are nil, because the run was killed.
func mirrorOf(continues bool, counts *Mirrored, rows []string, members ...string) string {
	lines := strings.SplitAfter(runOf(0, continues, rows...), "\n")
	end := lines[len(lines)-2]
	var out strings.Builder
	out.WriteString(strings.Join(lines[:len(lines)-2], ""))
	w := NewWriter(&out)
	for _, member := range members {
		id, status, _ := strings.Cut(member, " ")
		m := Member{ProfileID: id, Key: []byte(`"` + id + `@example.com"`)}
		if m.Status = MemberRemoving; status != typeRemoving {
			m.Status, _ = parseMemberStatus(status)
		}
		w.Member(&m)
	}
	_ = w.Flush()
	if counts != nil {
		r := mustRead(end)
		r.Members = &Members{Mirrored: counts}
		_ = w.Report(r)
	}
	return out.String()
}

// The line of a member is a contract with the scripts of users: it stays the same byte for byte. It is read back as it
// was written, also in another form.
func TestMemberLine(t *testing.T) {
	for _, c := range []struct {
		member Member
		line   string
	}{
		{Member{Status: MemberRemoved, Key: []byte(`"old@example.com"`), ProfileID: "01H"},
			`{"type":"member","status":"removed","key":"old@example.com","profile_id":"01H"}`},
		{Member{
			Status: MemberUnknown, Key: []byte(`"a\"b@x"`), Code: "answer_lost", Detail: "no \"answer\"\u202e", ProfileID: "01J",
		},
			`{"type":"member","status":"unknown","key":"a\"b@x","code":"answer_lost",` +
				`"detail":"no \"answer\"\u202e","profile_id":"01J"}`},
		{Member{Status: MemberExtra}, `{"type":"member","status":"extra"}`},
		{Member{Status: MemberRemoving}, `{"type":"removing"}`},
	} {
		var out strings.Builder
		w := NewWriter(&out)
		w.Member(&c.member)
		if err := w.Flush(); err != nil || out.String() != c.line+"\n" {
			t.Errorf("got  %s\nwant %s", out.String(), c.line)
		}
		if rows := w.Rows(); rows != (Rows{}) || len(w.Reasons()) != 0 {
			t.Errorf("%s counts as a row: %+v", c.line, rows)
		}
		for _, line := range []string{c.line, strings.ReplaceAll(c.line, `":"`, `" : "`), indent(c.line)} {
			e, err := NewLines(strings.NewReader(line)).Next()
			want := c.member
			if want.Raw = e.Text; err != nil || e.Member == nil || e.Row != 0 {
				t.Fatalf("%s: %+v, %v", line, e, err)
			}
			if diff := cmp.Diff(&want, e.Member); diff != "" {
				t.Errorf("%s: %s", line, diff)
			}
		}
	}
	_, err := NewLines(strings.NewReader(`{"type":"member","status":"applied"}`)).Next()
	const want = `line 1 is not a result: expected the status of a member, got "applied": ` +
		"`{\"type\":\"member\",\"status\":\"applied\"}`"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A report has the counts of what the run did: of --verify, of mirror with all zeros, or of both. They are read back,
// and no negative one is.
func TestMembersInReport(t *testing.T) {
	read := &ReadBackCounts{Verified: 3, New: 1}
	const readText = `"verified":3,"new":1,"unmailable":0,"missing":0,"unverified":0`
	const mirrorText = `"read":7,"matched":5,"added":0,"joined_later":0,"extras":2,"removed":0,"unmatched":0`
	mirror := &Mirrored{Read: 7, Matched: 5, Extras: 2}
	for text, m := range map[string]*Members{
		`"members":{` + readText + `},`:                    {ReadBackCounts: read},
		`"members":{` + mirrorText + `},`:                  {Mirrored: mirror},
		`"members":{` + readText + "," + mirrorText + `},`: {read, mirror},
		``: nil,
	} {
		r := ofOneRun()
		r.Members = m
		line := bytesOf(t, r)
		if !strings.Contains(line, `"resent":0},`+text+`"started_at"`) {
			t.Errorf("got %s, want %s", line, text)
		}
		if diff := cmp.Diff(m, again(t, line).Members); diff != "" {
			t.Error(diff)
		}
	}
	for _, name := range []string{"unverified", "extras"} {
		line := strings.Replace(oneReport, `"started_at"`, fmt.Sprintf(`"members":{"%s":-1},"started_at"`, name), 1)
		const want = "read s: line 1 is not a result: a count is negative or too large"
		if _, _, err := ReadStream("s", strings.NewReader(line)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// The counts of mirrors of several lists add up. Those of a mirror and of the runs that resumed it are those of one
// mirror: nobody is counted twice. What killed runs removed is counted from their lines, as far as they go.
func TestMirrorStreams(t *testing.T) {
	rows := []string{"1 applied", "2 applied"}
	known := []string{"1 resumed", "2 resumed"}
	// The list has 2 members of the rows, 1 more, and the extras A, B and C.
	first := &Mirrored{Read: 6, Matched: 2, Added: 1, JoinedLater: 1, Extras: 3}
	all := &Mirrored{Read: 6, Matched: 2, Added: 1, JoinedLater: 1, Extras: 3, Removed: 3}
	cut := &Mirrored{Read: 6, Matched: 2, Extras: 3, Removed: 1}
	last := &Mirrored{Read: 5, Matched: 2, Extras: 2, Removed: 2, JoinedLater: 1}
	for _, c := range []struct {
		name, text string
		rows       int64
		want       *Mirrored
	}{
		{"one mirror", mirrorOf(false, all, rows, "A removed", "B removed", "C removed"), 2, all},
		{"two lists", mirrorOf(false, all, rows) + mirrorOf(false, first, rows), 4,
			&Mirrored{Read: 12, Matched: 4, Added: 2, JoinedLater: 2, Extras: 6, Removed: 3}},
		{"stopped by a ceiling, then resumed", mirrorOf(false, first, rows, "A extra", "B extra", "C extra") +
			mirrorOf(true, &Mirrored{Read: 6, Matched: 2, Added: 1, Extras: 4, Removed: 4}, known,
				"A removed", "B removed", "C removed", "D removed"), 2,
			&Mirrored{Read: 6, Matched: 2, Added: 1, Extras: 4, Removed: 4}},
		{"interrupted, then resumed", mirrorOf(false, cut, rows, "A removed") +
			mirrorOf(true, last, known, "B removed", "C removed"), 2,
			&Mirrored{Read: 6, Matched: 2, JoinedLater: 1, Extras: 3, Removed: 3}},
		{"killed", mirrorOf(false, nil, rows, "A removed", "B unknown", "C extra"), 2, &Mirrored{Extras: 3, Removed: 1}},
		{"killed while it removes", mirrorOf(false, nil, rows, "A removing", "B removing", "C removing", "A removed"), 2,
			&Mirrored{Extras: 3, Removed: 1}},
		{"killed in a line", mirrorOf(false, nil, rows, "A removed") + `{"type":"member","status":"rem`, 2,
			&Mirrored{Extras: 1, Removed: 1}},
		{"killed before a member", mirrorOf(false, nil, rows), 2, nil},
		{"killed twice", mirrorOf(false, nil, rows, "A extra", "B extra") +
			mirrorOf(true, nil, known, "A removed", "B extra"), 2, &Mirrored{Extras: 2, Removed: 1}},
		{"killed twice, with rows", mirrorOf(false, nil, []string{"1 applied", "2 unsent"}, "A removed") +
			mirrorOf(true, nil, []string{"1 resumed", "2 applied"}, "B removed"), 2, &Mirrored{Extras: 2, Removed: 2}},
		{"killed, then resumed", mirrorOf(false, nil, rows, "A removed", "B unknown") +
			mirrorOf(true, last, known, "B removed", "C removed"), 2,
			&Mirrored{Read: 6, Matched: 2, JoinedLater: 1, Extras: 3, Removed: 3}},
		{"cut, then resumed", mirrorOf(false, nil, rows, "A removed") + `{"type":"member","sta` +
			mirrorOf(true, last, known, "B removed", "C removed"), 2,
			&Mirrored{Read: 6, Matched: 2, JoinedLater: 1, Extras: 3, Removed: 3}},
		{"killed among the rows, then resumed", mirrorOf(false, nil, rows[:1]) +
			mirrorOf(true, last, []string{"1 resumed", "2 applied"}, "B removed", "C removed"), 2, last},
		{"stopped, resumed and killed, resumed", mirrorOf(false, first, rows, "A extra", "B extra", "C extra") +
			mirrorOf(true, nil, known, "A removed") + mirrorOf(true, last, known, "B removed", "C removed"), 2,
			&Mirrored{Read: 6, Matched: 2, JoinedLater: 1, Extras: 3, Removed: 3}},
		{"stopped, then resumed and killed", mirrorOf(false, first, rows, "A extra", "B extra", "C extra") +
			mirrorOf(true, nil, known, "A removed"), 2,
			&Mirrored{Read: 6, Matched: 2, Added: 1, JoinedLater: 1, Extras: 3, Removed: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _, err := ReadStream("s", strings.NewReader(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, r.Members.mirrored()); diff != "" || r.Rows.Read != c.rows {
				t.Errorf("%d rows, want %d\n%s", r.Rows.Read, c.rows, diff)
			}
		})
	}
}

// Extras that killed runs left are counted in bounded memory, and the last line of each counts.
func TestExtrasAreBounded(t *testing.T) {
	var x extras
	for i := range 3 * maxLeft {
		x.add(&Member{Status: MemberExtra, ProfileID: fmt.Sprint(i)})
	}
	for i := range maxLeft {
		x.add(&Member{Status: MemberUnknown, ProfileID: fmt.Sprint(i)})
		x.add(&Member{Status: MemberRemoved, ProfileID: fmt.Sprint(i)})
	}
	x.add(&Member{Status: MemberUnknown, ProfileID: strings.Repeat("x", 1000)})
	x.add(&Member{Status: MemberExtra, ProfileID: strings.Repeat("x", 1000)})
	if x.removed != maxLeft || x.left != 2*maxLeft+1 || len(x.known) != 1 {
		t.Errorf("%d removed, %d left, %d remembered", x.removed, x.left, len(x.known))
	}
}

// The lines of members among the results of several runs are no rows, for all who read them: each row keeps its last
// result, and the members follow in their order.
func TestResultsWithMembers(t *testing.T) {
	text := mirrorOf(false, nil, []string{"1 applied", "2 unsent", "3 rejected bad"}, "A removed", "B extra") +
		`{"type":"member","status":"removed","ke` +
		mirrorOf(true, &Mirrored{}, []string{"1 resumed", "2 applied", "3 resumed"}, "C unknown", "B removed") +
		mirrorOf(true, nil, []string{"4 applied"}, "D extra")
	for _, text := range []string{text, inUTF16(text, littleUTF16)} {
		r, err := OpenResults(strings.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		second, err := r.Again()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []*Results{r, second} {
			var got []string
			for e, err := r.Next(); err != io.EOF; e, err = r.Next() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%d %v", e.Row, e.Status))
			}
			for e, err := r.NextMember(); err != io.EOF; e, err = r.NextMember() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s %v", e.Member.ProfileID, e.Member.Status))
			}
			const want = "1 applied, 2 applied, 3 rejected, 4 applied, A removed, B extra, C unknown, B removed, D extra"
			if got := strings.Join(got, ", "); got != want || r.Last != 4 {
				t.Errorf("last row %d, got %s, want %s", r.Last, got, want)
			}
		}
	}
	var rejects []string
	add := func(r *Reject) error {
		rejects = append(rejects, fmt.Sprint(r.Row, r.Code))
		return nil
	}
	if _, err := Rejects("s", strings.NewReader(text), add); err != nil || strings.Join(rejects, ", ") != "3bad" {
		t.Errorf("rejects %q, %v", rejects, err)
	}
}

// The lines of many members do not count as rows whose numbers start over.
func TestManyMembers(t *testing.T) {
	text := mirrorOf(false, &Mirrored{}, []string{"1 rejected bad"}, slices.Repeat([]string{"A extra"}, maxRuns+1)...)
	if r, _, err := ReadStream("s", strings.NewReader(text)); err != nil || r.Rows.Read != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := OpenResults(strings.NewReader(text), int64(len(text))); err != nil || r.Last != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	rows := 0
	_, err := Rejects("s", strings.NewReader(text), func(*Reject) error { rows++; return nil })
	if err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// Where the output fails in the middle of the members, all rows are known to be written.
func TestWrittenBeforeMembers(t *testing.T) {
	const row = `{"type":"row","row":7,"status":"applied"}` + "\n"
	const member = `{"type":"member","status":"extra"}` + "\n"
	for bytes, want := range map[int]int64{
		len(row) - 1: 0, len(row): 7, len(row + member): 7, len(row+member+member) - 1: 7,
	} {
		out := brokenAfter(bytes)
		w := NewWriter(&out)
		w.Line(&Line{Row: 7, Status: Applied})
		w.Member(&Member{Status: MemberExtra})
		w.Member(&Member{Status: MemberExtra})
		if err := w.Flush(); err == nil || w.Written() != want {
			t.Errorf("%d bytes: written up to row %d, want %d, %v", bytes, w.Written(), want, err)
		}
	}
}
