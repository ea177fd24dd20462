package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/validate"
)

// Selection says which rows Pick passes on.
type Selection struct {
	Statuses []report.Status
	Missing  bool // also rows without a result
}

// Pick copies the rows of in whose last earlier result is selected to out, as they are. The elements of an array
// become lines.
//
// Rows whose answers are lost, or that a killed run may have sent, are not passed on while it is too early to ask for
// their consent again: nothing is, and the error says until when.
func Pick(ctx context.Context, selected Selection, earlier *Earlier, in io.Reader, out io.Writer) error {
	results, err := earlier.results()
	if err != nil {
		return err
	}
	again := selected.Missing || slices.Contains(selected.Statuses, report.Unsent) // a killed run may have sent them
	if slices.Contains(selected.Statuses, report.Unknown) || again && results.Killed {
		if err := earlier.tooEarlyToPick(); err != nil {
			return err
		}
	}
	p := &picker{selected: selected, results: results, out: out}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	_, ended := read(ctx, in, time.Second, new(pools), func(c *chunk) {
		if ctx.Err() != nil {
			c.drop() // was read before a row was found that belongs to another input
		} else if err := p.pick(c); err != nil {
			stop(err)
		}
	})
	if p.unended && ctx.Err() == nil {
		if err := p.write([]byte{'\n'}); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case ended != nil:
		return ended
	case results.Last > p.rows:
		return leftOver(p.rows, results.Last)
	}
	return nil
}

// picker goes through the chunks of the input.
type picker struct {
	selected Selection
	results  *report.Results
	rows     int64
	passing  bool // the row that goes on in the next chunk is selected
	unended  bool // what was written lacks a newline
	buf      []byte
	out      io.Writer
}

func (p *picker) pick(c *chunk) error {
	defer c.drop()
	p.buf = p.buf[:0]
	text := c.text
	if c.goesOn && p.passing {
		p.buf = append(p.buf, text...)
	}
	for len(text) > 0 && !c.goesOn {
		line := text
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line = text[:end+1]
		}
		text = text[len(line):]
		if !c.tooLong && validate.Blank(line) {
			continue
		}
		p.rows++
		wanted, err := p.wanted(line)
		if err != nil {
			return err
		}
		if wanted {
			p.buf = append(p.buf, bytes.TrimLeft(line, string(rune(gap)))...)
		}
		p.passing = wanted
	}
	return p.write(p.buf)
}

func (p *picker) write(rows []byte) error {
	if len(rows) == 0 {
		return nil
	}
	p.unended = rows[len(rows)-1] != '\n'
	if _, err := p.out.Write(rows); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

// wanted reports whether the row that was counted last is selected.
func (p *picker) wanted(line []byte) (bool, error) {
	e, ok, err := p.results.Of(p.rows)
	switch {
	case err != nil:
		return false, fmt.Errorf("read the earlier results: %w", err)
	case !ok:
		return p.selected.Missing, nil
	case !holds(line, e.Key):
		return false, &Error{
			Text: fmt.Sprintf("pick: row %d names another person than its earlier result: the results belong to another input",
				p.rows),
			Hint: "pass the same rows in the same order: keep them in a file, or add an ORDER BY to the query",
		}
	}
	return slices.Contains(p.selected.Statuses, e.Status), nil
}

// cutKey is where the key of a rejected row is cut, in characters.
const cutKey = 100

// sameNumber reports whether a text may be the phone number of a key in E.164: it may have other prefixes, but the last
// digits are the same in all forms.
func sameNumber(key, text string) bool {
	const last = 4
	digits := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, text)
	return len(key) > last && key[0] == '+' && strings.HasSuffix(digits, key[len(key)-last:])
}

// holds reports whether a result with this key, a JSON string or nothing, may belong to a row: one of the row's own
// members is the key. Which one is not known, because --map gives the identifier's column another name.
func holds(row, key []byte) bool {
	var want, got string
	if len(key) < 2 || json.Unmarshal(key, &want) != nil {
		return true
	}
	start, cut := strings.CutSuffix(want, "…")
	cut = cut || utf8.RuneCountInString(want) == cutKey
	t := json.NewTokenizer(row)
	for t.Next() {
		if t.Depth != 1 || t.IsKey || len(t.Value) == 0 || t.Value[0] != '"' || json.Unmarshal(t.Value, &got) != nil {
			continue
		}
		if got = strings.TrimSpace(got); got == want || cut && strings.HasPrefix(got, start) || sameNumber(want, got) {
			return true
		}
	}
	return t.Err != nil // a row that is not JSON is what it was
}
