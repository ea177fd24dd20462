package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// input finds the operation of a request and prepares its validation.
func (c *Checker) input(r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	if strings.HasSuffix(r.URL.Path, "/") { // the router ignores it
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

// authenticate accepts any key.
func authenticate(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	header := input.RequestValidationInput.Request.Header.Get("Authorization")
	if key, ok := strings.CutPrefix(header, "Klaviyo-API-Key "); !ok || key == "" {
		return errors.New("expected a key in the Authorization header, got none")
	}
	return nil
}

// checkRequest checks what the validator does not, such as unknown query parameters and filters, and then validates.
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
	described := input.Route.Operation.Responses.Status(kept.status)
	if described == nil {
		return errors.New("the description does not have this status")
	}
	header := kept.header
	if described.Value.Content == nil && (kept.body.Len() > 0 || header.Get("Content-Type") != "") {
		return errors.New("expected no body and no Content-Type with this status")
	}
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

// checkStray checks the answer to a request outside the operations. It must be an error in the usual form, or the 410
// of an API before revisions.
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
