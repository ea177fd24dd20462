package sink

import (
	"reflect"
	"time"

	"github.com/segmentio/encoding/json"
)

// Member is a profile on a list. Its text shares the memory of Klaviyo's answer.
type Member struct {
	ID    string
	Since time.Time // when it joined the list, in whole seconds
	*Attributes
}

// Attributes are those of a profile that were asked for, as JSON. The others are empty.
type Attributes struct {
	JoinedAt string `json:"joined_group_at"`

	Email         json.RawMessage `json:"email"`
	PhoneNumber   json.RawMessage `json:"phone_number"`
	ExternalID    json.RawMessage `json:"external_id"`
	Created       json.RawMessage `json:"created"`
	FirstName     json.RawMessage `json:"first_name"`
	Image         json.RawMessage `json:"image"`
	LastEventDate json.RawMessage `json:"last_event_date"`
	LastName      json.RawMessage `json:"last_name"`
	Locale        json.RawMessage `json:"locale"`
	Location      json.RawMessage `json:"location"`
	Organization  json.RawMessage `json:"organization"`
	Properties    json.RawMessage `json:"properties"`
	Subscriptions json.RawMessage `json:"subscriptions"`
	Title         json.RawMessage `json:"title"`
	Updated       json.RawMessage `json:"updated"`
}

// attributeFields are the indexes of the fields of Attributes, by Klaviyo's names.
var attributeFields = func() map[string]int {
	t := reflect.TypeFor[Attributes]()
	fields := map[string]int{}
	for i := 1; i < t.NumField(); i++ {
		fields[t.Field(i).Tag.Get("json")] = i
	}
	return fields
}()

// Of returns the attribute that has this name in Klaviyo's API, nil where it is none of them.
func (a *Attributes) Of(name string) json.RawMessage {
	if i, known := attributeFields[name]; known {
		return reflect.ValueOf(a).Elem().Field(i).Bytes()
	}
	return nil
}
