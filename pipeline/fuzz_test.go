package pipeline

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/validate"
)

// filler marks a stretch of fuzzed input that is longer than a chunk. A few of them are longer than a row may be.
const filler = "\xfc"

// grown replaces at most six fillers by long stretches.
func grown(text string) string {
	text = strings.Replace(text, filler, strings.Repeat("x", 400_000), 3)
	return strings.Replace(text, filler, strings.Repeat(" ", 400_000), 3)
}

// seeds are inputs of every form.
var seeds = []string{
	"", "\ufeff", "\xef", "\ufeff\r\n" + `{"email":"a@b.co"}` + "\r\n\n \t\n" + `{"email":"b@b.co"}`,
	"[]", " [ \n", "[{", "[[1],[2]]\n[3]", "[\n5\n{}", "[ A", "[" + strings.Repeat(" ", 5000) + "5]",
	`[{"email":"a@b.co"},` + "\n" + `{"email":"]},\"{[\\","x":[{"y":1}]}` + "\r\n, 5 ]\nrest\n\n{}",
	`[{"a":"1` + "\n" + `2"},{"b":` + "\n" + `{"c":"x"y"},` + "\n{},\n]", "[{},,{},]x",
	`{"x":"` + filler + filler + filler + `"}` + "\n" + `{"email":"a@b.co"}`,
	"[{},\n" + filler + filler + filler + filler + filler + filler + "]\n1",
	filler + filler + filler + filler + filler + filler + "\n",
	"{}" + filler, "\xff\xfe{\x00", "\x1f\x8b\x08", "P", "PK\x03\x04", "BZh91", "\x28\xb5\x2f\xfd",
	strings.Repeat("\n", 9000) + strings.Repeat("1\n", 5000), "\x00\n\xff\n",
}

// sizesOf returns sizes for the reads of a text: not so small that there are too many reads.
func sizesOf(cuts []byte, text string) (sizes []int) {
	least := 1 + len(text)/2000
	for _, c := range cuts {
		sizes = append(sizes, least+int(c)*int(c))
	}
	return append(sizes, least)
}

// checked is what the checks say about a row.
type checked struct {
	required validate.Required
	fault    validate.Fault
	profile  string
}

// Whatever bytes come in whatever pieces, there are as many rows as a simple splitter counts, and each has a
// result. What the checks say about a row does not depend on the pieces, and chunks stay small.
func FuzzReader(f *testing.F) {
	for i, text := range seeds {
		f.Add([]byte(text), []byte{byte(i)})
		f.Add([]byte(text), []byte{})
	}
	checker, err := validate.New(validate.Options{})
	if err != nil {
		f.Fatal(err)
	}
	framed := func(t *testing.T, text string, sizes []int) (rows []checked, err error) {
		p := new(pools)
		_, err = read(t.Context(), &pieces{in: text, sizes: sizes}, time.Hour, p, func(c *chunk) {
			if len(c.text) > validate.MaxRow+2*chunkSize {
				t.Errorf("a chunk of %d bytes", len(c.text))
			}
			c.check(checker)
			for _, row := range c.rows.Rows {
				r := checked{row.Required, validate.Fault{}, string(c.rows.Data[row.Start:row.End])}
				if row.Fault != nil {
					r.fault = *row.Fault
				}
				rows = append(rows, r)
			}
			c.release()
		})
		return rows, err
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		text := grown(string(data))
		want, certain := split(text)
		whole, err := framed(t, text, []int{1 << 30})
		if certain && len(whole) != len(want) {
			t.Errorf("%.200q: %d rows, a simple splitter finds %d", data, len(whole), len(want))
		}
		parts, failed := framed(t, text, sizesOf(cuts, text))
		if !reflect.DeepEqual(whole, parts) || fmt.Sprint(err) != fmt.Sprint(failed) {
			t.Errorf("%.200q: %d rows, %v; in pieces %d rows, %v", data, len(whole), err, len(parts), failed)
		}
		var out bytes.Buffer
		rep, _ := Run(t.Context(), checkOptions(t), &pieces{in: text, sizes: sizesOf(cuts, text)}, &out)
		rows, _ := parse(t, out.Bytes())
		// With more rows it depends on how they come whether the column was met in time.
		few := len(whole) < sane
		met := slices.ContainsFunc(whole, func(r checked) bool { return r.required == validate.Present })
		unfit := !met && slices.ContainsFunc(whole, func(r checked) bool {
			return r.required == validate.Missing || r.required == validate.WrongType
		})
		switch {
		case !few:
		case unfit && (rep.ExitCode != 2 || len(rows) > 0):
			t.Errorf("%.200q: exit %d, %d rows", data, rep.ExitCode, len(rows))
		case !unfit && len(rows) != len(whole):
			t.Errorf("%.200q: %d rows, %d have results", data, len(whole), len(rows))
		}
	})
}

// split finds the rows of an input in the simplest way. It is not certain of an array that is no JSON.
func split(text string) (rows []string, certain bool) {
	for _, m := range beginnings {
		if m.fault != nil && strings.HasPrefix(text, m.begins) {
			return nil, true
		}
	}
	return splitText(strings.TrimPrefix(text, bom))
}

// splitText goes through lines, and through the arrays that begin a line.
func splitText(text string) (rows []string, certain bool) {
	before := byte(0) // the last byte that is not blank
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		indented := strings.TrimLeft(line, blank)
		if isArray(text[len(line)-len(indented):]) && !strings.ContainsRune(",:[{", rune(before)) {
			elements, behind, ok := splitArray(text[len(line)-len(indented):])
			if !ok {
				return nil, false
			}
			rows, text, before = append(rows, elements...), behind, 0
			continue
		}
		if strings.Trim(strings.TrimPrefix(line, bom), blank) != "" || len(line) > validate.MaxRow+1 {
			rows = append(rows, text[:len(text)-len(rest)])
		}
		if solid := strings.TrimRight(line, blank); solid != "" {
			before = solid[len(solid)-1]
		}
		text = rest
	}
	return rows, true
}

func isArray(text string) bool {
	if !strings.HasPrefix(text, "[") {
		return false
	}
	inside := strings.TrimLeft(text[1:], blank)
	return inside == "" || inside[0] == '{' || inside[0] == ']' || len(text)-len(inside) > farInside
}

// splitArray returns the elements of the array that text begins with, each as a line, and the text behind it.
func splitArray(text string) (rows []string, behind string, certain bool) {
	d := stdjson.NewDecoder(strings.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, "", false
	}
	for d.More() {
		var element stdjson.RawMessage
		if d.Decode(&element) != nil {
			return nil, "", false
		}
		rows = append(rows, strings.ReplaceAll(string(element), "\n", "\r")+"\n")
	}
	if _, err := d.Token(); err != nil {
		return nil, "", false
	}
	return rows, text[d.InputOffset():], true
}

// Whatever the results and the input, pick passes on the rows that the results select, byte for byte.
func FuzzPick(f *testing.F) {
	const results = `{"type":"row","row":1,"status":"rejected","key":"a@b.co"}
{"type":"row","row":2,"status":"applied"}
{"type":"row","row":4,"status":"unsent","key":"b@b.co…"}
{"type":"row","row":1,"status":"unknown"}
{"type":"report","status":"failed"}
`
	for i, text := range seeds {
		f.Add(results, []byte(text), byte(i*37))
		f.Add(`{"type":"row","row":1,"status":"rejected","key":"a`+strings.Repeat("\n", i), []byte(text), byte(i))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, results string, data []byte, which byte) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		file := filepath.Join(dir, "results")
		if err := os.WriteFile(file, []byte(results), 0o600); err != nil {
			t.Fatal(err)
		}
		earlier, err := OpenEarlier(context.Background(), file)
		if err != nil {
			return
		}
		defer earlier.Close()
		selected := Selection{Missing: which&1 != 0}
		for n, status := range []report.Status{
			report.Applied, report.Accepted, report.Skipped, report.Rejected, report.Unknown, report.Unsent, report.Valid,
		} {
			if which>>(n+1)&1 != 0 {
				selected.Statuses = append(selected.Statuses, status)
			}
		}
		text := grown(string(data))
		rows, certain := split(text)
		var out bytes.Buffer
		err = Pick(t.Context(), selected, earlier, &pieces{in: text, sizes: sizesOf([]byte{which}, text)}, &out)
		if !certain {
			return
		}
		got, want := out.String(), wanted(t, earlier, selected, rows)
		got, want = squeezed(got), squeezed(want)
		if err == nil && got != want || !strings.HasPrefix(want, got) {
			t.Errorf("%.300q, %.300q, %v: %v, got %.300q, want %.300q",
				results, data, selected, err, got, want)
		}
	})
}

// wanted returns the rows that the results select.
func wanted(t *testing.T, earlier *Earlier, selected Selection, rows []string) string {
	results, err := earlier.results()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, row := range rows {
		e, there, err := results.Of(int64(i + 1))
		if err != nil {
			t.Fatal(err)
		}
		if there && slices.Contains(selected.Statuses, e.Status) || !there && selected.Missing {
			b.WriteString(row)
			if !strings.HasSuffix(row, "\n") {
				b.WriteString("\n")
			}
		}
	}
	return b.String()
}

// squeezed trims each line: blanks around the elements of an array are not part of them.
func squeezed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Trim(line, blank) + "\n")
	}
	return b.String()
}
