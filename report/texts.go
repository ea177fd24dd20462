package report

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// The greatest lengths of the texts in a report, in characters. A key of a result has at most maxKey.
const (
	maxKey    = 101
	maxName   = 300 // names, codes, ids
	maxDetail = 300
	maxError  = 2000
)

// shorten cuts all texts that come from outside: from Klaviyo, from the input and from files.
func (r *Report) shorten() {
	cut := func(most int, texts ...*string) {
		for _, text := range texts {
			*text = shortened(*text, most)
		}
	}
	cut(maxName, &r.Operation, &r.BaseURL, &r.Version)
	cut(maxError, &r.Error)
	if l := r.List; l != nil {
		cut(maxName, &l.ID, &l.Name)
		l.LeftBehind = shortenedAll(l.LeftBehind)
	}
	for i := range r.Lists {
		l := &r.Lists[i]
		cut(maxName, &l.ID, &l.Name)
		l.LeftBehind = shortenedAll(l.LeftBehind)
	}
	if a := r.Account; a != nil {
		cut(maxName, &a.ID, &a.Name)
	}
	if c := r.Consent; c != nil {
		cut(maxName, &c.Source, &c.Began)
	}
	if c := r.Campaign; c != nil {
		cut(maxName, &c.ID, &c.Status)
	}
	for i := range r.Reasons {
		one := &r.Reasons[i]
		cut(maxName, &one.Code, &one.Stage, &one.FirstFile)
		cut(maxKey, &one.FirstKey)
		cut(maxDetail, &one.Detail)
	}
	for i := range r.Columns {
		cut(maxName, &r.Columns[i].Column, &r.Columns[i].As)
	}
	r.Jobs.Open = shortenedAll(r.Jobs.Open)
	for _, column := range slices.Sorted(maps.Keys(r.Dropped)) {
		if short := shortened(column, maxName); short != column {
			r.Dropped[short] += r.Dropped[column]
			delete(r.Dropped, column)
		}
	}
}

// shortenedAll cuts names.
func shortenedAll(names []string) []string {
	for i, name := range names {
		names[i] = shortened(name, maxName)
	}
	return names
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
