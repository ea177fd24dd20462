package sink

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// apiError is one entry of a JSON:API errors array (klaviyo-api.md §9).
type apiError struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Source struct {
		Pointer string `json:"pointer"`
	} `json:"source"`
}

// maxText bounds each text of an answer that is kept, in bytes: for every row that it is about, and in a line for
// people.
const maxText = 1000

// cut shortens text to maxText.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + "…"
}

// text is the error's sentence for people.
func (e *apiError) text() string {
	if e.Detail == "" {
		return e.Title
	}
	return e.Detail
}

func (e *apiError) String() string {
	if e.Code == "" {
		return e.text()
	}
	return e.text() + " (" + e.Code + ")"
}

// apiErrors returns the errors of an answer's body, cut and without the key. It returns none when the body is not a
// JSON:API error document.
func (c *Client) apiErrors(body []byte) []apiError {
	var doc struct {
		Errors []apiError `json:"errors"`
	}
	if decodeUpTo(maxErrorValues, body, &doc) != nil {
		return nil
	}
	for i := range doc.Errors {
		c.clean(&doc.Errors[i])
	}
	return doc.Errors
}

// clean removes the key from an error's texts and cuts them.
func (c *Client) clean(e *apiError) {
	for _, text := range []*string{&e.Code, &e.Title, &e.Detail, &e.Source.Pointer} {
		*text = cut(c.hide(*text))
	}
}

// explain writes an answer as one line for people.
func explain(status int, errs []apiError) string {
	texts := make([]string, 0, len(errs))
	for i := range errs {
		texts = append(texts, errs[i].String())
	}
	if len(texts) == 0 {
		return fmt.Sprintf("HTTP %d", status)
	}
	return fmt.Sprintf("HTTP %d: %s", status, cut(oneLine(strings.Join(texts, "; "))))
}

// oneLine replaces line ends and other control characters by spaces.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
