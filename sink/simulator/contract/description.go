package contract

import (
	"fmt"
	"strings"

	"github.com/segmentio/encoding/json"
)

// decode reads JSON into maps and slices.
func decode(text []byte) (value any, err error) {
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	return value, nil
}

// tighten makes the description strict and adds what recorded answers show:
//   - A schema with properties is an object, and one with items an array, whether or not it says so. allOf becomes one
//     schema. Otherwise the validator ignores such schemas.
//   - An object with properties has no other members.
//   - The links next and prev and the subscriptions to WhatsApp may be null, error objects have status, links and meta,
//     lists can be filtered by equals(name,"…"), and send options have ignore_unsubscribes: all these were recorded.
//   - Of the branches of a oneOf several may match.
//   - URLs are http URLs, and the revision header has the form of a date. Any host may be the server.
//
// In a sparse description resource objects may lack any attribute, as in answers to requests with fields[…].
func tighten(text []byte, sparse bool) ([]byte, error) {
	value, err := decode(text)
	if err != nil {
		return nil, err
	}
	doc, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read the API description: expected an object, got %T", value)
	}
	d := description{schemas: at(doc, "components", "schemas"), sparse: sparse}
	delete(doc, "servers")
	d.addRecorded(doc)
	for _, name := range []string{
		"EmailMarketing", "SMSMarketing", "SMSTransactional", "PushMarketing", "Audiences", "EmailMessageDefinition",
	} {
		if sparse { // subscriptions.email.marketing.consent asks for that one alone
			delete(at(d.schemas, name), "required")
		}
	}
	for _, schema := range d.schemas {
		d.schema(schema)
	}
	for _, response := range at(doc, "components", "responses") {
		d.content(response)
	}
	for _, path := range at(doc, "paths") {
		for _, operation := range object(path) {
			d.operation(object(operation))
		}
	}
	return json.Marshal(doc)
}

// description is the decoded description while tighten changes it.
type description struct {
	schemas map[string]any
	sparse  bool
}

// addRecorded adds what was recorded and the description lacks.
func (d description) addRecorded(doc map[string]any) {
	for _, name := range []string{"next", "prev"} {
		at(d.schemas, "CollectionLinks", "properties", name)["nullable"] = true
	}
	for _, name := range []string{"ClientError", "ServerError"} {
		schema := at(doc, "components", "responses", name, "content", mediaType, "schema")
		members := at(schema, "properties", "errors", "items", "properties")
		members["status"] = map[string]any{"type": "integer"}
		members["links"] = map[string]any{"type": "object"}
		members["meta"] = map[string]any{"type": "object"}
	}
	whatsapp := object(clone(d.schemas["WhatsappChannel"]))
	whatsapp["nullable"] = true
	at(d.schemas, "Subscriptions", "properties")["whatsapp"] = whatsapp
	at(d.schemas, "EmailSendOptions", "properties")["ignore_unsubscribes"] = map[string]any{"type": "boolean"}
	at(doc, "paths", "/api/lists", "get", "x-klaviyo-filters", "name", "operators")["single"] = []any{"equals"}
}

func (d description) operation(operation map[string]any) {
	parameters, _ := operation["parameters"].([]any)
	for _, p := range parameters {
		parameter := object(p)
		schema := object(parameter["schema"])
		if parameter["name"] == "revision" {
			schema["pattern"] = `^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$`
		}
		d.schema(schema)
	}
	d.content(operation["requestBody"])
	for _, response := range at(operation, "responses") {
		d.content(response)
	}
}

func (d description) content(holder any) {
	for _, media := range at(object(holder), "content") {
		d.schema(object(media)["schema"])
	}
}

func (d description) schema(value any) {
	s := object(value)
	if s["$ref"] != nil {
		return
	}
	if parts, ok := s["allOf"].([]any); ok {
		delete(s, "allOf")
		for _, part := range parts {
			d.merge(s, object(part))
		}
	}
	if branches, ok := s["oneOf"].([]any); ok { // some of them have the same members
		delete(s, "oneOf")
		s["anyOf"] = branches
		for _, branch := range branches {
			d.schema(branch)
		}
	}
	if items, ok := s["items"]; ok {
		s["type"] = "array"
		d.schema(items)
	}
	if s["format"] == "uri" {
		s["pattern"] = `^https?://[^ ]+$`
	}
	properties, ok := s["properties"].(map[string]any)
	if !ok {
		return
	}
	s["type"], s["additionalProperties"] = "object", false
	for name, property := range properties {
		d.schema(property)
		if d.sparse && name == "attributes" {
			delete(object(property), "required")
		}
	}
}

// merge writes a part of an allOf into s, after following its reference.
func (d description) merge(s, part map[string]any) {
	if ref, ok := part["$ref"].(string); ok {
		part = at(d.schemas, ref[strings.LastIndexByte(ref, '/')+1:])
	}
	for name, value := range part {
		switch name {
		case "properties":
			properties, ok := s[name].(map[string]any)
			if !ok {
				properties = map[string]any{}
				s[name] = properties
			}
			for property, schema := range object(value) {
				into, both := properties[property].(map[string]any)
				if both && into["$ref"] == nil {
					d.merge(into, object(schema))
				} else {
					properties[property] = clone(schema)
				}
			}
		case "required":
			required, _ := s[name].([]any)
			more, _ := value.([]any)
			s[name] = append(required[:len(required):len(required)], more...)
		default:
			s[name] = clone(value)
		}
	}
}

func clone(value any) any {
	switch v := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for name, member := range v {
			copied[name] = clone(member)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, element := range v {
			copied[i] = clone(element)
		}
		return copied
	}
	return value
}

func object(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}

// at returns the object below the names, or nil.
func at(o map[string]any, names ...string) map[string]any {
	for _, name := range names {
		o = object(o[name])
	}
	return o
}
