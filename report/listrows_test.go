package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// A report has the thousand lists with most rows, and says how many rows the others have. Unknown and unsent rows do
// not count.
func TestManyLists(t *testing.T) {
	const lists = MaxLists + 200
	w := NewWriter(new(bytes.Buffer))
	r := &Report{Type: "report", Status: "succeeded", Lists: []ListRows{{List: List{Name: "Soon"}, Rows: 5}}}
	row := int64(0)
	for i := range lists {
		id := fmt.Sprintf("L%04d", i)
		r.Lists = append(r.Lists, ListRows{List: List{ID: id, Name: "List " + id}})
		for _, status := range []Status{Applied, Unknown, Unsent, Rejected}[:1+i%4] {
			row++
			w.Line(&Line{Row: row, Status: status, List: id})
		}
	}
	w.CountLists(r)
	first, second := r.Lists[0], r.Lists[1]
	if len(r.Lists) != MaxLists || first.Name != "Soon" || second.Name != "List L0003" || second.Rows != 2 {
		t.Errorf("%d lists, first %+v, %+v", len(r.Lists), first, second)
	}
	sum := r.RowsOfOthers - 5
	for _, l := range r.Lists {
		sum += l.Rows
	}
	if sum != lists+lists/4 || r.RowsOfOthers != 201 {
		t.Errorf("%d rows in all, %d of others", sum, r.RowsOfOthers)
	}
}

// The lines of a run that was killed tell how many rows each list has. A report that resumed it has the lists' names.
func TestListsOfKilledRun(t *testing.T) {
	const killed = `{"type":"row","row":1,"status":"applied","key":"a","list":"X"}
{"type":"row","row":2,"status":"skipped","key":"b","code":"not_on_list","list":"Y"}
{"type":"row","row":3,"status":"unknown","key":"c","code":"answer_lost","list":"X"}
`
	const resumed = `{"type":"row","row":3,"status":"applied","key":"c","list":"X"}
{"type":"report","status":"succeeded","exit_code":0,"operation":"remove","lists":[{"id":"X","name":"News",` +
		`"created":false,"rows":1}],"rows":{"read":3,"applied":1,"resumed":2}}
`
	for _, c := range []struct{ results, want string }{
		{killed, `X "" 1, Y "" 1`}, {killed + resumed, `X "News" 2, Y "" 1`},
	} {
		r, _, err := ReadStream("results", strings.NewReader(c.results))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range r.Lists {
			got = append(got, fmt.Sprintf("%s %q %d", l.ID, l.Name, l.Rows))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("got %s, want %s", text, c.want)
		}
	}
}
