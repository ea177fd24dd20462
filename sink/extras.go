package sink

import (
	"context"
	"slices"
	"strings"
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

// ExtraState is the result for an extra.
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

// Extras removes extras from a list. Its methods may be called at once.
type Extras struct {
	client  *Client
	list    *List
	lookups *lookups
	remover *remover
}

// NewExtras returns what removes extras from a list.
func NewExtras(c *Client, list *List) *Extras {
	return &Extras{c, list, newLookups(c, list), &remover{client: c, list: list, trial: new(trial)}}
}

// Remove removes members, at most 1,000, sorted by Since, and sets the state of each. Right before, it looks them up on
// the list again: whoever has not been there since the same second is not removed. Then it calls doomed with the
// others, whose error keeps them on the list. Right after the removal, it looks them up once more.
// The error is that of doomed or an *Error, and also that of a ctx that ended; the states are true then as well.
func (x *Extras) Remove(ctx context.Context, extras []Extra, doomed func([]*Extra) error) error {
	all := make([]*Extra, len(extras))
	for i := range extras {
		all[i] = &extras[i]
	}
	there, err := x.lookUp(ctx, all, false)
	if err != nil {
		return err
	}
	var staying []*Extra // since the same second
	for _, e := range all {
		switch since, ok := there[e.ID]; {
		case !ok:
			e.State = Left
		case since.Equal(e.Since):
			staying = append(staying, e)
		default: // an earlier date is that of a profile that was merged into this one
			e.State = Rejoined
		}
	}
	if len(staying) == 0 {
		return nil
	}
	if err := doomed(staying); err != nil {
		return err
	}
	return x.remove(ctx, staying)
}

// lookUp returns since when extras are on the list, who are sorted by Since. removed says that most of them should not
// be there: then an endpoint with a quota of its own is asked first, whose answers have nothing but ids.
func (x *Extras) lookUp(ctx context.Context, extras []*Extra, removed bool) (map[string]time.Time, error) {
	id, _, _ := x.list.State()
	members := x.client.members(id)
	there := map[string]time.Time{}
	var bare []*Extra // nobody can be asked for who has no address
	steps, of := map[Identifier][]*person{}, map[*person]*Extra{}
	for _, e := range extras {
		by, value := Email, e.Email
		if value == "" {
			by, value = PhoneNumber, e.PhoneNumber
		}
		if value == "" {
			bare = append(bare, e)
			continue
		}
		p := &person{row: new(Profile), value: value, id: e.ID}
		steps[by], of[p] = append(steps[by], p), e
	}
	for _, by := range []Identifier{Email, PhoneNumber} {
		people := steps[by]
		var err error
		if removed {
			people, err = x.lookups.seen(ctx, x.client.memberIDs(id), by, people)
		}
		if err == nil {
			err = x.lookups.find(ctx, members, by, people)
		}
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			if p.row.Status == Rejected { // Klaviyo does not take the address in a look-up
				bare = append(bare, of[p])
			}
			for i := range p.found {
				if since, err := time.Parse(time.RFC3339, p.found[i].Attributes.JoinedAt); err == nil && p.found[i].ID == p.id {
					there[p.id] = since.UTC().Truncate(time.Second)
				}
			}
		}
	}
	slices.SortFunc(bare, func(a, b *Extra) int { return a.Since.Compare(b.Since) })
	return there, x.seconds(ctx, bare, there)
}

// remove removes extras who are on the list, and looks up whether they left.
func (x *Extras) remove(ctx context.Context, extras []*Extra) error {
	profiles := make([]Profile, len(extras))
	for i, e := range extras {
		profiles[i].JSON = append(json.AppendEscape([]byte(`{"type":"profile","id":`), e.ID, 0), '}')
	}
	texts := x.client.newTexts()
	defer texts.free()
	failed := x.remover.send(ctx, profiles, texts)
	var sent []*Extra
	for i, e := range extras {
		switch p := &profiles[i]; p.Status {
		case Unsent:
			continue
		case Applied:
			e.State = Removed
		case Unknown:
			e.State, e.Fault = Uncertain, AnswerLost
		case Rejected:
			p.rejectAs(p)
			e.Fault = p.Fault
		}
		sent = append(sent, e)
	}
	if failed != nil || len(sent) == 0 {
		return failed
	}
	there, err := x.lookUp(ctx, sent, true)
	if err != nil {
		return err
	}
	for _, e := range sent {
		since, ok := there[e.ID]
		stays := ok && since.Equal(e.Since)
		switch {
		case e.State == Stays && !stays: // Klaviyo did not find the member any more
			e.State, e.Fault = Left, nil
		case e.State == Stays:
		case stays:
			e.State, e.Fault = Uncertain, stillOnList
		default:
			e.State, e.Fault = Removed, nil
		}
	}
	return nil
}

// seconds reads the members who joined in the seconds of extras, who are sorted by Since. For the extras among them, it
// enters in there when they joined.
func (x *Extras) seconds(ctx context.Context, extras []*Extra, there map[string]time.Time) error {
	known := map[string]bool{}
	for _, e := range extras {
		known[e.ID] = true
	}
	pages := x.client.memberPages(x.list, "read again who joined when", nil)
	for len(extras) > 0 {
		at := extras[0].Since // the second of the last member that was read
		filter := joinedIn(at, extras[len(extras)-1].Since.Add(time.Second))
		err := pages.follow(ctx, pages.path("joined_group_at", "100", filter), func(page *memberPage) (bool, error) {
			for _, m := range page.members {
				if m.Since.Before(at) {
					return false, pages.disordered(m.Since, at)
				}
				if at = m.Since; known[m.ID] {
					there[strings.Clone(m.ID)] = m.Since
				}
			}
			for len(extras) > 0 && (page.next == "" || extras[0].Since.Before(at)) {
				extras = extras[1:]
			}
			return len(extras) > 0 && !extras[0].Since.After(at), nil // a jump costs what a page costs
		})
		if err != nil {
			return err
		}
	}
	return nil
}
