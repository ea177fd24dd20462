package sink

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// maxRemoval is the number of ids that one removal request holds (klaviyo-api.md §5).
const maxRemoval = 1_000

// remover removes profiles from a list.
type remover struct {
	client *Client
	list   *List
}

// NewRemoval returns the Sender that removes profiles from list, by profile id. Their consent stays as it is. Sent
// profiles are Applied: Klaviyo removes at once.
func NewRemoval(c *Client, list *List) Sender { return &remover{client: c, list: list} }

func (s *remover) Limits() (profiles, bytes int) { return maxRemoval, maxImportBytes }

func (s *remover) Send(ctx context.Context, profiles []Profile) error {
	b := batch{list: s.list, request: s.remove}
	return b.send(ctx, profiles)
}

func (s *remover) remove(ctx context.Context, set []*Profile) (*refusal, error) {
	list, _, _ := s.list.State()
	a, err := s.client.call(ctx, &request{
		doing:  fmt.Sprintf("remove %d profiles", len(set)),
		method: http.MethodDelete, endpoint: s.client.endpoints.removals,
		path:   "/api/lists/" + url.PathEscape(list) + "/relationships/profiles",
		prefix: `{"data":[`, suffix: `]}`, set: set,
		accept: func(a *answer) error {
			if a.status != http.StatusNoContent {
				return fmt.Errorf("expected HTTP %d", http.StatusNoContent)
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

// removalPlace returns the function that finds the profile of an error, for errors about one set. It reads the
// error's pointer or the id in its text, as the API's answer to unknown ids is not documented.
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

// placesByID returns the first place of each id.
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

// betweenWords reports whether the character occurs in no id.
func betweenWords(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
}

// profileID reads the id of a removal's element, {"type":"profile","id":"…"}.
func profileID(p *Profile) string {
	var element struct {
		ID string `json:"id"`
	}
	if decode(p.JSON, &element) != nil {
		return ""
	}
	return element.ID
}
