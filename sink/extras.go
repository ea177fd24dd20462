package sink

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/segmentio/encoding/json"
)

// maxExtras is how many members one call of RemoveExtras takes: those of one request.
const maxExtras = maxRemoval

// Extra is a member who is to come off a list. Its identifiers, if there are any, find it when it joined again.
type Extra struct {
	ID                 string
	Since              time.Time // when it joined the list, as in Member
	Email, PhoneNumber string
	State              ExtraState
	Fault              *Fault // why it is Uncertain, or Klaviyo's reason why it Stays
}

// ExtraState is what became of an Extra. It is on the list "at its second" when the list shows it with its Since.
type ExtraState uint8

const (
	Stays     ExtraState = iota // not removed: as far as is known, it is still on the list
	Removed                     // removed; the list does not show it at its second any more
	Rejoined                    // not removed: it is on the list with another date
	Left                        // not removed: it was not on the list at its second any more, nor found otherwise
	Uncertain                   // sent; the list still shows it at its second, or could not be read after a lost answer
)

// The reasons why an extra is Uncertain.
var (
	extraStillOnList = &Fault{Code: "still_on_list",
		Detail: "the removal was sent, and the list still shows the member with the same date"}
	extraAnswerLost = &Fault{Code: AnswerLost.Code,
		Detail: "the removal was sent, but no usable answer came back, and the list could not be read after it"}
)

// sighting is what pages of the list showed of a candidate.
type sighting uint8

const (
	notLooked sighting = iota // its second was not read to the end
	notSeen                   // it is not at its second
	atSecond
	elsewhere // on the list with another date
)

// candidate is an extra while it is looked for.
type candidate struct {
	*Extra
	seen sighting
}

// look notes with which date the list shows the candidate.
func (c *candidate) look(since time.Time) {
	if c.seen = elsewhere; since.Equal(c.Since) {
		c.seen = atSecond
	}
}

// RemoveExtras removes members from a list, and sets State and Fault of each one. It reads the seconds in which they
// joined, removes those who are there, and reads those seconds again. Whoever left or rejoined since the list was
// walked is in no removal.
//
// There are at most 1,000 extras, each id once, sorted by Since. A jump to another second costs as many requests as a
// page: one. Several calls may run at once. The error is an *Error; what was not sent by then Stays. When ctx ends, no
// further request starts.
func (c *Client) RemoveExtras(ctx context.Context, list *List, extras []Extra) error {
	pages := c.memberPages(list, "read again who joined when", nil)
	all := make([]*candidate, len(extras))
	for i := range extras {
		extras[i].State, extras[i].Fault = Stays, nil
		all[i] = &candidate{Extra: &extras[i]}
	}
	if len(all) == 0 {
		return nil
	}
	if err := pages.look(ctx, all); err != nil {
		return err
	}
	if err := c.lookElsewhere(ctx, list, all); err != nil {
		return err
	}
	var there []*candidate
	for _, one := range all {
		switch one.seen {
		case atSecond:
			there = append(there, one)
		case elsewhere:
			one.State = Rejoined
		default:
			one.State = Left
		}
	}
	if len(there) == 0 {
		return nil
	}
	return c.removeExtras(ctx, list, &pages, there)
}

// removeExtras removes candidates who were seen at their seconds, and reads these again.
func (c *Client) removeExtras(ctx context.Context, list *List, pages *memberPages, there []*candidate) error {
	set := make([]Profile, len(there))
	for i, one := range there {
		element := append([]byte(`{"type":"profile","id":`), json.AppendEscape(nil, one.ID, 0)...)
		set[i].JSON = append(element, '}')
	}
	t := c.newTexts()
	defer t.free()
	err := (&remover{client: c, list: list}).send(ctx, set, t)
	var sent []*candidate
	for i, one := range there {
		if set[i].Status != Unsent {
			one.seen = notLooked
			sent = append(sent, one)
		}
	}
	if len(sent) > 0 {
		err = cmp.Or(err, pages.look(ctx, sent))
	}
	for i, one := range there {
		one.judge(&set[i])
	}
	return err
}

// judge sets the state of an extra after a removal that had p in it.
func (c *candidate) judge(p *Profile) {
	switch {
	case p.Status == Unsent:
	case p.Status == Rejected && c.seen == notSeen:
		c.State = Left
	case p.Status == Rejected && c.seen == elsewhere:
		c.State = Rejoined
	case p.Status == Rejected:
		p.rejectAs(p)
		c.Fault = p.Fault
	case c.seen == atSecond:
		c.State, c.Fault = Uncertain, extraStillOnList
	case c.seen == notLooked && p.Status == Unknown:
		c.State, c.Fault = Uncertain, extraAnswerLost
	default:
		c.State = Removed
	}
}

// look reads the seconds of candidates, who are sorted by them, until each one is seen or its second is over.
func (m *memberPages) look(ctx context.Context, all []*candidate) error {
	if len(all) > maxExtras {
		panic(fmt.Sprintf("remove extras: expected at most %d, got %d", maxExtras, len(all)))
	}
	places := make(map[string]*candidate, len(all))
	for i, one := range all {
		if places[one.ID] = one; len(places) <= i || i > 0 && one.Since.Before(all[i-1].Since) {
			panic(fmt.Sprintf("remove extras: expected each id once, sorted by Since: place %d", i))
		}
	}
	end := all[len(all)-1].Since.Add(time.Second)
	for left := all; len(left) > 0; {
		at := left[0].Since
		err := m.follow(ctx, m.path("joined_group_at", "100", joinedIn(at, end)), func(page *memberPage) (bool, error) {
			for i := range page.members {
				since := page.members[i].Since
				if since.Before(at) {
					return false, m.disordered(since, at)
				}
				at = since
				if one := places[page.members[i].ID]; one != nil {
					one.look(since)
				}
			}
			if page.next == "" {
				at = end
			}
			for len(left) > 0 && (left[0].seen == atSecond || left[0].Since.Before(at)) {
				left[0].seen = max(left[0].seen, notSeen)
				left = left[1:]
			}
			return len(left) > 0 && left[0].Since.Equal(at), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lookElsewhere looks candidates who are not at their seconds up on the list by what names them.
func (c *Client) lookElsewhere(ctx context.Context, list *List, all []*candidate) error {
	lookups := newLookups(c, list)
	id, _, _ := list.State()
	for _, by := range []Identifier{Email, PhoneNumber} {
		var people []*person
		var of []*candidate
		for _, one := range all {
			value := one.Email
			if by == PhoneNumber {
				value = one.PhoneNumber
			}
			if one.seen == notSeen && value != "" {
				of = append(of, one)
				people = append(people, &person{row: new(Profile), value: value, id: one.ID})
			}
		}
		if err := lookups.find(ctx, c.members(id), by, people); err != nil {
			return err
		}
		for i, p := range people {
			for k := range p.found {
				if found := &p.found[k]; found.ID == p.id {
					since, _ := time.Parse(time.RFC3339, found.Attributes.JoinedAt)
					of[i].look(since.Truncate(time.Second))
				}
			}
		}
	}
	return nil
}
