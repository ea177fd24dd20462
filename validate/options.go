package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"github.com/segmentio/encoding/json"
)

// Options say how rows are read.
type Options struct {
	Operation Operation

	// DefaultCountry is the ISO 3166 alpha-2 code, in any case, for phone numbers without a country code. "" is none.
	DefaultCountry string

	// Map gives columns a target: an attribute, a location member (with or without "location."), "properties.NAME",
	// or profile_id for Remove.
	Map map[string]string

	// Drop names columns that are left out.
	Drop []string
}

// New returns a Checker, or an error for people when the options contradict each other or name something unknown.
func New(o Options) (*Checker, error) {
	c := &Checker{operation: o.Operation, key: email, fields: maps.Clone(attributeFields)}
	if o.Operation == Remove {
		c.key = profileID
		c.fields = map[string]field{profileID.name(): {target: profileID}}
	}
	c.required = c.key.name()
	if c.country = strings.ToUpper(o.DefaultCountry); c.country != "" && !phonenumbers.GetSupportedRegions()[c.country] {
		return nil, fmt.Errorf("default country %s: no ISO 3166 alpha-2 code of a country with phone numbers, such as JP or US", quoteString(o.DefaultCountry))
	}
	if err := c.mapColumns(o.Map); err != nil {
		return nil, err
	}
	for _, column := range o.Drop {
		if to, ok := o.Map[column]; ok {
			return nil, fmt.Errorf("drop column %s: it is mapped to %s as well", quoteString(column), quoteString(to))
		}
		if column == c.required {
			return nil, fmt.Errorf("drop column %s: %s needs it", quoteString(column), c.operation)
		}
		c.fields[column] = field{target: dropped, met: new(atomic.Bool)}
	}
	return c, nil
}

// mapColumns lays the mapped columns over the fields.
func (c *Checker) mapColumns(columns map[string]string) error {
	from := map[string]string{} // target → column
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		f, err := c.parseTarget(columns[column])
		if err != nil {
			return fmt.Errorf("map column %s to %s: %w", quoteString(column), quoteString(columns[column]), err)
		}
		path := f.target.path()
		if f.target == custom {
			path = "properties." + string(f.property)
			c.renames = true
		}
		if other, ok := from[path]; ok {
			return fmt.Errorf("map columns %s and %s: both to %s", quoteString(other), quoteString(column), quoteString(path))
		}
		from[path] = column
		f.mapped, f.met = true, new(atomic.Bool)
		c.fields[column] = f
	}
	if column, ok := from[c.key.name()]; ok {
		c.required = column
	} else if to, ok := columns[c.required]; ok {
		return fmt.Errorf("map column %s to %s: %s needs it, and no other column is mapped to it", quoteString(c.required), quoteString(to), c.operation)
	}
	return nil
}

// parseTarget reads the target of a mapped column.
func (c *Checker) parseTarget(to string) (field, error) {
	if c.operation == Remove {
		if to != profileID.name() {
			return field{}, fmt.Errorf("remove reads %s alone", profileID.name())
		}
		return field{target: profileID}, nil
	}
	if name, ok := strings.CutPrefix(to, "properties."); ok {
		switch {
		case name == "":
			return field{}, fmt.Errorf("the property has no name")
		case name[0] == '$':
			return field{}, fmt.Errorf("names that begin with $ are Klaviyo's own")
		case !utf8.ValidString(name):
			return field{}, fmt.Errorf("the name is not UTF-8")
		}
		return field{property: []byte(name), label: string(json.AppendEscape(nil, name, 0)) + ":"}, nil
	}
	if to == "" {
		return field{}, fmt.Errorf("the target is empty: write properties.NAME for a custom property")
	}
	name, inLocation := strings.CutPrefix(to, "location.")
	f, ok := attributeFields[name]
	switch {
	case ok && f.target.isLocation() || ok && f.target.isAttribute() && !inLocation:
		return f, nil
	case inLocation:
		return field{}, fmt.Errorf("location has no such member")
	case ok:
		return field{}, fmt.Errorf("%s is an object: write %s.NAME", to, to)
	case attributeFields[strings.ToLower(to)].target.isAttribute() || attributeFields[strings.ToLower(to)].target.isLocation():
		return field{}, fmt.Errorf("no attribute of Klaviyo's: write %s, or properties.%s for a custom property", strings.ToLower(to), to)
	}
	return field{}, fmt.Errorf("no attribute of Klaviyo's: write properties.%s for a custom property", to)
}
