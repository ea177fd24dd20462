package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"klaviyo-export/validate"
)

// Rows as lines or as one array get the same results, in whatever pieces the input arrives. A broken row costs one
// row.
func TestInputForms(t *testing.T) {
	const good, alsoGood = `{"email":"a@example.com"}`, `{"email":"b@example.com"}`
	for _, c := range []struct {
		name, in, want string
		exit           int
		problem        string
	}{
		{name: "empty"},
		{name: "blank lines", in: "\n \r\n\t\n"},
		{name: "byte order mark alone", in: "\ufeff"},
		{name: "lines", in: good + "\n" + alsoGood + "\n", want: "1 valid, 2 valid"},
		{name: "no last newline", in: good + "\n" + alsoGood, want: "1 valid, 2 valid"},
		{
			name: "CRLF, blank lines, byte order mark",
			in:   "\ufeff\r\n" + good + "\r\n\r\n  \n" + alsoGood + "\r\n", want: "1 valid, 2 valid",
		},
		{name: "an empty array", in: " [ ] \n"},
		{name: "an array on one line", in: "[" + good + "," + alsoGood + "]", want: "1 valid, 2 valid"},
		{name: "an array as sqlite3 prints it", in: "[" + good + ",\n" + alsoGood + "]\n", want: "1 valid, 2 valid"},
		{
			name: "an indented array",
			in: "\ufeff\n[\r\n  {\r\n    \"email\": \"a@example.com\",\r\n    \"tags\": [\r\n      {\r\n" +
				"        \"x\": [1, 2]\r\n      }\r\n    ]\r\n  },\r\n  " + alsoGood + "\r\n]\r\n",
			want: "1 valid, 2 valid",
		},
		{
			name: "brackets, commas and quotes in strings",
			in:   `[{"email":"a@example.com","x":"]},\"{[\\"},` + alsoGood + `]`, want: "1 valid, 2 valid",
		},
		{
			name: "elements of other types", in: "[" + good + `, 5, "x,y]", null, [1,{"a":2}], ` + alsoGood + "]",
			want: "1 valid, 2 rejected not_an_object, 3 rejected not_an_object, 4 rejected not_an_object, " +
				"5 rejected not_an_object, 6 valid",
			exit: 1,
		},
		{
			name: "a broken string costs one element",
			in:   "[" + good + ",\n" + `{"email":"x"y"},` + "\n" + alsoGood + "]\n",
			want: "1 valid, 2 rejected json_invalid, 3 valid", exit: 1,
		},
		{
			name: "a broken string in an indented array",
			in: "[\n  {\n    \"email\": \"x\"y\",\n    \"n\": [\n      1\n    ]\n  },\n" +
				"  {\n    \"email\": \"b@example.com\"\n  }\n]\n",
			want: "1 rejected json_invalid, 2 valid", exit: 1,
		},
		{
			name: "a broken string in the last element",
			in:   "[\n  {\n    \"email\": \"x\"y\",\n    \"n\": 1\n  }\n]\n", want: "1 rejected json_invalid", exit: 1,
		},
		{
			name: "a newline in a string", in: "[{\"email\":\"a@example.com\",\"x\":\"1\n2\"},\n" + alsoGood + "]",
			want: "1 rejected json_invalid, 2 valid", exit: 1,
		},
		{
			name: "rows behind an array", in: "[" + good + "]\n" + alsoGood + "\n[" + good + "]\n",
			want: "1 valid, 2 valid, 3 valid",
		},
		{
			name: "an array that never ends", in: "[" + good + ",\n" + alsoGood,
			want: "1 valid, 2 valid", exit: 1, problem: "never ends",
		},
		{
			name: "an array cut in a row", in: "[" + good + ",\n" + alsoGood[:9],
			want: "1 valid, 2 rejected json_invalid", exit: 1, problem: "never ends",
		},
		{name: "nothing but the array's bracket", in: " [\n", exit: 1, problem: "never ends"},
		{
			name: "a comma too many", in: "[" + good + "," + alsoGood + ",]",
			want: "1 valid, 2 valid", exit: 1, problem: "no element",
		},
		{
			name: "two commas", in: "[" + good + ",," + alsoGood + "]",
			want: "1 valid, 2 valid", exit: 1, problem: "no element",
		},
		{
			name: "array rows", in: "[\"a@example.com\",1]\n[\"b@example.com\",2]\n",
			want: "1 rejected not_an_object, 2 rejected not_an_object", exit: 1,
		},
		{
			name: "an array of array rows", in: "[[\"a@example.com\",1],\n[\"b@example.com\",2]]\n",
			want: "1 rejected json_invalid, 2 rejected json_invalid", exit: 1,
		},
		{name: "UTF-16", in: "\xff\xfe{\x00}\x00", exit: 2, problem: "UTF-16"},
	} {
		for _, read := range []struct {
			how string
			by  func(io.Reader) io.Reader
		}{
			{"at once", func(r io.Reader) io.Reader { return r }},
			{"byte by byte", iotest.OneByteReader},
			{"with the error", iotest.DataErrReader},
		} {
			t.Run(c.name+"/"+read.how, func(t *testing.T) {
				var out bytes.Buffer
				o := checkOptions(t)
				o.Window = 0
				rep, err := Run(t.Context(), o, read.by(strings.NewReader(c.in)), &out)
				rows, _ := parse(t, out.Bytes())
				if got := brief(rows); got != c.want || rep.ExitCode != c.exit {
					t.Errorf("got %s; exit %d, want %s; exit %d", got, rep.ExitCode, c.want, c.exit)
				}
				if c.problem == "" {
					return
				}
				if err == nil || !strings.Contains(err.Error(), c.problem) ||
					c.exit != 1 && !strings.Contains(rep.Error, c.problem) {
					t.Errorf("error %v, in the report %q: want one with %q", err, rep.Error, c.problem)
				}
			})
		}
	}
}

// Every row has one result, whatever its length and form, and in whatever pieces the input arrives.
func TestEveryRowHasAResult(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var in strings.Builder
		var want []string
		pads := rapid.SampledFrom([]int{0, 10, 4000, 70_000, chunkSize, validate.MaxRow})
		for i := range rapid.IntRange(0, 40).Draw(rt, "rows") {
			pad := strings.Repeat("x", pads.Draw(rt, "pad"))
			row, status := fmt.Sprintf(`{"email":"p%d@example.com"}`, i), "valid"
			if rapid.Bool().Draw(rt, "padded") {
				row = fmt.Sprintf(`{"email":"p%d@example.com","pad":"%s"}`, i, pad)
			}
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				row, status = `{"email":`+pad, "rejected json_invalid"
			case 1:
				row = "\n\r\n" + row + "\r"
			}
			if len(strings.TrimSpace(row)) > validate.MaxRow {
				status = "rejected row_too_long"
			}
			in.WriteString(row + "\n")
			want = append(want, fmt.Sprintf("%d %s", i+1, status))
		}
		checker, err := validate.New(validate.Options{Drop: []string{"pad"}})
		if err != nil {
			rt.Fatal(err)
		}
		o := &Options{Checker: checker, Concurrency: 1, BatchDelay: time.Hour}
		least := 1 + in.Len()/1000
		sizes := rapid.SliceOfN(rapid.IntRange(least, 300_000), 1, 10).Draw(rt, "reads")
		var out bytes.Buffer
		_, err = Run(context.Background(), o, &pieces{in: in.String(), sizes: sizes}, &out)
		if err != nil && strings.HasPrefix(err.Error(), "row ") {
			rt.Fatal(err)
		}
		rows, _ := parse(t, out.Bytes())
		if diff := cmp.Diff(strings.Join(want, ", "), brief(rows)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// pieces is an input of reads of the given sizes, over and over.
type pieces struct {
	in    string
	sizes []int
	n     int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.in == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.sizes[p.n%len(p.sizes)])], p.in)
	p.in, p.n = p.in[n:], p.n+1
	return n, nil
}

// A tiny row does not cost the memory of a large one: a chunk has a bounded number of rows.
func TestChunksAreBoundedInRows(t *testing.T) {
	most, rows := 0, 0
	in := strings.NewReader(strings.Repeat("1\n", 50_000))
	_, err := read(t.Context(), in, time.Hour, new(pools), func(c *chunk) {
		n := bytes.Count(c.text, []byte{'\n'})
		most, rows = max(most, n), rows+n
	})
	if err != nil || most != chunkRows || rows != 50_000 {
		t.Errorf("%v; %d rows in all, %d in one chunk", err, rows, most)
	}
}

// An input that fails is not taken for one that ends: the rows before keep their results, and the run fails.
func TestUnreadableInput(t *testing.T) {
	broken := errors.New("is a directory")
	in := io.MultiReader(strings.NewReader(rowsFrom(0, 2)+`{"email`), iotest.ErrReader(broken))
	var out bytes.Buffer
	rep, err := Run(t.Context(), checkOptions(t), in, &out)
	rows, _ := parse(t, out.Bytes())
	want := "1 valid, 2 valid, 3 rejected json_invalid"
	if got := brief(rows); got != want || rep.ExitCode != 2 || !errors.Is(err, broken) {
		t.Errorf("got %s; exit %d, error %v", got, rep.ExitCode, err)
	}
}

// An empty input is a success and changes nothing at Klaviyo.
func TestNoRows(t *testing.T) {
	o, sim := addOptions(t, nil)
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader("\n"), &out)
	if err != nil || rep.ExitCode != 0 || rep.List.ID != "" || rep.List.Created {
		t.Errorf("error %v, exit %d, list %+v", err, rep.ExitCode, rep.List)
	}
	if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 2}, sim.Requests()); diff != "" {
		t.Error(diff)
	}
}

// An input with rows fails where none are expected; no rows fail only where some are.
func TestExpectedRows(t *testing.T) {
	for _, c := range []struct {
		expected   int64
		rows, exit int
	}{{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {1, 2, 1}} {
		o := checkOptions(t)
		o.ExpectRows = &c.expected
		rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, c.rows)), io.Discard)
		if rep.ExitCode != c.exit || (err != nil) != (c.exit == 1) {
			t.Errorf("%d rows, %d expected: exit %d, %v", c.rows, c.expected, rep.ExitCode, err)
		}
	}
}
