package sink

import (
	"fmt"
	"strings"
)

// apiError is one entry of a JSON:API errors array (klaviyo-api.md §9). All errors of an answer have its request id.
type apiError struct {
	ID     foreign `json:"id"`
	Code   foreign `json:"code"`
	Title  foreign `json:"title"`
	Detail foreign `json:"detail"`
	Source struct {
		Pointer foreign `json:"pointer"`
	} `json:"source"`
}

// text is the error's sentence for people.
func (e *apiError) text() string {
	if e.Detail == "" {
		return e.Title.String()
	}
	return e.Detail.String()
}

func (e *apiError) String() string {
	if e.Code == "" {
		return e.text()
	}
	return fmt.Sprintf("%s (%s)", e.text(), e.Code)
}

// apiErrors returns the errors of an answer's body without the key. Their texts are those that people see, except
// Detail, which is as Klaviyo sent it: one detail may name a thousand profiles. It returns none when the body has no
// text that Klaviyo is known to send.
func (c *Client) apiErrors(body []byte) []apiError {
	var doc struct {
		Errors []apiError `json:"errors"`
	}
	if decodeUpTo(maxErrorValues, body, &doc) != nil || len(doc.Errors) == 0 {
		return c.message(body)
	}
	for i := range doc.Errors {
		e := &doc.Errors[i]
		detail := c.hidden(e.Detail)
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
			return []apiError{{Detail: foreign(c.text(foreign(text)))}}
		}
	}
	return nil
}

// clean makes an error's texts those that people see.
func (c *Client) clean(e *apiError) {
	for _, text := range []*foreign{&e.ID, &e.Code, &e.Title, &e.Detail, &e.Source.Pointer} {
		*text = foreign(c.text(*text))
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
	return fmt.Sprintf("HTTP %d: %s", status, cut(all.String()))
}
