package validate

import (
	"strings"
	"sync"
	"testing"
)

func checker(t testing.TB, o Options) *Checker {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// result is a Row with the texts that its offsets bound.
type result struct {
	Profile, Key string
	Required     Required
	Fault        Fault
	DroppedPhone bool
}

func results(r *Rows) (all []result) {
	for _, row := range r.Rows {
		v := result{
			Profile:  string(r.Data[row.Start:row.End]),
			Key:      string(r.Data[row.KeyStart:row.KeyEnd]),
			Required: row.Required,

			DroppedPhone: row.DroppedPhone,
		}
		if row.Fault != nil {
			v.Fault = *row.Fault
		}
		all = append(all, v)
	}
	return all
}

// check checks one line that ends the input.
func check(t testing.TB, o Options, line string) result {
	t.Helper()
	var scratch Scratch
	var out Rows
	checker(t, o).Check([]byte(line), true, &scratch, &out)
	if len(out.Rows) != 1 {
		t.Fatalf("%q: got %d rows, want one", line, len(out.Rows))
	}
	return results(&out)[0]
}

// Each line that is not blank gives one row, whatever its line ending and whatever the lines around it.
func TestLines(t *testing.T) {
	const a, b = `{"email":"a@b.co"}`, `{"email":"b@b.co"}`
	profile := func(email string) string {
		return `{"type":"profile","attributes":{"email":"` + email + `"}},`
	}
	tests := []struct {
		name, lines string
		data        string
		rows        int
	}{
		{"nothing", "", "", 0},
		{"blank lines", "\n \t\r\n\r\n\n  ", "", 0},
		{"two rows", a + "\n" + b + "\n", profile("a@b.co") + profile("b@b.co"), 2},
		{"no last newline", a + "\n" + b, profile("a@b.co") + profile("b@b.co"), 2},
		{"CRLF and blank lines", "\r\n" + a + "\r\n\n" + b + " \r\n\r\n", profile("a@b.co") + profile("b@b.co"), 2},
		{"byte order marks", "\ufeff" + a + "\n\ufeff\n\ufeff" + b, profile("a@b.co") + profile("b@b.co"), 2},
		{"bad rows between", "x\n" + a + "\n\xff\n" + `{"email":"x"}` + "\n" + b,
			profile("a@b.co") + `"x"` + profile("b@b.co"), 5},
		{"a row rejected in the middle of its profile", `{"email":"c@d.co","title":5}` + "\n" + a,
			`"c@d.co"` + profile("a@b.co"), 2},
	}
	for _, test := range tests {
		var scratch Scratch
		var out Rows
		checker(t, Options{}).Check([]byte(test.lines), true, &scratch, &out)
		if len(out.Rows) != test.rows || string(out.Data) != test.data {
			t.Errorf("%s: got %d rows, %s", test.name, len(out.Rows), out.Data)
		}
	}
}

// Blank finds the lines in which Check finds no row.
func TestBlank(t *testing.T) {
	for _, line := range []string{
		"", "\n", "\r\n", " \t\r\n", "\ufeff", "\ufeff \n", "\ufeff\ufeff", "x", "{}\n", " x\n", "\u00a0\n", "\x00\n",
		"\xff", "\xef\xbb",
	} {
		var scratch Scratch
		var out Rows
		checker(t, Options{}).Check([]byte(line), true, &scratch, &out)
		if got, want := Blank([]byte(line)), len(out.Rows) == 0; got != want {
			t.Errorf("%q: got %t, want %t", line, got, want)
		}
	}
}

// The identity is the same for one address in any case, differs for other persons, and is zero for a row that does not
// say which person it means. A row that is rejected for another column has it.
func TestIdentity(t *testing.T) {
	identity := func(o Options, row string) [2]uint64 {
		var scratch Scratch
		var out Rows
		checker(t, o).Check([]byte(row), true, &scratch, &out)
		return out.Rows[0].Identity
	}
	a := identity(Options{}, `{"email":"AnnZ@B.co","x":1}`)
	if b := identity(Options{}, `{"email":"\u0061nnz@b.CO "}`); a != b || a[0] == 0 || a[0] == a[1] {
		t.Errorf("the same address: %x and %x", a, b)
	}
	if b := identity(Options{}, `{"email":"annz@b.com"}`); a[0] == b[0] || a[1] == b[1] {
		t.Errorf("another address: %x and %x", a, b)
	}
	for _, row := range []string{
		`{"email":"AnnZ@B.co","$":1}`, `{"$":1,"email":"annz@b.co"}`, `{"email":"ANNZ@b.co","first_name":1}`,
	} {
		if b := identity(Options{}, row); a != b {
			t.Errorf("a rejected row, %s: %x and %x", row, a, b)
		}
	}
	for _, row := range []string{
		`{"email":"annz@"}`, `{"email":"","$":1}`, `{"email":1}`, `{"x":1}`, `{"email":"annz@b.co","email":"b@b.co"}`, `[]`,
	} {
		if b := identity(Options{}, row); b != [2]uint64{} {
			t.Errorf("a row without a person, %s: %x", row, b)
		}
	}
	if b := checker(t, Options{}).Identity("aNNZ@b.co"); a != b {
		t.Errorf("the address alone: %x and %x", a, b)
	}
	remove := Options{Operation: Remove}
	a, b := identity(remove, `{"profile_id":"a"}`), identity(remove, `{"profile_id":"A"}`)
	if a[0] == b[0] || a[1] == b[1] || a[0] == 0 {
		t.Errorf("ids that differ in case: %x and %x", a, b)
	}
}

// Many goroutines may use one Checker.
func TestConcurrentUse(t *testing.T) {
	c := checker(t, Options{Map: map[string]string{"mail": "email"}, DefaultCountry: "JP"})
	const row = `{"mail":"a@b.co","phone_number":"03-1234-5678","x":1}`
	const attributes = `"email":"a@b.co","phone_number":"+81312345678","properties":{"x":1}`
	want := result{
		Profile: `{"type":"profile","attributes":{` + attributes + `}}`, Key: `"a@b.co"`, Required: Present,
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			var scratch Scratch
			var out Rows
			for range 20 {
				out.Reset()
				c.Check([]byte(row), false, &scratch, &out)
				if got := results(&out); got[0] != want {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
	group.Wait()
}

// A good row is checked and encoded without an allocation.
func TestAllocations(t *testing.T) {
	escaped := `{"em\u0061il":" A\u0040b.co ","\u00e9":1,"loc\u0061tion":{"city":"x"},"properties":{"a":1}}` + "\n"
	mapped := map[string]string{
		"plan": "properties.a b", "points": "properties.a name longer than any buffer on the stack",
	}
	tests := []struct {
		name  string
		o     Options
		lines string
	}{
		{"plain and escaped", Options{}, string(benchRows(1)) + escaped},
		{"mapped and dropped", Options{Map: mapped, Drop: []string{"vip"}}, string(benchRows(2))},
		{"empty strings and a bad phone number", Options{Empty: Null, BadPhone: Drop},
			`{"email":"a@b.co","title":"","x":"","phone_number":"call me","country":"Germany"}` + "\n" +
				phoneRow("491712345678", "DE") + "\n" + phoneRow("1", "Germany") + "\n" + phoneRow("1", "")},
		{"remove", Options{Operation: Remove}, `{"profile_id":"01GDDKASAP8TKDDA2GRZDSVP4H","x":{"y":[1]}}`},
	}
	consent := tests[0]
	consent.name = "consent"
	consent.lines = `{"email":"a@x.co","phone_number":"090-1234-5678","country":"JP","at":"2024-01-08 06:30:00.5+09"}`
	for _, o := range []Options{
		{Operation: Subscribe, Channels: allChannels, ConsentedAt: "at"},
		{Operation: Unsubscribe, Channels: allChannels, By: "phone_number"},
	} {
		consent.o = o
		tests = append(tests, consent)
	}
	for _, number := range []string{
		`"+819012345678"`, `"tel:+1 (201) 555-0123"`, `"+44 (0)20 7946 0958"`, `"+5491123456789"`, `"+5511961234567"`,
		`"090-1234-5678","country":"jp"`, `"81 90 1234 5678","country":"JP"`, `"010 1 201 555 0123","country":"JP"`,
		`"(201) 555-0123","country":"US"`, `"1 204 234 5678","country":"ca"`,
		`"030 901820","country":"Germany"`, `"030 901820","country":"DEU"`, `"0049 30 901820","country":"France"`,
	} {
		test := tests[0]
		test.name, test.lines = "phone number "+number, `{"email":"a@b.co","phone_number":`+number+"}"
		tests = append(tests, test)
	}
	for _, test := range tests {
		c := checker(t, test.o)
		var scratch Scratch
		var out Rows
		lines := []byte(test.lines)
		allocs := testing.AllocsPerRun(100, func() {
			out.Reset()
			c.Check(lines, false, &scratch, &out)
		})
		for _, row := range out.Rows {
			if row.Fault != nil {
				t.Errorf("%s: %+v", test.name, row.Fault)
			}
		}
		if allocs != 0 || len(out.Rows) != strings.Count(strings.TrimSpace(test.lines), "\n")+1 {
			t.Errorf("%s: %d rows, %v allocations", test.name, len(out.Rows), allocs)
		}
	}
}
