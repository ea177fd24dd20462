package sink

import (
	"fmt"
	"io"
	"net/http"
)

// Printed is the id in printed requests of what a run would have created.
const Printed = "PRINTED"

// print writes the body of a request to Options.Print, as a line, in place of sending it. Its answer is that of a
// request that Klaviyo accepts.
func (c *Client) print(r *request) (*answer, error) {
	c.printing.Lock()
	defer c.printing.Unlock()
	if _, err := io.Copy(c.options.Print, newBody(r.prefix, r.suffix+"\n", r.set)); err != nil {
		return nil, &Error{Kind: Setup, err: fmt.Errorf("print a request: %w", err)}
	}
	a := &answer{status: http.StatusAccepted, header: http.Header{}, body: []byte(`{"data":{"id":"` + Printed + `"}}`)}
	if r.method == http.MethodDelete {
		a.status, a.body = http.StatusNoContent, nil
	}
	if r.accept == nil {
		return a, nil
	}
	return a, r.accept(a)
}
