package report

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Consent is what a row's line says of its consent.
type Consent struct {
	Channels []string  // that Klaviyo was asked for
	Other    string    // the email or phone number of the row that is not its key, where a channel needs it
	Given    time.Time // of a historical consent as it was sent, or as Klaviyo shows it
	Shown    bool      // it was read back, and is as it should be
	State    string    // in Klaviyo's words; like the following, of a consent that is shown
	Mailable bool      // Klaviyo may send by all channels
	Already  bool      // it was so before the run
	Scope    string    // "list" or "global": where consent was withdrawn
}

// append appends the members of a row's line.
func (c *Consent) append(b []byte) []byte {
	b = append(b, `,"channels":[`...)
	for i, channel := range c.Channels {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), channel...), '"')
	}
	b = append(b, ']')
	if strings.HasPrefix(c.Other, "+") {
		b = appendMember(b, `,"phone_number":`, c.Other)
	} else {
		b = appendMember(b, `,"email":`, c.Other)
	}
	b = appendMember(b, `,"consent":`, c.State)
	if !c.Given.IsZero() {
		b = append(b, `,"consented_at":"`...)
		b = append(c.Given.UTC().AppendFormat(b, time.RFC3339), '"')
	}
	if !c.Shown {
		return b
	}
	b = strconv.AppendBool(append(b, `,"mailable":`...), c.Mailable)
	if c.Already {
		b = append(b, `,"already":true`...)
	}
	return appendMember(b, `,"scope":`, c.Scope)
}

// Consents says what consent a run set or withdrew, and counts what reading it back showed.
type Consents struct {
	Channels    []string `json:"channels"`
	Everywhere  bool     `json:"everywhere,omitempty"` // it was withdrawn without a list
	Historical  bool     `json:"historical,omitempty"`
	Source      string   `json:"source,omitempty"`
	Began       string   `json:"began,omitempty"`        // RFC 3339: when Klaviyo was first asked, by its clock
	Already     int64    `json:"already,omitempty"`      // rows whose consent was so before the run
	Unmailable  int64    `json:"unmailable,omitempty"`   // subscribed rows to which Klaviyo may not send by each channel
	ScopeList   int64    `json:"scope_list,omitempty"`   // rows that are unsubscribed from the list
	ScopeGlobal int64    `json:"scope_global,omitempty"` // rows that are unsubscribed everywhere
}

// count counts a row.
func (c *Consents) count(row *Consent) {
	if !row.Shown {
		return
	}
	if row.Already {
		c.Already++
	}
	switch {
	case row.Scope == "list":
		c.ScopeList++
	case row.Scope != "":
		c.ScopeGlobal++
	case !row.Mailable:
		c.Unmailable++
	}
}

// Plus returns the sum of two counts. Nil is none.
func (c *Consents) Plus(o *Consents) *Consents {
	switch {
	case c == nil:
		return o
	case o == nil:
		return c
	}
	sum := *c
	sum.Channels = slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.Channels, o.Channels))))
	sum.Everywhere, sum.Historical = c.Everywhere || o.Everywhere, c.Historical || o.Historical
	sum.Source, sum.Began = agreed(c.Source, o.Source), extreme(c.Began, o.Began, -1)
	sum.Already += o.Already
	sum.Unmailable += o.Unmailable
	sum.ScopeList += o.ScopeList
	sum.ScopeGlobal += o.ScopeGlobal
	return &sum
}

// counts returns all counts.
func (c *Consents) counts() []int64 {
	if c == nil {
		return nil
	}
	return []int64{c.Already, c.Unmailable, c.ScopeList, c.ScopeGlobal}
}
