package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/validate"
)

// Selection says which rows Pick passes on.
type Selection struct {
	Statuses []report.Status
	Missing  bool // also rows without a result
}

// Pick copies rows of in to out as they are, those whose last earlier result is selected; results has the runs' results by row
// number. An array's elements become lines.
func Pick(ctx context.Context, selected Selection, results *report.Results, in io.Reader, out io.Writer) error {
	p := &picker{selected: selected, results: results, out: out}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := read(ctx, in, time.Second, func(c *chunk) {
		if err := p.pick(c); err != nil {
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
	case results.Last() > p.rows:
		return leftOver(p.rows, results.Last())
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
		wanted, err := p.wanted()
		if err != nil {
			return fmt.Errorf("read the earlier results: %w", err)
		}
		if wanted && !c.tooLong {
			line = bytes.TrimLeft(line, " \t\r") // an array's elements have blanks before them
		}
		if wanted {
			p.buf = append(p.buf, line...)
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

// wanted reports whether the row just counted is selected.
func (p *picker) wanted() (bool, error) {
	status, _, ok, err := p.results.Of(p.rows)
	if !ok {
		return p.selected.Missing, err
	}
	return slices.Contains(p.selected.Statuses, status), err
}
