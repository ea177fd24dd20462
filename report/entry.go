package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"
)

// Entry is a line of results as read back. A report sets only Report and Text, a member's line only Member and Text, a
// campaign's line only Campaign and Text.
type Entry struct {
	Row            int64
	Status         Status
	Key            []byte // a JSON string with its quotes, or empty
	Stage, Code    string
	Column, Detail []byte // JSON strings with their quotes, or empty
	Job, List      string
	Dropped        []string  // the columns whose values the row's profile went without; shared, not to be changed
	ReadBack       bool      // the row was read back
	Channels       []string  // whose consent Klaviyo was asked for
	ConsentedAt    time.Time // of a historical consent as it was sent, zero for none
	Other          string    // Consent.Other
	Member         *Member   // of a member's line, which is no row; nil otherwise
	Campaign       *Campaign
	Report         bool
	Text           []byte // the line
}

// isRow reports whether the line is that of a row.
func (e *Entry) isRow() bool { return !e.Report && e.Member == nil && e.Campaign == nil }

// maxNesting bounds the depth of a line, because the decoder recurses.
const maxNesting = 100

var (
	errNotJSON = errors.New("it is not JSON")
	errNoType  = errors.New("it has no type")
	errMember  = errors.New("one of its members has the wrong type")
)

// parse reads a line in any valid form. The entry is valid as long as text.
func parse(text []byte) (Entry, error) {
	if e, ok := parseOwn(text); ok {
		return e, nil
	}
	if tooDeep(text) {
		return Entry{}, fmt.Errorf("it has more than %d nesting levels", maxNesting)
	}
	if !json.Valid(text) {
		return Entry{}, errNotJSON
	}
	var line struct {
		Type    string          `json:"type"`
		Row     int64           `json:"row"`
		Status  string          `json:"status"`
		Key     json.RawMessage `json:"key"`
		Stage   string          `json:"stage"`
		Code    string          `json:"code"`
		Column  json.RawMessage `json:"column"`
		Detail  json.RawMessage `json:"detail"`
		Job     string          `json:"job"`
		List    json.RawMessage `json:"list"`    // an object in a report
		Dropped json.RawMessage `json:"dropped"` // an object in a report

		Since    json.RawMessage `json:"member_since"`
		Verified json.RawMessage `json:"verified"`

		ProfileID string `json:"profile_id"`

		Channels    json.RawMessage `json:"channels"`
		ConsentedAt string          `json:"consented_at"`
		PhoneNumber json.RawMessage `json:"phone_number"`
		Email       json.RawMessage `json:"email"`

		ID json.RawMessage `json:"id"` // of a campaign
	}
	if _, err := json.Parse(text, &line, json.DontMatchCaseInsensitiveStructFields); err != nil {
		return Entry{}, errMember
	}
	if line.Type == "report" {
		return Entry{Report: true, Text: text}, nil
	}
	// A report would be read back with these texts in valid UTF-8.
	valid := func(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
	if line.Type == "member" || line.Type == typeRemoving {
		status, known := parseMemberStatus(line.Status)
		if line.Type == typeRemoving {
			status = MemberRemoving
		} else if !known {
			return Entry{}, fmt.Errorf("expected the status of a member, got %.40q", line.Status)
		}
		return Entry{Text: text, Member: &Member{
			Status: status, Key: line.Key, Code: valid(line.Code), Detail: plain(line.Detail),
			ProfileID: valid(line.ProfileID), Raw: text,
		}}, nil
	}
	if line.Type == "campaign" {
		return Entry{Text: text, Campaign: &Campaign{ID: plain(line.ID), Status: valid(line.Status)}}, nil
	}
	status, known := ParseStatus(line.Status)
	switch {
	case line.Type == "":
		return Entry{}, errNoType
	case line.Type != "row":
		return Entry{}, fmt.Errorf("expected type row, member, removing, campaign or report, got %.40q", line.Type)
	case line.Row < 1:
		return Entry{}, fmt.Errorf("expected a row number from 1, got %d", line.Row)
	case !known:
		return Entry{}, fmt.Errorf("expected the status of a row, got %.40q", line.Status)
	}
	var dropped []string
	if len(line.Dropped) > 0 && json.Unmarshal(line.Dropped, &dropped) != nil {
		return Entry{}, errMember
	}
	for i := range dropped {
		dropped[i] = valid(dropped[i])
	}
	var channels []string
	if len(line.Channels) > 0 && json.Unmarshal(line.Channels, &channels) != nil {
		return Entry{}, errMember
	}
	consentedAt, _ := time.Parse(time.RFC3339, line.ConsentedAt)
	return Entry{
		Row: line.Row, Status: status, Key: line.Key, Column: line.Column, Detail: line.Detail,
		Stage: valid(line.Stage), Code: valid(line.Code), Job: valid(line.Job), Dropped: dropped, Text: text,
		List:     plain(line.List),
		ReadBack: line.Since != nil || line.Verified != nil, Channels: channels, ConsentedAt: consentedAt,
		Other: plain(line.PhoneNumber) + plain(line.Email),
	}, nil
}

// tooDeep reports whether brackets outside of strings nest deeper than maxNesting.
func tooDeep(text []byte) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := endOfString(text[i+1:])
			if end < 0 {
				return false
			}
			i += end + 1
		case '{', '[':
			if depth++; depth > maxNesting {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}
