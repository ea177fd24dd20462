package validate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"al.essio.dev/pkg/shellescape"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/validate/phone"
)

// Options say how rows are read.
type Options struct {
	Operation Operation

	// By is the column that names the person: email, phone_number or external_id, for Remove also profile_id. "" is
	// email, for Remove profile_id.
	By string

	// DefaultCountry is the ISO 3166 alpha-2 code, in any case, for phone numbers without a country code. "" is none.
	DefaultCountry string

	// Map gives columns a target: an attribute, a location member (with or without "location."), "properties.NAME",
	// or profile_id for Remove.
	Map map[string]string

	// Drop names columns that are left out.
	Drop []string

	Empty    Empty
	Nulls    Nulls
	BadPhone BadPhone

	// Channels are those whose consent Subscribe sets and Unsubscribe withdraws, at least one.
	Channels Channels

	// ConsentedAt is the column with the time of a historical consent, for Subscribe. "" is none.
	ConsentedAt string

	// ListColumn is the column with the name or the id of each row's list. "" is none: all rows are for one list.
	ListColumn string
}

// Empty says what an empty string is: in a column, or in the location or properties object.
type Empty uint8

const (
	Keep Empty = iota // a value as any other
	Null              // null
)

// Nulls says what a null does in a column that is a custom property, or in the properties object.
type Nulls uint8

const (
	Ignore Nulls = iota // Klaviyo keeps the value that it has
	Clear               // Klaviyo removes the property
)

// BadPhone says what happens to a row with a phone number that is invalid or ambiguous.
type BadPhone uint8

const (
	Reject BadPhone = iota // the row is rejected
	Drop                   // the row is sent without the number
)

// New returns a Checker. Its error names the flags whose values contradict each other or are unknown.
func New(o Options) (*Checker, error) {
	c := &Checker{
		operation: o.Operation, fields: maps.Clone(attributeFields),
		emptyIsNull: o.Empty == Null, clearNulls: o.Nulls == Clear, dropPhones: o.BadPhone == Drop,
		counts: counts{places: map[[2]string]int{}},
	}
	var err error
	if c.key, err = parseBy(o.Operation, o.By); err != nil {
		return nil, err
	}
	if c.key == phoneNumber && c.dropPhones {
		return nil, errors.New("--bad-phone drop and --by phone_number cannot be combined: the number names the person")
	}
	if o.Operation.consents() {
		if err := c.setConsent(o); err != nil {
			return nil, err
		}
	}
	if o.Operation.narrow() {
		maps.DeleteFunc(c.fields, func(_ string, f field) bool { return !c.reads(f.target) })
	}
	if o.Operation == Remove {
		c.fields[c.key.name()] = field{target: c.key}
	}
	c.required = c.key.name()
	if c.country = phone.Region([]byte(o.DefaultCountry)); c.country == "" && o.DefaultCountry != "" {
		return nil, fmt.Errorf("--default-country: expected an ISO 3166 alpha-2 code such as JP or US, got %s",
			quote(o.DefaultCountry))
	}
	if err := c.mapColumns(o.Map); err != nil {
		return nil, err
	}
	if err := c.readTimes(o.ConsentedAt); err != nil {
		return nil, err
	}
	if err := c.readLists(o.ListColumn, o.Drop); err != nil {
		return nil, err
	}
	for _, column := range o.Drop {
		if to, ok := o.Map[column]; ok {
			return nil, fmt.Errorf("%s and %s cannot be combined: a dropped column fills nothing",
				dropFlag(column), mapFlag(column, to))
		}
		_, read := c.fields[column]
		switch {
		case column == c.required, column == c.secondName && c.second != custom, column == c.consentedAt && read:
			return nil, fmt.Errorf("%s: %s needs this column", dropFlag(column), c.operation)
		case c.operation.consents() && !read:
			return nil, fmt.Errorf("%s: %s does not read this column", dropFlag(column), c.operation)
		}
		c.fields[column] = field{target: dropped, met: new(atomic.Bool)}
	}
	return c, nil
}

func dropFlag(column string) string { return "--drop " + shellescape.Quote(column) }

func mapFlag(column, to string) string { return "--map " + shellescape.Quote(column+"="+to) }

// mapColumns adds the mapped columns to the fields.
func (c *Checker) mapColumns(columns map[string]string) error {
	from := map[string]string{} // target → column
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		f, err := c.parseTarget(column, columns[column])
		if err != nil {
			return fmt.Errorf("%s: %w", mapFlag(column, columns[column]), err)
		}
		path := f.target.path()
		if f.target == custom {
			path = "properties." + string(f.property)
			c.renames = true
		}
		if other, ok := from[path]; ok {
			return fmt.Errorf("%s and %s cannot be combined: both fill %s",
				mapFlag(other, columns[other]), mapFlag(column, columns[column]), quote(path))
		}
		from[path] = column
		f.mapped, f.met = true, new(atomic.Bool)
		c.fields[column] = f
	}
	if column, ok := from[c.second.name()]; ok {
		c.secondName = column
	}
	if column, ok := from[c.key.name()]; ok {
		c.required = column
	} else if to, ok := columns[c.required]; ok {
		return fmt.Errorf("%s: %s needs %s, and no other column is mapped to it",
			mapFlag(c.required, to), c.operation, c.required)
	}
	return nil
}

const swapped = "--map is COLUMN=TARGET: did you mean "

// parseNarrow is parseTarget for an operation that reads only the columns that it needs.
func (c *Checker) parseNarrow(column, to string) (field, error) {
	var names []string
	for _, t := range []target{c.key, c.second} {
		if t != custom {
			names = append(names, t.name())
		}
	}
	own := strings.TrimPrefix(to, "location.")
	switch {
	case slices.Contains(names, to), own == country.name() && c.reads(country):
		f := attributeFields[own]
		f.target = max(f.target, c.fields[to].target) // profile_id is no attribute
		return f, nil
	case to != "" && slices.Contains(names, column):
		return field{}, fmt.Errorf("expected %s, got %s; %s%s?", either(names), quote(to), swapped, mapFlag(to, column))
	}
	return field{}, fmt.Errorf("expected %s, got %s; %s reads no other column", either(names), quote(to), c.operation)
}

// parseTarget reads the target of a mapped column.
func (c *Checker) parseTarget(column, to string) (field, error) {
	if c.operation.narrow() {
		return c.parseNarrow(column, to)
	}
	if name, ok := strings.CutPrefix(to, "properties."); ok {
		switch {
		case name == "":
			return field{}, errors.New(`expected a name after "properties."`)
		case name[0] == '$':
			return field{}, errors.New("names that begin with $ are reserved for Klaviyo")
		case !utf8.ValidString(name):
			return field{}, errors.New("the name is not UTF-8")
		}
		return field{property: []byte(name), label: string(json.AppendEscape(nil, name, 0)) + ":"}, nil
	}
	if to == "" {
		return field{}, errors.New("expected a target after =; use properties.NAME for a custom property")
	}
	name, inLocation := strings.CutPrefix(to, "location.")
	f, ok := attributeFields[name]
	switch {
	case ok && f.target.isLocation() || ok && f.target.isAttribute() && !inLocation:
		return f, nil
	case inLocation:
		return field{}, fmt.Errorf("no member of the location is named %s", quote(name))
	case ok:
		return field{}, fmt.Errorf("%s is an object; use %s.NAME", to, to)
	}
	use := "use properties." + to + " for a custom property"
	own, known := attributeFields[column].target, attributeFields[strings.ToLower(to)].target
	switch {
	case own.isAttribute() || own.isLocation():
		use = swapped + mapFlag(to, column) + "?"
	case known.isAttribute() || known.isLocation():
		use = "use " + known.name() + ", or properties." + to + " for a custom property"
	case lookalike(to) != "":
		use = "did you mean " + mapFlag(column, lookalike(to)) + "? (properties." + to + " is a custom property)"
	}
	return field{}, fmt.Errorf("no attribute of Klaviyo is named %s; %s", quote(to), use)
}
