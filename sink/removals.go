package sink

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// maxRemoval is the number of ids that one removal takes (klaviyo-api.md §5).
const maxRemoval = 1_000

// Removal takes profiles off a list. It leaves their consent as it is.
type Removal struct {
	client *Client
	list   *List
}

// NewRemoval returns the Sender that removes from list.
func NewRemoval(c *Client, list *List) *Removal { return &Removal{client: c, list: list} }

// Limits implements Sender.
func (s *Removal) Limits() (profiles, bytes int) { return maxRemoval, maxImportBytes }

// Send implements Sender. Profiles end as Applied: removal is immediate.
func (s *Removal) Send(ctx context.Context, profiles []Profile) error {
	d := delivery{list: s.list, send: s.remove}
	return d.run(ctx, profiles)
}

func (s *Removal) remove(ctx context.Context, set []*Profile) (*refusal, error) {
	list, _, _ := s.list.State()
	a, err := s.client.call(ctx, &request{
		doing: fmt.Sprintf("remove %d profiles", len(set)), method: http.MethodDelete, endpoint: s.client.rates.removals,
		path:   "/api/lists/" + url.PathEscape(list) + "/relationships/profiles",
		prefix: `{"data":[`, suffix: `]}`, set: set,
		accept: func(a *answer) error {
			if a.status != http.StatusNoContent {
				return fmt.Errorf("a removal is answered with %d", http.StatusNoContent)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	if a.status >= 300 {
		return refuse(a, "remove profiles", removalPlace())
	}
	for _, p := range set {
		p.Status = Applied
	}
	return nil, nil
}

// removalPlace returns what finds the profile of a set, always the same, by the error's pointer or, as the API's answer to
// unknown ids is not documented, by its id in the error's text.
func removalPlace() func(e *apiError, set []*Profile) (int, string) {
	var places map[string]int
	return func(e *apiError, set []*Profile) (int, string) {
		if at, _ := indexed(e.Source.Pointer, "/data/", len(set)); at >= 0 {
			return at, "profile_id"
		}
		if places == nil {
			places = placesByID(set)
		}
		for _, word := range strings.FieldsFunc(e.Detail, betweenWords) {
			if at, ok := places[word]; ok {
				return at, "profile_id"
			}
		}
		return -1, ""
	}
}

// placesByID returns where each id stands first.
func placesByID(set []*Profile) map[string]int {
	places := make(map[string]int, len(set))
	for i, p := range set {
		id := profileID(p)
		if _, twice := places[id]; !twice && id != "" {
			places[id] = i
		}
	}
	return places
}

// betweenWords reports whether no id holds the character.
func betweenWords(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
}

// profileID reads the id out of a removal's element, {"type":"profile","id":"…"}.
func profileID(p *Profile) string {
	var element struct {
		ID string `json:"id"`
	}
	if decode(p.JSON, &element) != nil {
		return ""
	}
	return element.ID
}
