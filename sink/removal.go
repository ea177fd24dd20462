package sink

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// maxRemoval is the number of ids that one removal request holds (klaviyo-api.md §5).
const maxRemoval = 1_000

// remover removes profiles from a list.
type remover struct {
	client *Client
	list   *List
	trial  *trial
}

// NewRemoval returns the Sender that removes people from list by an identifier. JSON of a Profile is the element of the
// request for ProfileID, and the identifier as a JSON string for others. Their consent stays as it is. Sent profiles
// are Applied: Klaviyo removes at once.
func NewRemoval(c *Client, list *List, by Identifier) Sender {
	r := &remover{client: c, list: list, trial: new(trial)}
	if by == ProfileID {
		return r
	}
	return &searcher{remover: r, by: by, lookups: newLookups(c, list)}
}

func (s *remover) To(list *List) Sender {
	return &remover{client: s.client, list: list, trial: s.trial}
}

func (s *remover) Limits() (profiles, bytes int) { return maxRemoval, maxImportBytes }

func (s *remover) Send(ctx context.Context, profiles []Profile) error {
	return s.send(ctx, profiles, s.client.newTexts())
}

// send is Send with the texts that keep the reasons against profiles.
func (s *remover) send(ctx context.Context, profiles []Profile, t *texts) error {
	b := batch{list: s.list, trial: s.trial, texts: t}
	b.request = func(ctx context.Context, set []*Profile) (*refusal, error) { return s.remove(ctx, set, b.texts) }
	return b.send(ctx, profiles)
}

func (s *remover) remove(ctx context.Context, set []*Profile, t *texts) (*refusal, error) {
	list, _, _ := s.list.State()
	var refused *refusal
	var wrong error
	_, err := s.client.call(ctx, &request{
		doing:  "remove " + plural(len(set), "profile"),
		method: http.MethodDelete, endpoint: s.client.endpoints.removals,
		path:   "/api/lists/" + url.PathEscape(list) + "/relationships/profiles",
		prefix: `{"data":[`, suffix: `]}`, set: set,
		accept: func(a *answer) error {
			if a.status != http.StatusNoContent {
				return fmt.Errorf("expected HTTP %d", http.StatusNoContent)
			}
			return nil
		},
		refused: func(a *answer) { refused, wrong = refuse(a, "remove profiles", set, t, removalNamed()) },
	})
	if err = cmp.Or(err, wrong); err != nil || refused != nil {
		return refused, err
	}
	for _, p := range set {
		p.Status = Applied
	}
	return nil, nil
}

// removalNamed returns the naming of one set. Klaviyo answers unknown ids with one error, whose text lists them all
// and whose pointer has no index (klaviyo-more.md §9). A pointer with an index is read too.
func removalNamed() naming {
	var places map[string][]int
	return func(e *apiError, set []*Profile, blame func(int, string, string)) {
		const column = "profile_id"
		if at, _ := indexed(e.Source.Pointer, "/data/", len(set)); at >= 0 {
			blame(at, column, e.text())
			return
		}
		if places == nil {
			places = placesByID(set)
		}
		found := findIDs(string(e.Detail), places)
		for _, id := range found.ids {
			for _, at := range places[id] {
				blame(at, column, found.about(id))
			}
		}
	}
}

// placesByID returns the places of each id.
func placesByID(set []*Profile) map[string][]int {
	places := make(map[string][]int, len(set))
	for i, p := range set {
		if id := profileID(p); id != "" {
			places[id] = append(places[id], i)
		}
	}
	return places
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
