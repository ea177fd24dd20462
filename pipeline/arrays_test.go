package pipeline

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
)

// Arrays of rows are read one after the other, on lines of their own or on one line, and mixed with object lines.
func TestArraysInSequence(t *testing.T) {
	const a, b = `{"email":"a@b.example"}`, `{"email":"c@d.example"}`
	const c, d = `{"email":"e@f.example"}`, `{"email":"g@h.example"}`
	for _, test := range []struct{ name, in, want string }{
		{"an array a line", "[" + a + "]\n[" + b + "," + c + "]\n", "1 valid, 2 valid, 3 valid"},
		{"arrays on one line", "[" + a + "][" + b + "] [" + c + "]", "1 valid, 2 valid, 3 valid"},
		{"an empty array between", "[" + a + "]\n[]\n[\n]\n[" + b + "]", "1 valid, 2 valid"},
		{
			"lines before, between and behind", a + "\n[" + b + "]\n" + c + "\n [" + d + "]\n",
			"1 valid, 2 valid, 3 valid, 4 valid",
		},
		{"a line and an array as one", a + "[" + b + "]\n", "1 rejected json_invalid"},
		{"a message before the array", "Query done.\n[" + a + "]\n", "1 rejected json_invalid, 2 valid"},
		{
			"an array row between arrays", "[" + a + "]\n[1," + b + "]\n[" + c + "]",
			"1 valid, 2 rejected not_an_object, 3 valid",
		},
		{
			"objects inside a value over several lines are no rows", "{\n\"x\": [\n[\n" + a + "\n]\n]\n}\n" + b + "\n",
			"1 rejected json_invalid, 2 rejected json_invalid, 3 rejected json_invalid, 4 valid, 5 rejected json_invalid, " +
				"6 rejected json_invalid, 7 rejected json_invalid, 8 valid",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			crlf := strings.ReplaceAll(test.in, "\n", "\r\n")
			for name, in := range map[string]string{"as it is": test.in, "with CRLF": crlf} {
				var whole, pieces bytes.Buffer
				_, _ = Run(t.Context(), checkOptions(t), strings.NewReader(in), &whole)
				_, _ = Run(t.Context(), checkOptions(t), iotest.OneByteReader(strings.NewReader(in)), &pieces)
				rows, _ := parse(t, whole.Bytes())
				if got := brief(rows); got != test.want {
					t.Errorf("%s: got %s, want %s", name, got, test.want)
				}
				if rows, _ := parse(t, pieces.Bytes()); brief(rows) != test.want {
					t.Errorf("%s, byte by byte: got %s, want %s", name, brief(rows), test.want)
				}
			}
		})
	}
}

// A line break inside a string costs its row. Objects that cannot be told apart behind it are no success: the input is
// at fault, whatever --max-invalid allows.
func TestLineBreakInAString(t *testing.T) {
	const a, b, c = `{"email":"a@b.example"}`, `{"email":"c@d.example"}`, `{"email":"e@f.example"}`
	broken := `{"email":"x@y.example","n":"1` + "\n" + `2"}`
	for _, test := range []struct {
		name, in, want string
		exit           int
	}{
		{
			"on lines of their own", "[" + a + ",\n" + broken + ",\n" + b + "]\n",
			"1 valid, 2 rejected json_invalid, 3 valid", 0,
		},
		{
			"the next array on the next line", "[" + a + ",\n" + broken + "]\n[" + b + ",\n" + c + "]\n",
			"1 valid, 2 rejected json_invalid, 3 valid, 4 valid", 0,
		},
		{
			"more objects on its line", "[" + broken + "," + a + "," + b + "]\n[" + c + "]\n",
			"1 rejected json_invalid, 2 valid, 3 valid, 4 valid", 0,
		},
		{
			"a line that ends as one between values", `[{"email":"x@y.example","n":"1,` + "\n" + `2"},` + a + "]\n[" + c + "]\n",
			"1 rejected json_invalid, 2 valid, 3 valid", 0,
		},
		{
			"objects inside the broken row are no rows",
			"[\n {\n  \"email\":\"x\"y\",\n  \"friends\":[\n   {\n    \"email\":\"in@x.example\"\n   }\n  ]\n },\n" +
				" {\n  \"email\":\"b@x.example\"\n }\n]\n",
			"1 rejected json_invalid, 2 valid", 1,
		},
		{
			"objects inside the broken row on one line are no rows",
			`[` + a + `,{"n":"1:` + "\n" + `2","x":-1.5e3,"friends":[{"email":"in@x.example"},{"y":{}}],"z":null},` + b + "]",
			"1 valid, 2 rejected json_invalid, 3 valid", 0,
		},
		{
			"several line breaks and escaped quotes",
			`[{"n":"\"1\":` + "\n,\n" + `x{\"2\"}:` + "\n\n" + `3"},` + a + `,{"n":[` + "\n" + `"4,` + "\n" + `"]},` + b + "]",
			"1 rejected json_invalid, 2 valid, 3 rejected json_invalid, 4 valid", 0,
		},
		{
			"a backslash before the line break", `[{"n":"C:\` + "\n" + `"},` + a + "]",
			"1 rejected json_invalid, 2 valid", 0,
		},
		{
			"a line break in a string that is no member", `[` + a + `,"1,` + "\n" + `2",` + b + "]",
			"1 valid, 2 rejected json_invalid, 3 valid", 0,
		},
		{
			"a very long rest", `[{"n":"1,` + "\n" + strings.Repeat("x", 3<<20) + `"},` + a + "]",
			"1 rejected json_invalid, 2 valid", 0,
		},
		{
			"a bracket in a string behind a quote too many",
			`[{"email":"x"y",` + "\n" + `"m":"z}","friends":[1,{"email":"in@x.example"}]},` + "\n" + b + "]",
			"1 rejected json_invalid, 2 valid", 1,
		},
		{
			"a quote too many where lines end with blanks", `[{"email":"x"y"}, ` + "\n" + a + ", \n" + b + " \n]\n",
			"1 rejected json_invalid, 2 valid, 3 valid", 0,
		},
		{"a byte order mark before the next array", "[" + a + "]\n\ufeff[" + b + "]\n", "1 valid, 2 valid", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := checkOptions(t)
			o.MaxInvalid = Bound{rows: 9}
			var out bytes.Buffer
			rep, err := Run(t.Context(), o, strings.NewReader(test.in), &out)
			if rows, _ := parse(t, out.Bytes()); brief(rows) != test.want || rep.ExitCode != test.exit {
				t.Errorf("got %s; exit %d, %v", brief(rows), rep.ExitCode, err)
			}
		})
	}
}

// Objects that cannot be told from the rest of a broken row are counted in the error of the input.
func TestUnreadObjectsAreCounted(t *testing.T) {
	const a, b, c = `{"email":"a@b.example"}`, `{"email":"c@d.example"}`, `{"email":"e@f.example"}`
	broken := `{"email":"x"y","n":1,` + "\n" + `"m":2}` // a quote too many
	const unread = "objects of an array that were not read behind a line break inside a string: "
	for _, test := range []struct{ name, in, want, problem string }{
		{
			"up to the end of the input", "[" + a + "," + broken + "," + b + "," + c + "]",
			"1 valid, 2 rejected json_invalid", "an array in the input never ends; " + unread + "2",
		},
		{
			"up to the next array", "[" + broken + "," + b + "]\n[" + c + "]",
			"1 rejected json_invalid, 2 valid", unread + "1",
		},
		{
			"in two arrays", "[" + broken + "," + b + "\n]\n[" + broken + "," + b + "," + c + ",\n" + a + "]\n",
			"1 rejected json_invalid, 2 rejected json_invalid, 3 valid", unread + "3",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := checkOptions(t)
			o.MaxInvalid = Bound{rows: 9}
			var out bytes.Buffer
			rep, err := Run(t.Context(), o, iotest.OneByteReader(strings.NewReader(test.in)), &out)
			if rows, _ := parse(t, out.Bytes()); brief(rows) != test.want || rep.ExitCode != 1 || rep.Error != test.problem {
				t.Errorf("got %s; exit %d, %v", brief(rows), rep.ExitCode, err)
			}
		})
	}
}
