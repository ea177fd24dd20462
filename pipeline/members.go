package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink"
)

// Fields say what Members prints of each profile beside its identifiers.
type Fields struct {
	attributes []string // by Klaviyo's names, properties and subscriptions included
	properties []string // the custom properties alone that are printed; none: all, where attributes have properties
}

// profileAttributes are those that Fields may name.
var profileAttributes = []string{
	"created", "first_name", "image", "last_event_date", "last_name", "locale", "location", "organization", "properties",
	"subscriptions", "title", "updated",
}

// ParseFields reads names of attributes, and of custom properties as properties.NAME.
func ParseFields(names []string) (f Fields, err error) {
	for _, name := range names {
		if property, ok := strings.CutPrefix(name, "properties."); ok && property != "" {
			f.properties = append(f.properties, property)
			continue
		}
		if !slices.Contains(profileAttributes, name) {
			return f, fmt.Errorf("expected properties.NAME or one of %s, got %q",
				strings.Join(profileAttributes, ", "), name)
		}
		f.attributes = append(f.attributes, name)
	}
	if slices.Contains(f.attributes, "properties") {
		f.properties = nil
	} else if len(f.properties) > 0 {
		f.attributes = append(f.attributes, "properties")
	}
	slices.Sort(f.attributes)
	f.attributes = slices.Compact(f.attributes)
	return f, nil
}

// membersWindow is among how many members the same one is found again: Klaviyo's pages may repeat one when people join
// or leave. It takes 26 MB.
const membersWindow = 1_000_000

// Members prints a row for each member of a list, in any order. printed counts them, and may be read meanwhile. The
// error is the one of Klaviyo or of out: what was printed is not the whole list then.
func Members(
	ctx context.Context, c *sink.Client, list *sink.List, f Fields, out io.Writer, printed *atomic.Int64,
) error {
	seen, seed := newSeen(membersWindow), [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	var lines []byte
	fields := append([]string{"email", "phone_number", "external_id"}, f.attributes...)
	return c.Members(ctx, list, fields, func(members []sink.Member) error {
		lines = lines[:0]
		n := printed.Load()
		for i := range members {
			m := &members[i]
			id := [2]uint64{maphash.String(seed[0], m.ID), maphash.String(seed[1], m.ID)}
			if seen.first(id, n+1) != 0 {
				continue
			}
			n++
			lines = f.append(lines, m)
		}
		if _, err := out.Write(lines); err != nil {
			return fmt.Errorf("write members: %w", err)
		}
		printed.Store(n)
		return nil
	})
}

// append appends a member's row.
func (f *Fields) append(b []byte, m *sink.Member) []byte {
	b = json.AppendEscape(append(b, `{"profile_id":`...), m.ID, 0)
	for _, name := range []string{"email", "phone_number", "external_id"} {
		b = appendRaw(b, name, m.Of(name))
	}
	b = append(b, `,"member_since":"`...)
	b = append(m.Since.AppendFormat(b, time.RFC3339), '"')
	for _, name := range f.attributes {
		if name == "properties" && f.properties != nil {
			b = f.appendProperties(b, m.Of(name))
		} else {
			b = appendRaw(b, name, m.Of(name))
		}
	}
	return append(b, '}', '\n')
}

// appendRaw appends a member of an object whose value is JSON. No value is null.
func appendRaw(b []byte, name string, value json.RawMessage) []byte {
	b = json.AppendEscape(append(b, ','), name, 0)
	b = append(b, ':')
	switch {
	case len(value) == 0:
		return append(b, "null"...)
	case bytes.IndexByte(value, '\n') < 0:
		return append(b, value...)
	}
	var line bytes.Buffer
	_ = json.Compact(&line, value) // it is JSON: the answer was decoded
	return append(b, line.Bytes()...)
}

// appendProperties appends the custom properties that f names.
func (f *Fields) appendProperties(b []byte, all json.RawMessage) []byte {
	var properties map[string]json.RawMessage
	_ = json.Unmarshal(all, &properties) // an object, or null
	b = append(b, `,"properties":{`...)
	start := len(b)
	for _, name := range f.properties {
		if value, ok := properties[name]; ok {
			b = appendRaw(b, name, value)
		}
	}
	if len(b) > start {
		b = slices.Delete(b, start, start+1) // the first comma
	}
	return append(b, '}')
}
