// Package contract checks requests and answers against Klaviyo's official OpenAPI description. Only tests use it.
// Start reading at Serve, which tests call, and then at Checker.Wrap.
package contract

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// Find returns the path of the description, and whether the file exists. The path is ../shared/klaviyo-openapi.json
// from the folder with go.mod. Tests skip without it.
func Find() (path string, ok bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
	path = filepath.Join(dir, "../shared/klaviyo-openapi.json")
	_, err = os.Stat(path)
	return path, err == nil
}

// Checker finds what in a request or answer breaks the description. Several goroutines may use it at once.
type Checker struct {
	whole, sparse routers.Router // sparse is for requests with fields[…]: their answers may lack attributes
	failure       *openapi3.Schema
}

// Breach is one request or answer that breaks the description.
type Breach struct {
	method, path string
	Status       int  // of the answer
	Answer       bool // the answer is at fault, not the request
	err          error
}

func (b *Breach) Error() string {
	side := "request"
	if b.Answer {
		side = "answer"
	}
	return fmt.Sprintf("%s %s %d: %s: %v", b.method, b.path, b.Status, side, b.err)
}

// Load reads the description and makes it strict, as tighten says. It takes part of a second: load it once for all
// tests.
func Load(path string) (*Checker, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load the API description: %w", err)
	}
	var c Checker
	if c.whole, err = newRouter(text, false); err == nil {
		c.sparse, err = newRouter(text, true)
	}
	if err != nil {
		return nil, fmt.Errorf("load the API description %s: %w", path, err)
	}
	route, err := c.route(http.MethodGet, "/api/accounts", false)
	if err != nil {
		return nil, err
	}
	c.failure = route.Operation.Responses.Status(400).Value.Content.Get(mediaType).Schema.Value
	return &c, nil
}

const mediaType = "application/vnd.api+json"

func newRouter(text []byte, sparse bool) (routers.Router, error) {
	strict, err := tighten(text, sparse)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(strict)
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
}

func (c *Checker) route(method, path string, sparse bool) (*routers.Route, error) {
	r, err := http.NewRequest(method, "http://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	router := c.whole
	if sparse {
		router = c.sparse
	}
	route, _, err := router.FindRoute(r)
	return route, err
}

// Wrap checks every request below /api/ on its way to next, and every answer on its way back. It calls violation with
// a *Breach for each that breaks the description, before the client gets the answer, and changes neither. It checks
// the answer to a wrong request too, and ignores a request that is cut off. Several goroutines may call violation at
// once.
func (c *Checker) Wrap(next http.Handler, violation func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has gone, perhaps killed
		}
		ctx, path := r.Context(), r.URL.EscapedPath()
		r.Body = io.NopCloser(bytes.NewReader(body))
		kept := &recorder{header: w.Header(), status: http.StatusOK}
		next.ServeHTTP(kept, r)

		report := func(answer bool, err error) {
			if err != nil {
				violation(&Breach{r.Method, path, kept.status, answer, err})
			}
		}
		checked := r.Clone(ctx)
		input, err := c.input(checked)
		if err != nil {
			report(false, err)
			report(true, c.checkStray(path, kept))
		} else {
			checked.Body = io.NopCloser(bytes.NewReader(body))
			report(false, checkRequest(ctx, input, body))
			report(true, checkAnswer(ctx, input, kept))
		}
		w.WriteHeader(kept.status)
		_, _ = w.Write(kept.body.Bytes()) // the client may have gone
	})
}

// recorder holds an answer back.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
