package sink

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// apiError is one entry of a JSON:API errors array (klaviyo-api.md §9). All errors of an answer have its request id.
type apiError struct {
	ID     string `json:"id"`
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
func cut(text string) string { return cutTo(maxText, text) }

// cutTo shortens text to so many bytes.
func cutTo(most int, text string) string {
	if len(text) <= most {
		return text
	}
	end := most
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + "…"
}

// text is the error's sentence for people, cut.
func (e *apiError) text() string {
	if e.Detail == "" {
		return e.Title
	}
	return cut(e.Detail)
}

func (e *apiError) String() string {
	if e.Code == "" {
		return e.text()
	}
	return e.text() + " (" + e.Code + ")"
}

// apiErrors returns the errors of an answer's body without the key. Their texts are cut, except Detail: one detail
// may name a thousand profiles. It returns none when the body has no text that Klaviyo is known to send.
func (c *Client) apiErrors(body []byte) []apiError {
	var doc struct {
		Errors []apiError `json:"errors"`
	}
	if decodeUpTo(maxErrorValues, body, &doc) != nil || len(doc.Errors) == 0 {
		return c.message(body)
	}
	for i := range doc.Errors {
		e := &doc.Errors[i]
		detail := c.hide(e.Detail)
		c.clean(e)
		e.Detail = detail
	}
	return doc.Errors
}

// message returns the one text of an answer that is no JSON:API document. Klaviyo's older API and what lies before it
// answer {"message":"…"} (klaviyo-more.md §9) or the like.
func (c *Client) message(body []byte) []apiError {
	var doc struct {
		Message any `json:"message"`
		Detail  any `json:"detail"`
		Error   any `json:"error"`
	}
	if decodeUpTo(maxErrorValues, body, &doc) != nil {
		return nil
	}
	for _, v := range []any{doc.Message, doc.Detail, doc.Error} {
		if text, ok := v.(string); ok && text != "" {
			return []apiError{{Detail: cut(c.hide(text))}}
		}
	}
	return nil
}

// clean removes the key from an error's texts and cuts them.
func (c *Client) clean(e *apiError) {
	for _, text := range []*string{&e.ID, &e.Code, &e.Title, &e.Detail, &e.Source.Pointer} {
		*text = cut(c.hide(*text))
	}
}

// explain writes an answer as one line for people.
func explain(status int, errs []apiError) string {
	var all strings.Builder
	for i := range errs {
		if all.Len() > maxText {
			break
		}
		if i > 0 {
			all.WriteString("; ")
		}
		all.WriteString(errs[i].String())
	}
	if all.Len() == 0 {
		return fmt.Sprintf("HTTP %d", status)
	}
	return fmt.Sprintf("HTTP %d: %s", status, cut(oneLine(all.String())))
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
