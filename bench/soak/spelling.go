package main

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
)

// spelling is how the rows of a step are written.
type spelling struct {
	form     string // lines, crlf, array or spread
	mapped   bool   // the email is in a column of another name
	national bool   // some phone numbers are as people in Germany write them
}

// drawSpelling draws a spelling of rows that have emails or phone numbers. It returns the flags that it needs.
func drawSpelling(d *rand.Rand, emails, phones bool) (spelling, []string) {
	s := spelling{form: pick(d, "lines", "lines", "crlf", "array", "spread")}
	var flags []string
	if s.mapped = emails && d.IntN(4) == 0; s.mapped {
		flags = append(flags, "--map", "E-mail=email")
	}
	if s.national = phones && d.IntN(4) == 0; s.national {
		flags = append(flags, "--default-country", "DE")
	}
	return s, flags
}

// spell writes the text of a row in another way.
func (s *spelling) spell(text string, d *rand.Rand) string {
	if s.mapped {
		text = strings.Replace(text, `"email":`, `"E-mail":`, 1)
	}
	if s.national {
		text = strings.Replace(text, `"+4930`, pick(d, `"+4930`, `"030 `, `"(030) `, `"0049 30 `), 1)
	}
	return text
}

// write writes rows as the input of a command. Rows that are no objects can only be lines.
func (s *spelling) write(rows []*row) []byte {
	objects := !slices.ContainsFunc(rows, func(r *row) bool { return r.text[0] != '{' })
	b := text(rows)
	switch {
	case s.form == "crlf":
		return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
	case s.form == "array" && objects:
		b = bytes.ReplaceAll(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"), []byte(","))
		return append(append([]byte("["), b...), ']')
	case s.form == "spread" && objects:
		b = bytes.ReplaceAll(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"), []byte("\n,\n"))
		b = bytes.ReplaceAll(b, []byte(`,"`), []byte(",\n\""))
		return append(append([]byte("[\n"), b...), "\n]\n"...)
	}
	return b
}
