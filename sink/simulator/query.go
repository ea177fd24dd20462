package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// grammar holds the query parameters that an operation accepts.
type grammar struct {
	fields        []string // the types with sparse fieldsets
	filter        filterable
	sort          []string
	size, maxSize int // of a page; 0 for an answer without pages
	include       string
	additional    map[string]string // the one value of additional-fields[…], by type
}

// request is the parsed query of a request.
type request struct {
	values     url.Values
	fields     map[string]fieldset
	filter     filter
	sort       string
	size       int
	cursor     *cursor
	include    bool
	additional map[string]bool // by type
}

// fieldNames are the attributes that a sparse fieldset may name, by type.
var fieldNames = map[string][]string{
	"account": {
		"id", "contact_information", "industry", "locale", "preferred_currency", "public_api_key", "test_account",
		"timezone",
	},
	"list": {"id", "created", "name", "opt_in_process", "updated", "profile_count"},
	"profile": append([]string{
		"id", "joined_group_at", "location.address1", "location.address2", "location.city", "location.country",
		"location.ip", "location.latitude", "location.longitude", "location.region", "location.timezone",
		"location.zip",
	}, slices.Concat(profileAttributes, subscriptionFields)...),
	"profile-bulk-import-job": {
		"id", "completed_at", "completed_count", "created_at", "expires_at", "failed_count", "started_at", "status",
		"total_count",
	},
	"campaign": {
		"id", "archived", "audiences", "audiences.excluded", "audiences.included", "created_at", "name", "scheduled_at",
		"send_options", "send_options.use_smart_sending", "send_strategy", "send_strategy.date", "send_strategy.datetime",
		"send_strategy.method", "send_strategy.options", "send_strategy.throttle_percentage", "send_time", "status",
		"tracking_options", "updated_at",
	},
	"campaign-message": {
		"id", "created_at", "definition", "definition.channel", "definition.content", "definition.content.from_email",
		"definition.content.from_label", "definition.content.subject", "definition.label", "send_times", "updated_at",
	},
	"tag":                           {"id", "name"},
	"template":                      {"id", "amp", "created", "editor_type", "html", "name", "text", "updated"},
	"campaign-send-job":             {"id", "status"},
	estimating:                      {"id", "status"},
	"campaign-recipient-estimation": {"id", "estimated_recipient_count"},
	"import-error":                  {"id", "code", "detail", "original_payload", "source", "source.pointer", "title"},
}

// cursorInvalid is Klaviyo's text for a cursor that it cannot read, in an error about the request as a whole.
const cursorInvalid = "Invalid cursor provided."

// parse reads a query. It refuses every unknown parameter, so that no client believes an ignored filter was obeyed.
func (g grammar) parse(raw string) (q request, p *problem) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		p := badParameter("query", "The query string is malformed.")
		return q, &p
	}
	q = request{values: values, fields: map[string]fieldset{}, additional: map[string]bool{}, size: g.size}
	for name, given := range values {
		wrong := g.take(&q, name, given[0])
		if len(given) > 1 {
			wrong = fmt.Sprintf("'%s' is given more than once.", name)
		}
		switch {
		case wrong == cursorInvalid:
			p := invalid("/data/", cursorInvalid)
			return q, &p
		case wrong != "":
			p := badParameter(name, "%s", wrong)
			return q, &p
		}
	}
	return q, nil
}

// take reads one parameter and returns what is wrong with it, or "".
func (g grammar) take(q *request, name, value string) (wrong string) {
	kind := strings.TrimSuffix(strings.TrimPrefix(name, "fields["), "]")
	ok := true
	switch {
	case name == "fields["+kind+"]" && slices.Contains(g.fields, kind):
		return q.takeFields(kind, value)
	case name == "filter" && g.filter != nil:
		if q.filter, ok = parseFilter(value, g.filter); !ok {
			return "Invalid filter provided."
		}
	case name == "sort" && g.sort != nil:
		if q.sort = value; !slices.Contains(g.sort, strings.TrimPrefix(value, "-")) {
			return fmt.Sprintf("'%s' is not an allowed sort for this resource.", value)
		}
	case name == "page[size]" && g.maxSize > 0:
		if q.size, _ = strconv.Atoi(value); q.size < 1 || q.size > g.maxSize {
			return fmt.Sprintf("Page size must be an integer between 1 and %d.", g.maxSize)
		}
	case name == "page[cursor]" && g.maxSize > 0:
		if q.cursor = parseCursor(value); q.cursor == nil {
			return cursorInvalid
		}
	case name == "include" && g.include != "":
		if q.include = value == g.include; !q.include {
			return fmt.Sprintf("'%s' is not an allowed include parameter for this resource.", value)
		}
	case g.additional[additionalKind(name)] != "":
		kind := additionalKind(name)
		if q.additional[kind] = value == g.additional[kind]; !q.additional[kind] {
			return fmt.Sprintf("'%s' is not a valid field for the resource '%s'.", value, kind)
		}
	default:
		return fmt.Sprintf("'%s' is not an allowed query parameter for this resource.", name)
	}
	return ""
}

// additionalKind returns KIND of additional-fields[KIND], or "".
func additionalKind(name string) string {
	kind, ok := strings.CutPrefix(name, "additional-fields[")
	if kind, closed := strings.CutSuffix(kind, "]"); ok && closed {
		return kind
	}
	return ""
}

func (q *request) takeFields(kind, value string) (wrong string) {
	q.fields[kind] = fieldset{}
	for _, field := range strings.Split(value, ",") {
		if !slices.Contains(fieldNames[kind], field) {
			return fmt.Sprintf("'%s' is not a valid field for the resource '%s'.", field, kind)
		}
		q.fields[kind][field] = true
	}
	return ""
}

// sorting returns the field to sort by, "" for the order of creation, and whether the order is descending.
func (q request) sorting() (name string, down bool) {
	name, down = strings.CutPrefix(q.sort, "-")
	return name, down
}
