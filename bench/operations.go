package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// operation is a command of klaviyo-export, and how its outcome is checked.
type operation struct {
	name    string
	title   string   // for tables
	args    []string // the command and its own flags; STATE stands for a state file
	column  bool     // rows name their lists, so the command line does not
	changed bool     // one row in a hundred differs from the rows that the state file knows
	extras  bool     // one member in a thousand has no row
	paced   bool     // Klaviyo's quota bounds it: --no-rate-limit is not among its flags

	// want returns what must reach the server of so many rows, and how many lines of each status must be printed.
	want func(rows int64) (counts, map[string]int64)
}

// operations are measured in this order.
var operations = []operation{
	{
		name: "verify", title: "add --verify", args: []string{"add", "--verify"},
		want: func(n int64) (counts, map[string]int64) { return counts{Rows: n}, map[string]int64{"applied": n} },
	},
	{
		name: "state", title: "add --state, unchanged", args: []string{"add", "--state", "STATE"},
		want: func(n int64) (counts, map[string]int64) { return counts{}, map[string]int64{"skipped": n} },
	},
	{
		name: "changes", title: "add --state, 1 % changed", args: []string{"add", "--state", "STATE"}, changed: true,
		want: func(n int64) (counts, map[string]int64) {
			return counts{Rows: n / 100}, map[string]int64{"applied": n / 100, "skipped": n - n/100}
		},
	},
	{
		name: "remove", title: "remove --by email", args: []string{"remove", "--by", "email"},
		want: func(n int64) (counts, map[string]int64) { return counts{Removed: n}, map[string]int64{"applied": n} },
	},
	{
		name: "mirror", title: "mirror", args: []string{"mirror", "--max-removals", "1%"}, extras: true,
		want: func(n int64) (counts, map[string]int64) {
			return counts{Rows: n, Removed: n / 1000}, map[string]int64{"applied": n, "removed": n / 1000}
		},
	},
	{
		name: "members", title: "members", args: []string{"members"}, paced: true,
		want: func(n int64) (counts, map[string]int64) { return counts{}, map[string]int64{"": n} },
	},
	{
		name: "subscribe", title: "subscribe --wait", args: []string{"subscribe", "--channel", "email", "--wait"},
		want: func(n int64) (counts, map[string]int64) { return counts{Subscribed: n}, map[string]int64{"applied": n} },
	},
	{
		name: "unsubscribe", title: "unsubscribe", args: []string{"unsubscribe", "--channel", "email"},
		want: func(n int64) (counts, map[string]int64) {
			return counts{Unsubscribed: n}, map[string]int64{"accepted": n}
		},
	},
	{
		name: "lists", title: "add --list-column", column: true,
		args: []string{"add", "--list-column", "list"},
		want: func(n int64) (counts, map[string]int64) { return counts{Rows: n}, map[string]int64{"accepted": n} },
	},
}

// plainAdd is what the memory of a mirror is compared with.
var plainAdd = operation{
	name: "add", title: "add", args: []string{"add"},
	want: func(n int64) (counts, map[string]int64) { return counts{Rows: n}, map[string]int64{"accepted": n} },
}

// growing returns the operations whose cost is measured against the number of rows.
func growing() []*operation {
	all := []*operation{&plainAdd}
	for i := range operations {
		switch o := &operations[i]; o.name {
		case "state", "changes", "mirror":
			all = append(all, o)
		}
	}
	return all
}

// crowd is files with the rows of people 0 to count-1.
type crowd struct {
	count                int
	rows, changed, extra string // extra is the list's members, as the command members prints them
	bytes                int64
}

// gather writes the rows of so many people to files in dir.
func gather(dir string, count int) (*crowd, error) {
	c := &crowd{count: count}
	for _, f := range []struct {
		name *string
		base string
		more int
		line func(b []byte, n int) []byte
	}{
		{&c.rows, "rows", 0, func(b []byte, n int) []byte { return row(b, n, 0) }},
		{&c.changed, "changed", 0, func(b []byte, n int) []byte { return row(b, n, (100-n%100)/100) }},
		{&c.extra, "members", count / 1000, func(b []byte, n int) []byte {
			return fmt.Appendf(b, `{"email":"%s%0*d%s"}`, emailStart, emailDigits, n, emailEnd)
		}},
	} {
		*f.name = filepath.Join(dir, fmt.Sprintf("%s-%d", f.base, count))
		file, err := os.Create(*f.name)
		if err != nil {
			return nil, err
		}
		out := bufio.NewWriterSize(file, 1<<20)
		var b []byte
		for n := range count + f.more {
			b = append(f.line(b[:0], n), '\n')
			_, _ = out.Write(b) // Flush reports what goes wrong
			if f.name == &c.rows {
				c.bytes += int64(len(b))
			}
		}
		if err := errors.Join(out.Flush(), file.Close()); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// row appends the row of a person. Another version has another value in one column.
func row(b []byte, n, version int) []byte {
	names := [...]string{"Åsa", "Jürgen", "美咲", "Olga", "Maria", "John", "Zoë"}
	return fmt.Appendf(b, `{"email":"%s%0*d%s","first_name":"%s","last_name":"Müller-%d","city":"Osaka",`+
		`"country":"Japan","zip":"%05d","plan":"gold","visits":%d,"last_order":"2026-01-%02d","list":"Bench%d"}`,
		emailStart, emailDigits, n, emailEnd, names[n%len(names)], n%977, n%99991, n%1000+version, n%28+1, n%4+1)
}

// members is how many people are on the list when an operation begins.
func (o *operation) members(rows int) int {
	if o.extras {
		rows += rows / 1000
	}
	return rows
}

// ours is the command line of klaviyo-export.
func (o *operation) ours(klaviyo, state string) []string {
	args := []string{klaviyo}
	for _, arg := range o.args {
		args = append(args, strings.ReplaceAll(arg, "STATE", state))
	}
	args = append(args, "--base-url", "URL", "--quiet")
	if !o.column {
		args = append(args, "--list-id", list)
	}
	if !o.paced {
		args = append(args, "--no-rate-limit")
	}
	return args
}
