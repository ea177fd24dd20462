package report

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// encodings write text as other programs save it.
var encodings = map[string]func(text string) string{
	"UTF-8":                         func(text string) string { return text },
	"UTF-8 with mark":               func(text string) string { return mark + text },
	"UTF-16 little endian, mark":    func(text string) string { return inUTF16(mark+text, littleUTF16) },
	"UTF-16 big endian, mark":       func(text string) string { return inUTF16(mark+text, bigUTF16) },
	"UTF-16 little endian":          func(text string) string { return inUTF16(text, littleUTF16) },
	"UTF-16 big endian":             func(text string) string { return inUTF16(text, bigUTF16) },
	"UTF-8, mark before every line": func(text string) string { return strings.ReplaceAll(mark+text, "\n", "\n"+mark) },
	"UTF-16, mark before every line": func(text string) string {
		return inUTF16(strings.ReplaceAll(mark+text, "\n", "\n"+mark), bigUTF16)
	},
}

func inUTF16(text string, e encoding) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		low, high := byte(unit), byte(unit>>8)
		if e == bigUTF16 {
			low, high = high, low
		}
		b = append(b, low, high)
	}
	return string(b)
}

// Results that another program saved in UTF-16, with a byte order mark or with CRLF are read as they were written.
func TestEncodings(t *testing.T) {
	killed := `{"type":"row","row":1,"status":"unsent"}` + "\n" +
		`{"type":"row","row":2,"status":"unknown","key":"名前𝄞@b.example","detail":"é"}` + "\n" + `{"type":"row","row":3,"sta`
	for name, encode := range encodings {
		for _, newline := range []string{"\n", "\r\n"} {
			t.Run(fmt.Sprintf("%s, %q", name, newline), func(t *testing.T) {
				// The second run follows right after what the first one wrote of its last line.
				text := encode(strings.ReplaceAll(killed+oneRun+killed+"\n", "\n", newline))
				for _, in := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
					got, notes, err := ReadStream("s", in)
					want := Merge(ofOneRun(), ofKilled(Rows{Read: 2, Unknown: 1, Unsent: 1}))
					wantNotes := []string{
						"s: 2 lines are cut short and not counted, the first is line 3",
						"s: the report on line 5 does not match the row lines before it; the report counts",
						"s: 2 row lines at the end have no report: the run did not finish",
					}
					if err != nil || !cmp.Equal(notes, wantNotes) {
						t.Fatal(err, notes)
					}
					if diff := cmp.Diff(bytesOf(t, want), bytesOf(t, got)); diff != "" {
						t.Error(diff)
					}
				}
				r, err := OpenResults(strings.NewReader(text), int64(len(text)))
				if err != nil {
					t.Fatal(err)
				}
				var rows []string
				for {
					e, err := r.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					rows = append(rows, fmt.Sprintf("%d %v %s %s", e.Row, e.Status, e.Key, e.Text))
				}
				if diff := cmp.Diff([]string{
					`1 unsent  {"type":"row","row":1,"status":"unsent"}`,
					`2 unknown "名前𝄞@b.example" ` +
						`{"type":"row","row":2,"status":"unknown","key":"名前𝄞@b.example","detail":"é"}`,
				}, rows); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// Halves of characters in UTF-16 move no later line, and a stream that ends in one is read to its end.
func TestHalfCharacters(t *testing.T) {
	for _, e := range []encoding{littleUTF16, bigUTF16} {
		line := func(row int) string {
			return inUTF16(fmt.Sprintf(`{"type":"row","row":%d,"status":"applied","key":"X"}`+"\n", row), e)
		}
		half := strings.NewReplacer("X\x00\"", "\x00\xd8\"", "\x00X\x00\"", "\xd8\x00\x00\"")
		for _, end := range []string{"{", inUTF16("𝄞", e)[:2], inUTF16("𝄞", e)[:3]} {
			text := half.Replace(line(1)) + half.Replace(line(2)) + line(1) + line(2) + line(3)[:6] + end
			r, err := OpenResults(strings.NewReader(text), int64(len(text)))
			if err != nil {
				t.Fatal(err)
			}
			one, _, err := r.Of(1)
			two, _, err2 := r.Of(2)
			if err != nil || err2 != nil || string(one.Key) != `"X"` || string(two.Key) != `"X"` || !r.Cut {
				t.Errorf("encoding %d, end %q: keys %s and %s, cut %v, errors %v and %v",
					e, end, one.Key, two.Key, r.Cut, err, err2)
			}
		}
	}
}

// A character of two halves is read whole, however its bytes arrive.
func TestDividedCharacters(t *testing.T) {
	const text = "𝄞 é 👍"
	for _, e := range []encoding{littleUTF16, bigUTF16} {
		got, err := io.ReadAll(newNarrow(iotest.OneByteReader(strings.NewReader(inUTF16(text, e))), e))
		if err != nil || string(got) != text {
			t.Errorf("encoding %d: got %q, %v", e, got, err)
		}
	}
}

// A line among the results that is none is shown, with the command that keeps the results alone.
func TestOtherLines(t *testing.T) {
	const grep = `keep the results alone: grep '^{"type":' RESULTS`
	const cut = `the results begin in the middle of their lines; cut them out: grep -o '{"type":.*' RESULTS`
	for _, c := range []struct{ name, text, want, hint string }{
		{"a message after the results (2>&1)", oneRun + "klaviyo-export: 1 of 2 rows is rejected\n",
			"line 4 is not a result: it is not JSON: `klaviyo-export: 1 of 2 rows is rejected`", grep},
		{"a message before the results", "Defaulted container \"export\" out of: export, proxy\n" + oneRun,
			"line 1 is not a result: it is not JSON: `Defaulted container \"export\" out of: export, proxy`", grep},
		{"an event of --log-format json", `{"time":"2026-11-23T09:30:00Z","level":"INFO","msg":"started"}` + "\n" + oneRun,
			"line 1 is not a result: it has no type: `{level, msg, time}`", grep},
		{"JSON after a result", oneRun + "{}\n", "line 4 is not a result: it has no type: `{}`", grep},
		{"times before the results", "2026-11-23T09:30:00Z " + strings.ReplaceAll(oneRun, "\n", "\n2026-11-23T09:30:00Z "),
			"line 1 is not a result: it is not JSON: " +
				"`2026-11-23T09:30:00Z {\"type\":\"row\",\"row\":1,\"status\":\"accepted\",\"key\":\"…`", cut},
		{"a year before a result", `2026 {"type":"row","row":1,"status":"applied"}` + "\n",
			"line 1 is not a result: it is not JSON: `2026 {\"type\":\"row\",\"row\":1,\"status\":\"applied\"}`", cut},
		{"the rows instead of their results", `{"email":"a@b.example"}` + "\n",
			"line 1 is not a result: it has no type: `{email}`", ""},
		{"the beginning of a row", `{"email":"a@b.exam`,
			"line 1 is not a result: it is not JSON: `{\"email\":\"a@b.exam`", grep},
		{"an API key", "pk_0123456789abcdef0123456789abcdef01\n",
			"line 1 is not a result: it is not JSON: `pk_***`", grep},
		{"a control character", "\x1b[31mfailed\n", `line 1 is not a result: it is not JSON: "\x1b[31mfailed"`, grep},
		{"bytes of another format", "\x1f\x8b\x08\x00`\n",
			`line 1 is not a result: it is not JSON: "\x1f�\b\x00` + "`\"", grep},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := ReadStream("s", strings.NewReader(c.text))
			var other *NoResult
			if !errors.As(err, &other) || err.Error() != "read s: "+c.want || other.Hint != c.hint {
				t.Errorf("got  %v\nhint %#v\nwant read s: %s\nhint %s", err, other, c.want, c.hint)
			}
			_, err = OpenResults(strings.NewReader(c.text), int64(len(c.text)))
			if !errors.As(err, &other) || err.Error() != c.want || other.Hint != c.hint {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// Empty results hold no result. So do blank lines, a byte order mark alone, and what a crash left of a first line.
func TestEmptyResults(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "blank lines": "\n\r\n \n", "a mark": mark, "a mark in UTF-16": "\xff\xfe",
		"the beginning of a line": `{"type":"row","ro`, "a power failure": "\x00\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := ReadStream("s", strings.NewReader(text))
			if err != nil || got.Rows != (Rows{}) || got.Status != "interrupted" {
				t.Errorf("got %+v, %v", got, err)
			}
			r, err := OpenResults(strings.NewReader(text), int64(len(text)))
			if err != nil || r.Last != 0 {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}
