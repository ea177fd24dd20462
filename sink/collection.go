package sink

import (
	"errors"
	"net/url"

	"github.com/segmentio/encoding/json"
)

const (
	// maxLookup is the number of values in one look-up, maxQuery the bytes of its query (klaviyo-more.md §3.1).
	maxLookup = 100
	maxQuery  = 6_000
)

// profileResource is a profile as collections show it. JoinedAt is there in the collection of a list's members.
type profileResource struct {
	ID         string `json:"id"`
	Attributes struct {
		Email       string `json:"email"`
		PhoneNumber string `json:"phone_number"`
		ExternalID  string `json:"external_id"`
		JoinedAt    string `json:"joined_group_at"`

		Properties map[string]json.RawMessage `json:"properties"` // nil where they are not read

		Subscriptions subscriptions `json:"subscriptions"`
	} `json:"attributes"`
}

// collection is one that people are looked up in.
type collection struct {
	doing    string // for errors
	path     string
	endpoint *endpoint
	query    url.Values // beside the filter
	list     bool       // its equals takes a list of values
	thorough bool       // whoever is not found is asked for singly
	whole    bool       // the profiles' properties are read too
}

// members are the profiles on a list (klaviyo-more.md §3.1).
func (c *Client) members(list string) *collection {
	return &collection{
		doing: "look up members of the list", path: "/api/lists/" + url.PathEscape(list) + "/profiles",
		endpoint: c.endpoints.members, list: true,
		query: url.Values{"fields[profile]": {"email,phone_number,joined_group_at"}, "page[size]": {"100"}},
	}
}

// withConsent also reads whether marketing may be sent to the members. The rate stays (klaviyo-more.md §2.7).
func (c *collection) withConsent() *collection {
	c.query.Set("additional-fields[profile]", "subscriptions")
	c.query.Set("fields[profile]", c.query.Get("fields[profile]")+",subscriptions")
	return c
}

// memberIDs are the ids of the profiles on a list, an endpoint with a quota of its own.
func (c *Client) memberIDs(list string) *collection {
	return &collection{
		doing: "read the list back", path: "/api/lists/" + url.PathEscape(list) + "/relationships/profiles",
		endpoint: c.endpoints.memberIDs, list: true, query: url.Values{"page[size]": {"100"}},
	}
}

// profiles are those of the account.
func (c *Client) profiles() *collection {
	return &collection{
		doing: "look up profiles", path: "/api/profiles", endpoint: c.endpoints.profiles,
		query: url.Values{"fields[profile]": {"email,phone_number,external_id"}, "page[size]": {"100"}},
	}
}

// withProperties reads the properties of the profiles, and of their identifiers the id alone.
func (c *collection) withProperties() *collection {
	c.query.Set("fields[profile]", "properties")
	c.doing, c.whole = "read properties back", true
	return c
}

// any returns path and query for the profiles that have one of the values.
func (c *collection) any(by Identifier, values []string) string {
	return c.filter("any", by, appendList(nil, values))
}

// equals returns path and query for the profiles that have the value. A list's members take it in brackets.
func (c *collection) equals(by Identifier, value string) string {
	if c.list {
		return c.filter("equals", by, appendList(nil, []string{value}))
	}
	return c.filter("equals", by, json.AppendEscape(nil, value, 0))
}

func (c *collection) filter(operator string, by Identifier, value []byte) string {
	return c.path + "?" + c.query.Encode() + "&filter=" +
		url.QueryEscape(operator+"("+by.field()+","+string(value)+")")
}

// appendList appends values as a JSON array.
func appendList(b []byte, values []string) []byte {
	b = append(b, '[')
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = json.AppendEscape(b, value, 0)
	}
	return append(b, ']')
}

// calls divides people into those of single look-ups.
func (c *collection) calls(by Identifier, people []*person) (calls [][]*person) {
	for len(people) > 0 {
		n := c.fit(by, people)
		calls = append(calls, people[:n])
		people = people[n:]
	}
	return calls
}

// fit returns how many people, at least one, a single look-up may ask for.
func (c *collection) fit(by Identifier, people []*person) (n int) {
	size := len(c.any(by, nil))
	for n < min(len(people), maxLookup) {
		quoted := json.AppendEscape(nil, people[n].value, 0)
		if size += len(url.QueryEscape(string(quoted) + ",")); size > maxQuery && n > 0 {
			break
		}
		n++
	}
	return n
}

var errNoID = errors.New("expected an id for each profile")

// whole reports what is wrong with a page of profiles.
func whole(data []profileResource) error {
	if data == nil {
		return errNoData
	}
	for i := range data {
		if data[i].ID == "" {
			return errNoID
		}
	}
	return nil
}
