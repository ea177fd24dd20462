package sink

import (
	"context"
	"net/url"
	"time"

	"github.com/segmentio/encoding/json"
)

// Extra is a member who is to leave the list.
type Extra struct {
	ID                 string
	Since              time.Time // when the member joined, as in Member
	Email, PhoneNumber string    // to find somebody who joined again; may be empty

	State ExtraState
	Fault *Fault // the reason, when Uncertain, or when Klaviyo refuses to remove a member who Stays
}

// ExtraState says what became of an extra.
type ExtraState uint8

const (
	Stays     ExtraState = iota // not removed
	Removed                     // proved: removed, and not on the list any more
	Rejoined                    // not removed: the member left, and has joined again since
	Left                        // not removed: the member is not on the list any more
	Uncertain                   // removed, but that is not proved
)

// stillOnList is the reason of an extra who is on the list after the removal.
var stillOnList = &Fault{Code: "still_on_list", Detail: "Klaviyo removed the member, but the list still shows them"}

// RemoveExtras removes members from a list, at most 1,000, sorted by Since, and sets what became of each. Right before,
// it reads the seconds in which they joined again: whoever is not there any more is not removed. Right after, it reads
// them once more. The error is an *Error, and also that of a ctx that ended; the states are true then as well. Calls may
// run at once.
func (c *Client) RemoveExtras(ctx context.Context, list *List, extras []Extra) error {
	there, err := c.seconds(ctx, list, extras)
	if err != nil {
		return err
	}
	var doomed, others []*Extra
	for i := range extras {
		e := &extras[i]
		switch since, ok := there[e.ID]; {
		case ok && since.Equal(e.Since):
			doomed = append(doomed, e)
		case ok:
			e.State = Rejoined
		default:
			others = append(others, e)
		}
	}
	if err := c.whereabouts(ctx, list, others); err != nil || len(doomed) == 0 {
		return err
	}
	return c.remove(ctx, list, doomed)
}

// whereabouts finds out whether extras who are not where they were have joined again.
func (c *Client) whereabouts(ctx context.Context, list *List, extras []*Extra) error {
	id, _, _ := list.State()
	l, members := newLookups(c, list), c.members(id)
	steps := map[Identifier][]*person{}
	of := map[*person]*Extra{}
	for _, e := range extras {
		e.State = Left
		by, value := Email, e.Email
		if value == "" {
			by, value = PhoneNumber, e.PhoneNumber
		}
		if value != "" {
			p := &person{row: new(Profile), value: value, id: e.ID}
			steps[by], of[p] = append(steps[by], p), e
		}
	}
	for by, people := range steps {
		err := l.find(ctx, members, by, people)
		for _, p := range people {
			if err != nil {
				of[p].State = Stays
			}
			for i := range p.found {
				if p.found[i].ID == p.id {
					of[p].State = Rejoined
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove removes extras who are on the list, and reads back what became of them.
func (c *Client) remove(ctx context.Context, list *List, extras []*Extra) error {
	profiles := make([]Profile, len(extras))
	for i, e := range extras {
		profiles[i].JSON = append(json.AppendEscape([]byte(`{"type":"profile","id":`), e.ID, 0), '}')
	}
	texts := c.newTexts()
	defer texts.free()
	sent := (&remover{client: c, list: list}).send(ctx, profiles, texts)
	var sure []Extra
	for i, e := range extras {
		switch p := &profiles[i]; p.Status {
		case Applied:
			e.State = Removed
		case Unknown:
			e.State, e.Fault = Uncertain, AnswerLost
		case Rejected:
			p.rejectAs(p)
			e.Fault = p.Fault
		}
		if profiles[i].Status != Unsent {
			sure = append(sure, *e)
		}
	}
	if sent != nil || len(sure) == 0 {
		return sent
	}
	there, err := c.seconds(ctx, list, sure)
	if err != nil {
		return err
	}
	for i, e := range extras {
		since, ok := there[e.ID]
		stays := ok && since.Equal(e.Since)
		switch profiles[i].Status {
		case Applied, Unknown:
			if e.State, e.Fault = Removed, nil; stays {
				e.State, e.Fault = Uncertain, stillOnList
			}
		case Rejected:
			if !stays {
				e.State, e.Fault = Left, nil
			}
		}
	}
	return nil
}

// seconds reads the members who joined in the seconds of extras, which are sorted, and returns when those of extras
// joined who are among them.
func (c *Client) seconds(ctx context.Context, list *List, extras []Extra) (map[string]time.Time, error) {
	there, known := map[string]time.Time{}, map[string]bool{}
	for i := range extras {
		known[extras[i].ID] = true
	}
	id, _, _ := list.State()
	w := c.newWalk(id, "joined_group_at")
	for len(extras) > 0 {
		s := &stretch{from: extras[0].Since, end: extras[len(extras)-1].Since.Add(time.Second), at: extras[0].Since}
		path, seen := w.path(url.Values{"sort": {"joined_group_at"}}, s.filter()), map[string]bool{}
		for path != "" && len(extras) > 0 && !extras[0].Since.After(s.at) {
			if seen[path] {
				return nil, setupError("", "%s: Klaviyo's pages repeat", doingWalk)
			}
			seen[path] = true
			page, err := w.page(ctx, path)
			if err != nil {
				return nil, err
			}
			members, over, err := w.advance(s, page)
			if err != nil {
				return nil, err
			}
			for i := range members {
				if known[members[i].ID] {
					there[members[i].ID] = members[i].Since
				}
			}
			if path = page.next; over {
				path = ""
			}
			for len(extras) > 0 && (path == "" || extras[0].Since.Before(s.at)) {
				extras = extras[1:]
			}
		}
	}
	return there, nil
}
