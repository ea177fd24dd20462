package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/validate"
)

// maxWindow bounds the memory of --duplicate-window: a row in it takes some 26 bytes.
const maxWindow = 100_000_000

// rowFlags say what the rows hold and how many of them may be bad.
type rowFlags struct {
	ListColumn      string            `group:"list" placeholder:"COLUMN" help:"${help_list_column}"`
	By              string            `placeholder:"COLUMN" words:"email,phone_number,external_id" help:"${help_by}"`
	Map             map[string]string `mapsep:"none" placeholder:"COLUMN=TARGET" help:"${help_map}"`
	Drop            []string          `sep:"none" placeholder:"COLUMN" help:"Leave a column out. Repeatable."`
	DefaultCountry  string            `placeholder:"CC" help:"${help_default_country}"`
	BadPhone        string            `enum:"reject,drop" default:"reject" placeholder:"reject|drop" help:"${help_phone}"`
	Empty           string            `enum:"keep,null" default:"keep" placeholder:"keep|null" help:"${help_empty}"`
	Nulls           string            `enum:"ignore,clear" default:"ignore" placeholder:"ignore|clear" help:"${help_null}"`
	Duplicates      string            `enum:"first,send" default:"first" placeholder:"first|send" help:"${help_same}"`
	DuplicateWindow int               `default:"1000000" placeholder:"ROWS" help:"Look for duplicates in this many rows."`
	MaxInvalid      pipeline.Bound    `default:"0" placeholder:"N|N%" help:"${help_max_invalid}"`
	StopOnInvalid   bool              `help:"${help_stop_on_invalid}"`
	ExpectRows      *int64            `placeholder:"N" help:"${help_expect_rows}"`
	MinRows         int64             `default:"0" placeholder:"N" help:"${help_min_rows}"`
}

var rowHelp = kong.Vars{
	"help_by": "Column that names the person: email, phone_number or external_id. remove also accepts profile_id, " +
		"which is its default; for the others it is email.",
	"help_map":             "Send a column as another attribute, as a location member, or as properties.NAME. Repeatable.",
	"help_default_country": "Two-letter country for phone numbers without a country code, in rows that have no country.",
	"help_phone":           "Reject rows with an invalid or ambiguous phone number, or send them without the number.",
	"help_empty":           "Send empty strings as they are, or treat them as null: CSV tools write null that way.",
	"help_null": "Leave nulls out, or clear the custom properties that are null. Klaviyo cannot clear attributes such " +
		"as first_name in bulk.",
	"help_same": "Send only the first of the rows with the same identifier, or send them all.",
	"help_max_invalid": "How many rows may be rejected, here or by Klaviyo, before the run counts as failed: " +
		"a number or a share of the rows read.",
	"help_stop_on_invalid": "Stop at the first rejected row beyond --max-invalid. A share counts from 1,000 rows on.",
	"help_min_rows":        "Fail if the input has fewer than N rows. With --check-first or mirror, nothing is sent then.",
	"help_expect_rows":     "Fail unless the input has exactly N rows. With --check-first, nothing is sent in that case.",
}

var (
	badPhones = map[string]validate.BadPhone{"reject": validate.Reject, "drop": validate.Drop}
	empties   = map[string]validate.Empty{"keep": validate.Keep, "null": validate.Null}
	nulls     = map[string]validate.Nulls{"ignore": validate.Ignore, "clear": validate.Clear}
)

// profileFlags concern the profile that add sends. Remove refuses them.
var profileFlags = []idleFlag{
	{"empty", "an empty identifier is rejected"},
	{"nulls", "no property is sent"},
}

// consentRowFlags are those that subscribe and unsubscribe refuse.
var consentRowFlags = []idleFlag{
	{"empty", "an empty identifier counts as missing"},
	{"nulls", "no property is sent"},
	{"duplicates", "the first row of a person counts: Klaviyo may ignore a second subscribe within 30 minutes, " +
		"and a second unsubscribe from a list would be one from all lists"},
}

// phoneFlags concern phone numbers. Remove reads them only with --by phone_number, subscribe and unsubscribe also for
// SMS.
var phoneFlags = []idleFlag{
	{"default-country", "phone numbers are not read"},
	{"bad-phone", "phone numbers are not read"},
}

// options returns the options of a run on the rows. rows has what the command itself says about them.
func (f *rowFlags) options(g given, rows validate.Options) (*pipeline.Options, error) {
	if err := f.check(g, rows); err != nil {
		return nil, err
	}
	rows.By, rows.DefaultCountry, rows.Map, rows.Drop = f.By, f.DefaultCountry, f.Map, f.Drop
	rows.ListColumn = f.ListColumn
	rows.BadPhone, rows.Empty = badPhones[f.BadPhone], empties[f.Empty]
	rows.Nulls = nulls[f.Nulls]
	checker, err := validate.New(rows)
	if err != nil {
		return nil, err
	}
	o := &pipeline.Options{
		Operation: rows.Operation, Checker: checker, Version: version(),
		MaxInvalid: f.MaxInvalid, StopOnInvalid: f.StopOnInvalid, ExpectRows: f.ExpectRows,
		MinRows: f.MinRows,
	}
	if f.Duplicates == "first" {
		o.Window = f.DuplicateWindow
	}
	return o, nil
}

func (f *rowFlags) check(g given, rows validate.Options) error {
	switch {
	case g["list-column"] && f.ListColumn == "":
		return errors.New(`--list-column: expected a column, got ""`)
	case f.DuplicateWindow < 1 || f.DuplicateWindow > maxWindow:
		return fmt.Errorf("--duplicate-window: expected 1 to %d rows, got %d", maxWindow, f.DuplicateWindow)
	case g["duplicate-window"] && f.Duplicates == "send":
		return errors.New("--duplicate-window has no effect with --duplicates send")
	case f.ExpectRows != nil && *f.ExpectRows < 0:
		return fmt.Errorf("--expect-rows: expected 0 or more rows, got %d", *f.ExpectRows)
	case f.MinRows < 0:
		return fmt.Errorf("--min-rows: expected 0 or more rows, got %d", f.MinRows)
	case f.ExpectRows != nil && *f.ExpectRows < f.MinRows:
		return fmt.Errorf("--expect-rows %d and --min-rows %d cannot be combined: no input meets both",
			*f.ExpectRows, f.MinRows)
	}
	if idle := f.idle(rows); idle != nil {
		if err := g.idle(rows.Operation.String(), idle); err != nil {
			return err
		}
	}
	for _, name := range f.Drop {
		if strings.Contains(name, ",") {
			return fmt.Errorf("--drop: expected one column, got %q: repeat the flag for several", name)
		}
	}
	return nil
}

// idle are the flags that have no effect with an operation that sends no profiles.
func (f *rowFlags) idle(rows validate.Options) (idle []idleFlag) {
	phones := f.By == "phone_number"
	switch rows.Operation {
	case validate.Remove:
		idle = profileFlags
	case validate.Subscribe, validate.Unsubscribe:
		phones = phones || f.By != "external_id" && rows.Channels != validate.EmailMarketing
		idle = consentRowFlags
	default:
		return nil
	}
	if !phones {
		idle = slices.Concat(phoneFlags, idle)
	}
	return idle
}
