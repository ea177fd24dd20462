package report

import (
	"strings"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"
)

// maxKey and maxDetail bound the texts of a Reason in characters. A key of a result has at most that many.
const maxKey, maxDetail = 101, 300

// describe sets the key and the detail of the reason to those of its first row.
func (r *Reason) describe(key, detail string) {
	r.FirstKey, r.Detail = shortened(key, maxKey), shortened(detail, maxDetail)
}

// texts returns the key and the detail of a line.
func (l *Line) texts() (key, detail string) {
	if l.Raw == nil {
		return plain(l.Key), l.Detail
	}
	e, _ := parse(l.Raw) // a line that cannot be read has no texts
	return e.texts()
}

func (e *Entry) texts() (key, detail string) { return plain(e.Key), plain(e.Detail) }

// plain returns the text of a JSON string, or "" for anything else.
func plain(value []byte) (text string) {
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return ""
	}
	return text
}

// shortened cuts text to a number of characters and makes it valid UTF-8.
func shortened(text string, most int) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return strings.Clone(text)
	}
	n := 0
	for i := range text {
		if n++; n == most {
			return text[:i] + "…"
		}
	}
	return text
}
