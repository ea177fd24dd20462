// Package contract checks requests and answers against Klaviyo's official OpenAPI description. Only tests use it.
// Start reading at Serve, which tests call, and then at Checker.Wrap.
package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
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

func (c *Checker) input(r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	if strings.HasSuffix(r.URL.Path, "/") { // the router would let it pass
		return nil, errors.New("expected a path without a slash at its end")
	}
	router := c.whole
	for name := range r.URL.Query() {
		if strings.HasPrefix(name, "fields[") {
			router = c.sparse
		}
	}
	route, params, err := router.FindRoute(r)
	if err != nil {
		return nil, err
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, SkipSettingDefaults: true, AuthenticationFunc: authenticate,
	}
	options.WithCustomSchemaErrorFunc(func(err *openapi3.SchemaError) string {
		return fmt.Sprintf("/%s: %s", strings.Join(err.JSONPointer(), "/"), err.Reason)
	})
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route, QueryParams: r.URL.Query(), Options: options,
	}, nil
}

func authenticate(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	header := input.RequestValidationInput.Request.Header.Get("Authorization")
	if key, ok := strings.CutPrefix(header, "Klaviyo-API-Key "); !ok || key == "" {
		return errors.New("expected a key in the Authorization header, got none")
	}
	return nil
}

func checkRequest(ctx context.Context, input *openapi3filter.RequestValidationInput, body []byte) error {
	operation := input.Route.Operation
	if encoding := input.Request.Header.Get("Content-Encoding"); encoding != "" {
		return fmt.Errorf("expected no Content-Encoding, got %q", encoding)
	}
	if operation.RequestBody == nil && len(body) > 0 {
		return errors.New("expected no body, got one")
	}
	for _, name := range slices.Sorted(maps.Keys(input.QueryParams)) {
		parameter := operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name)
		switch {
		case parameter == nil:
			return fmt.Errorf("unknown query parameter %s", name)
		case len(input.QueryParams[name]) > 1:
			return fmt.Errorf("query parameter %s: expected one value, got %d", name, len(input.QueryParams[name]))
		}
	}
	if text := input.QueryParams.Get("filter"); text != "" {
		if err := checkFilter(text, operation.Extensions["x-klaviyo-filters"]); err != nil {
			return fmt.Errorf("filter %s: %w", text, err)
		}
	}
	return openapi3filter.ValidateRequest(ctx, input)
}

func checkAnswer(ctx context.Context, input *openapi3filter.RequestValidationInput, kept *recorder) error {
	if input.Route.Operation.Responses.Status(kept.status) == nil {
		return errors.New("the description does not have this status")
	}
	if kept.status == http.StatusNoContent && kept.body.Len() > 0 {
		return errors.New("expected no body with this status, got one")
	}
	header := kept.header
	if kept.status == http.StatusTooManyRequests { // recorded without the media type that the description has
		if kind := header.Values("Content-Type"); len(kind) > 0 {
			return fmt.Errorf("expected no Content-Type with this status, got %q", kind)
		}
		header = header.Clone()
		header.Set("Content-Type", mediaType)
	}
	return openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: kept.status, Header: header,
		Body: io.NopCloser(bytes.NewReader(kept.body.Bytes())), Options: input.Options,
	})
}

// checkStray checks the answer to a request outside the operations: it must be an error in the usual form, or the 410 of
// an API before revisions.
func (c *Checker) checkStray(path string, kept *recorder) error {
	if kept.status < 400 {
		return errors.New("expected an error for a request outside the operations, got success")
	}
	if strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/api/v2/") {
		return checkLegacy(kept)
	}
	if kind := kept.header.Get("Content-Type"); kind != mediaType {
		return fmt.Errorf("expected Content-Type %s, got %q", mediaType, kind)
	}
	value, err := decode(kept.body.Bytes())
	if err != nil {
		return err
	}
	return c.failure.VisitJSON(value)
}

// checkLegacy checks the answer of an API before revisions, as recorded: 410 with a message.
func checkLegacy(kept *recorder) error {
	if kept.status != http.StatusGone {
		return fmt.Errorf("expected status 410, got %d", kept.status)
	}
	value, err := decode(kept.body.Bytes())
	if err != nil {
		return err
	}
	members := object(value)
	if message, ok := members["message"].(string); len(members) != 1 || !ok || message == "" {
		return fmt.Errorf("expected a message alone, got %s", kept.body.Bytes())
	}
	return nil
}
