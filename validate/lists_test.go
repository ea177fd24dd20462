package validate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// With a list column, each good row knows its list, which is no part of the profile. A row without a readable list is
// rejected.
func TestListColumn(t *testing.T) {
	c := checker(t, Options{ListColumn: "seg"})
	rows := strings.Join([]string{
		`{"email":"a@x.co","seg":"News","city":"Bonn"}`,
		`{"seg":" N\u0065ws","email":"a@x.co","plan":1}`,
		`{"email":"b@x.co","seg":"Ne\u0077s"}`,
		`{"email":"b@x.co"}`,
		`{"email":"b@x.co","seg":null}`,
		`{"email":"b@x.co","seg":" "}`,
		`{"email":"b@x.co","seg":12}`,
		`{"email":"b@x.co","SEG":"News"}`,
		`{"email":"b@","seg":"Never"}`,
		`{"seg":"News"}`,
		`{"email":"b@x.co","\ufeffseg":"News"}`,
	}, "\n")
	var s Scratch
	var out Rows
	c.Check([]byte(rows), true, &s, &out)
	var got []string
	for i, row := range out.Rows {
		text := ""
		if row.Fault == nil {
			text = fmt.Sprintf("%d %q %s", i+1, out.Lists[row.List], out.Data[row.Start:row.End])
		} else {
			text = fmt.Sprintf("%d %s %s %v", i+1, row.Fault.Code, row.Fault.Column, row.Unlisted)
		}
		got = append(got, text)
	}
	want := []string{
		`1 "News" {"type":"profile","attributes":{"email":"a@x.co","location":{"city":"Bonn"}}}`,
		`2 " News" {"type":"profile","attributes":{"email":"a@x.co","properties":{"plan":1}}}`,
		`3 "News" {"type":"profile","attributes":{"email":"b@x.co"}}`,
		`4 list_missing seg true`, `5 list_missing seg false`, `6 list_missing seg false`, `7 type_wrong seg true`,
		`8 list_missing seg true`, `9 email_invalid email false`, `10 email_missing email false`,
		"11 column_name_invalid \ufeffseg true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(out.Lists, []string{"News", " News"}) {
		t.Errorf("lists %q", out.Lists)
	}
	c.Count(&out)
	if columns := fmt.Sprint(c.Columns()); !strings.Contains(columns, "{seg list 3 ") {
		t.Errorf("columns %v", columns)
	}
}

// A person on two lists is no duplicate, also when a list has the person's name. On one list, emails are compared
// without regard to case.
func TestListsTellPeopleApart(t *testing.T) {
	c := checker(t, Options{ListColumn: "seg"})
	ids := map[[2]uint64]int{}
	var s Scratch
	for chunk := range 2 { // the same in another chunk
		var out Rows
		c.Check([]byte(`{"email":"a@x.co","seg":"A"}`+"\n"+`{"email":"A@x.co","seg":"B"}`+"\n"+
			`{"email":"b@x.co","seg":"A"}`+"\n"+`{"email":"a@x.co","seg":"a@x.co"}`+"\n"+
			`{"email":"b@x.co","seg":"b@x.co"}`+"\n"+`{"email":"A@X.CO","seg":"A"}`), true, &s, &out)
		for i, row := range out.Rows {
			if ids[row.Identity]++; row.Identity == ([2]uint64{}) {
				t.Errorf("chunk %d, row %d has no identity", chunk, i+1)
			}
		}
	}
	if len(ids) != 5 {
		t.Errorf("%d people, want 5", len(ids))
	}
}

// Checking rows allocates nothing for their lists, once their names were seen, however many lists there are.
func TestListsAllocateNothing(t *testing.T) {
	c := checker(t, Options{ListColumn: "seg"})
	var rows strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rows, `{"email":"p%d@x.co","seg":"List %d"}`+"\n", i, i%300)
	}
	in := []byte(rows.String())
	var s Scratch
	var out Rows
	if n := testing.AllocsPerRun(10, func() {
		out.Reset()
		c.Check(in, true, &s, &out)
	}); n > 5 { // the texts that describe columns
		t.Errorf("%v allocations for 1,000 rows", n)
	}
	out.Reset()
	for i := range 3 * maxColumns { // names that never come again are forgotten
		c.Check(fmt.Appendf(nil, `{"email":"p@x.co","seg":"Other %d"}`, i), true, &s, &out)
	}
	if len(s.lists) > maxColumns {
		t.Errorf("%d names are remembered", len(s.lists))
	}
}

// A list column that is read as something else is refused, by the names of both flags.
func TestListColumnRefused(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{ListColumn: "email"}, "--list-column email: add reads this column as email"},
		{Options{Operation: Remove, ListColumn: "profile_id"},
			"--list-column profile_id: remove reads this column as profile_id"},
		{Options{ListColumn: "a b", Drop: []string{"a b"}},
			"--list-column 'a b' and --drop 'a b' cannot be combined: a dropped column names no list"},
		{Options{ListColumn: "seg", Map: map[string]string{"seg": "city"}},
			"--list-column seg and --map seg=location.city cannot be combined: the list is no part of the profile"},
		{Options{ListColumn: "seg", Map: map[string]string{"seg": "properties.x"}},
			"--list-column seg and --map seg=properties.x cannot be combined: the list is no part of the profile"},
		{Options{Operation: Subscribe, Channels: SMSMarketing, ListColumn: "phone_number"},
			"--list-column phone_number: subscribe reads this column as phone_number"},
		{Options{Operation: Subscribe, Channels: EmailMarketing, ConsentedAt: "at", ListColumn: "at"},
			"--list-column at: subscribe reads this column as consented_at"},
	} {
		if _, err := New(test.o); err == nil || err.Error() != test.want {
			t.Errorf("%+v: got %v, want %s", test.o, err, test.want)
		}
	}
}
