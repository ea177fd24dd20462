package sink

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/segmentio/encoding/json"
)

// searcher removes people by an identifier that is not their profile id: it looks them up on the list first, so that
// nobody else is named in a removal (klaviyo-more.md §3.2).
type searcher struct {
	remover *remover
	by      Identifier
	lookups *lookups
}

// The reasons why a removal skips people.
var (
	notOnList       = &Fault{Code: "not_on_list", Detail: "Klaviyo finds nobody on the list with this identifier"}
	profileNotFound = &Fault{Code: "profile_not_found", Detail: "no profile has this external id"}
)

func (s *searcher) To(list *List) Sender {
	return &searcher{
		remover: &remover{client: s.remover.client, list: list, trial: s.remover.trial},
		by:      s.by, lookups: s.lookups.on(list),
	}
}

func (s *searcher) Limits() (profiles, bytes int) { return maxRemoval, maxImportBytes }

func (s *searcher) Send(ctx context.Context, rows []Profile) error {
	people := make([]*person, len(rows))
	for i := range rows {
		people[i] = &person{row: &rows[i], value: plain(rows[i].JSON)}
	}
	if err := s.lookups.onList(ctx, s.by, people); err != nil {
		return err
	}
	return s.remove(ctx, people)
}

// plain is the text of a JSON string.
func plain(quoted []byte) (text string) {
	_ = json.Unmarshal(quoted, &text) // it is one: the checks wrote it
	return text
}

// remove removes the profiles that were found, and gives each row without a status that of its profiles.
func (s *searcher) remove(ctx context.Context, people []*person) error {
	places := map[string]int{} // in elements, by profile id: two rows may be one person
	var elements []Profile
	for _, p := range people {
		for i := range p.found {
			id := p.found[i].ID
			if _, known := places[id]; !known {
				places[id] = len(elements)
				element := append([]byte(`{"type":"profile","id":`), json.AppendEscape(nil, id, 0)...)
				elements = append(elements, Profile{JSON: append(element, '}')})
			}
		}
	}
	var err error
	for part := range slices.Chunk(elements, maxRemoval) {
		if err = s.removePart(ctx, part); err != nil {
			break
		}
	}
	var refused []*person
	for _, p := range people {
		if p.row.Status != Unsent {
			continue
		}
		p.row.Others = len(p.found) - 1
		for i := range p.found {
			e := &elements[places[p.found[i].ID]]
			if i == 0 || rank[e.Status] > rank[p.row.Status] {
				p.row.Status, p.row.Fault = e.Status, e.Fault
			}
		}
		if p.row.Status == Rejected {
			refused = append(refused, p)
		}
	}
	if err != nil || len(refused) == 0 {
		return err
	}
	return s.recheck(ctx, refused)
}

// removePart removes as many profiles as one request holds.
func (s *searcher) removePart(ctx context.Context, elements []Profile) error {
	t := s.remover.client.newTexts()
	defer t.free()
	err := s.remover.send(ctx, elements, t)
	for i := range elements {
		if elements[i].Status == Rejected {
			elements[i].rejectAs(&elements[i])
		}
	}
	return err
}

// rank orders the statuses of several profiles of one row: the highest one is the row's.
var rank = map[Status]int{Applied: 0, Unsent: 1, Rejected: 2, Unknown: 3}

// recheck looks people up again whose removal Klaviyo refused, by name: somebody may have left the list or the account
// since. Whoever is not there any more is off the list.
func (s *searcher) recheck(ctx context.Context, refused []*person) error {
	again := make([]*person, len(refused))
	for i, p := range refused {
		again[i] = &person{row: new(Profile), value: p.value}
	}
	if err := s.lookups.onList(ctx, s.by, again); err != nil {
		return err
	}
	for i, p := range refused {
		if again[i].row.Status == Skipped {
			p.row.Status, p.row.Fault = Applied, nil
		}
	}
	return nil
}

// onList looks people up on the list. Those who are not on it are Skipped.
func (l *lookups) onList(ctx context.Context, by Identifier, people []*person) error {
	id, _, _ := l.list.State()
	var err error
	switch by {
	case Email, PhoneNumber:
		err = l.find(ctx, l.client.members(id), by, people)
	default:
		var bare []*person
		bare, err = l.throughProfiles(ctx, l.client.profiles(), l.client.members(id), by, people)
		for i := 0; err == nil && i < len(bare); i++ {
			err = l.memberships(ctx, id, bare[i])
		}
	}
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.row.Status == Unsent && len(p.found) == 0 {
			p.row.Status, p.row.Fault = Skipped, notOnList
		}
	}
	return nil
}

// throughProfiles looks people up on the list by an identifier that the list does not know: first their profiles, then
// the members with the email, or else the phone number, of a profile. found are members that are such a profile. bare
// are steps to profiles that have neither.
func (l *lookups) throughProfiles(
	ctx context.Context, profiles, members *collection, by Identifier, people []*person,
) (bare []*person, err error) {
	if err := l.find(ctx, profiles, by, people); err != nil {
		return nil, err
	}
	steps := map[Identifier][]*person{}
	for _, p := range people {
		profiles := p.found
		p.found = nil
		if p.row.Status == Unsent && len(profiles) == 0 {
			p.row.Status, p.row.Fault = Skipped, profileNotFound
		}
		for i := range profiles {
			p.ids = append(p.ids, profiles[i].ID)
			with := ProfileID // neither
			switch a := &profiles[i].Attributes; {
			case a.Email != "":
				with = Email
			case a.PhoneNumber != "":
				with = PhoneNumber
			}
			steps[with] = append(steps[with], &person{row: p.row, value: with.of(&profiles[i]), owner: p, id: profiles[i].ID})
		}
	}
	for _, with := range []Identifier{Email, PhoneNumber} {
		if err := l.find(ctx, members, with, steps[with]); err != nil {
			return nil, err
		}
		for _, step := range steps[with] {
			for i := range step.found {
				if step.found[i].ID == step.id {
					step.owner.found = append(step.owner.found, step.found[i])
				}
			}
		}
	}
	return steps[ProfileID], nil
}

// memberships looks up whether a profile with neither email nor phone number is on the list, one call a profile.
func (l *lookups) memberships(ctx context.Context, list string, p *person) error {
	doing := "look up the lists of a profile"
	var doc struct {
		Data []listResource `json:"data"`
	}
	a, err := l.client.call(ctx, &request{
		doing: doing, method: http.MethodGet, endpoint: l.client.endpoints.memberships,
		path: "/api/profiles/" + url.PathEscape(p.id) + "/lists?fields%5Blist%5D=name",
		accept: func(a *answer) error {
			err := decode(a.body, &doc)
			if err == nil && doc.Data == nil {
				return errNoData
			}
			return err
		},
	})
	switch {
	case err != nil:
		return notLost(err)
	case a.missing(): // it was deleted since
		return nil
	case a.status >= 300:
		return a.refused(doing)
	}
	for i := range doc.Data {
		if doc.Data[i].ID == list {
			p.owner.found = append(p.owner.found, profileResource{ID: p.id})
		}
	}
	return nil
}
