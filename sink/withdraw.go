package sink

import (
	"context"
	"slices"
)

// addressed is a row of a Consents that has other names for its person than the request takes.
type addressed struct {
	row *Profile

	Email       string    `json:"email"`
	PhoneNumber string    `json:"phone_number"`
	ExternalID  string    `json:"external_id"`
	ConsentedAt string    `json:"consented_at"`
	id          string    // of the profile with the external id
	number      int64     // of a row that withdraws
	members     [2]person // on the list, with the email and with the phone number
}

// readAddressed reads the rows' JSON.
func readAddressed(rows []Profile) []*addressed {
	people := make([]*addressed, len(rows))
	for i := range rows {
		people[i] = new(addressed)
		_ = decode(rows[i].JSON, people[i]) // it is an object: the checks wrote it
		people[i].row = &rows[i]
	}
	return people
}

// reach narrows the row's channels to those that the person has an identifier for, and rejects a row without any.
func (p *addressed) reach() {
	if p.row.Channels = p.row.Channels.reached(p.Email != "", p.PhoneNumber != ""); p.row.Channels == 0 {
		p.row.Status, p.row.Fault = Rejected, noChannel
	}
}

// unsent are the people whose rows have no status yet.
func unsent(people []*addressed) []*addressed {
	return slices.DeleteFunc(slices.Clone(people), func(p *addressed) bool { return p.row.Status != Unsent })
}

// resolve finds the emails and phone numbers of people who are named by external ids.
func (s *Consents) resolve(ctx context.Context, people []*addressed) error {
	looked := make([]*person, len(people))
	for i, p := range people {
		looked[i] = &person{row: p.row, value: p.ExternalID}
	}
	if err := s.lookups.find(ctx, s.client.profiles(), ExternalID, looked); err != nil {
		return err
	}
	for i, p := range people {
		switch found := looked[i].found; {
		case p.row.Status != Unsent:
		case len(found) == 0:
			p.row.Status, p.row.Fault = Skipped, profileNotFound
		default:
			p.id, p.Email, p.PhoneNumber = found[0].ID, found[0].Attributes.Email, found[0].Attributes.PhoneNumber
			p.reach()
		}
	}
	return nil
}

// subscribeKnown subscribes profiles that are named by external ids.
func (s *Consents) subscribeKnown(ctx context.Context, rows []Profile) error {
	people := readAddressed(rows)
	if err := s.resolve(ctx, people); err != nil {
		return err
	}
	people = unsent(people)
	elements := make([]Profile, len(people))
	for i, p := range people {
		elements[i] = Profile{JSON: p.element("SUBSCRIBED", p.row.Channels), Channels: p.row.Channels}
	}
	if len(elements) == 0 {
		return nil
	}
	err := s.subscribe(ctx, elements)
	for i, p := range people {
		p.row.Status, p.row.Fault = elements[i].Status, elements[i].Fault
	}
	return err
}

// element writes the element of a request that sets or withdraws consent.
func (p *addressed) element(consent string, channels Channels) []byte {
	b := []byte(`{"type":"profile",`)
	if p.id != "" && consent == "SUBSCRIBED" {
		b = append(b, `"id":`+quoted(p.id)+`,`...)
	}
	b = append(b, `"attributes":{`...)
	if channels&EmailMarketing != 0 {
		b = append(b, `"email":`+quoted(p.Email)+`,`...)
	}
	if channels&sms != 0 {
		b = append(b, `"phone_number":`+quoted(p.PhoneNumber)+`,`...)
	}
	b = append(b, `"subscriptions":{`...)
	one := func(name string, c Channels) {
		if channels&c == 0 {
			return
		}
		b = append(b, `"`+name+`":{"consent":"`+consent+`"`...)
		if p.ConsentedAt != "" {
			b = append(b, `,"consented_at":`+quoted(p.ConsentedAt)...)
		}
		b = append(b, `},`...)
	}
	if channels&EmailMarketing != 0 {
		b = append(b, `"email":{`...)
		one("marketing", EmailMarketing)
		b = append(b[:len(b)-1], `},`...)
	}
	if channels&sms != 0 {
		b = append(b, `"sms":{`...)
		one("marketing", SMSMarketing)
		one("transactional", SMSTransactional)
		b = append(b[:len(b)-1], `},`...)
	}
	return append(b[:len(b)-1], `}}}`...)
}

// withdraw withdraws consent. On a list it names only people who are on the list: Klaviyo unsubscribes anybody else
// everywhere (klaviyo-more.md §2.5). again says that the rows were sent before, and nothing showed.
func (s *Consents) withdraw(ctx context.Context, rows []Profile, again bool) error {
	people := readAddressed(rows)
	if s.wish.By == ExternalID {
		if err := s.resolve(ctx, people); err != nil {
			return err
		}
		people = unsent(people)
	}
	if s.wish.List != nil {
		if err := s.findMembers(ctx, people); err != nil {
			return err
		}
		people = unsent(people)
	}
	var parts withdrawals
	for _, p := range people {
		if s.wish.List == nil || s.leaves(p, again) {
			s.divide(p, &parts)
		}
	}
	err := s.sendParts(ctx, parts.elements)
	for _, p := range people {
		if p.enter(&parts); s.wish.List != nil && p.row.Status != Accepted && p.row.Status != Unknown {
			s.stays(p)
		}
	}
	return err
}

// findMembers looks up who is on the list, by each address that would be sent, and skips rows without any.
func (s *Consents) findMembers(ctx context.Context, people []*addressed) error {
	id, _, _ := s.wish.List.State()
	for i, by := range []Identifier{Email, PhoneNumber} {
		var asked []*person
		for _, p := range people {
			value := [...]string{p.Email, p.PhoneNumber}[i]
			if by == Email && p.row.Channels&EmailMarketing == 0 || by == PhoneNumber && p.row.Channels&sms == 0 ||
				value == "" || p.row.Status != Unsent {
				continue
			}
			p.members[i] = person{row: p.row, value: value}
			asked = append(asked, &p.members[i])
		}
		if err := s.lookups.find(ctx, s.client.members(id), by, asked); err != nil {
			return err
		}
	}
	if err := s.findStrangers(ctx, people); err != nil {
		return err
	}
	for _, p := range people {
		on := p.row.Channels.reached(len(p.members[0].found) > 0, len(p.members[1].found) > 0)
		switch {
		case p.row.Status != Unsent:
		case on == 0:
			p.row.Status, p.row.Fault = Skipped, notOnList
		default:
			p.row.Channels = on
		}
	}
	return nil
}

// findStrangers rejects rows whose phone number somebody else has too, who is not on the list: a request by the number
// may be about that person.
func (s *Consents) findStrangers(ctx context.Context, people []*addressed) error {
	var owners []*person
	var of []*addressed
	for _, p := range people {
		if m := &p.members[1]; p.row.Status == Unsent && len(m.found) > 0 {
			owners, of = append(owners, &person{row: p.row, value: m.value}), append(of, p)
		}
	}
	if err := s.lookups.find(ctx, s.client.profiles(), PhoneNumber, owners); err != nil {
		return err
	}
	for i, p := range of {
		off := func(owner profileResource) bool {
			return !slices.ContainsFunc(p.members[1].found, func(m profileResource) bool { return m.ID == owner.ID })
		}
		if p.row.Status == Unsent && slices.ContainsFunc(owners[i].found, off) {
			p.row.Status, p.row.Fault = Rejected, sharedNumber
		}
	}
	return nil
}

// withdrawals are the elements of requests that withdraw consent, and which of them are a row's.
type withdrawals struct {
	elements []Profile
	of       map[*addressed][]int
}

func (w *withdrawals) add(p *addressed, channels Channels) {
	if w.of == nil {
		w.of = map[*addressed][]int{}
	}
	w.of[p] = append(w.of[p], len(w.elements))
	w.elements = append(w.elements, Profile{JSON: p.element("UNSUBSCRIBED", channels), Channels: channels})
}

// leaves reports whether the members of a row leave the list by this row. Whoever does by another row of the run is not
// named a second time.
func (s *Consents) leaves(p *addressed, again bool) bool {
	p.number = s.rows.Add(1)
	list, _, _ := s.wish.List.State()
	for i := range p.members {
		for _, member := range p.members[i].found {
			if by, known, _ := s.left.PeekOrAdd(leaving{list, member.ID}, p.number); known && by != p.number && !again {
				p.row.Status, p.row.Fault = Rejected, sameProfile
				return false
			}
		}
	}
	return true
}

// stays notes that the members of a row do not leave the list by it: Klaviyo refused the row, or was not asked.
func (s *Consents) stays(p *addressed) {
	list, _, _ := s.wish.List.State()
	for i := range p.members {
		for _, member := range p.members[i].found {
			if by, _ := s.left.Peek(leaving{list, member.ID}); by == p.number {
				s.left.Remove(leaving{list, member.ID})
			}
		}
	}
}

// divide adds the elements of a row: email and phone number apart, as they may be of two people. On a list they stay
// together if they are of one member: after the first of two requests that person would not be on the list any more.
func (s *Consents) divide(p *addressed, parts *withdrawals) {
	both := p.row.Channels
	has := func(one profileResource) bool {
		return slices.ContainsFunc(p.members[1].found, func(other profileResource) bool { return other.ID == one.ID })
	}
	if slices.ContainsFunc(p.members[0].found, has) {
		parts.add(p, both)
		return
	}
	for _, channels := range []Channels{both & EmailMarketing, both & sms} {
		if channels != 0 {
			parts.add(p, channels)
		}
	}
}

// sendParts sends as many elements at a time as one request holds.
func (s *Consents) sendParts(ctx context.Context, elements []Profile) error {
	var list string
	if s.wish.List != nil {
		list, _, _ = s.wish.List.State()
	}
	suffix := `]}}` + listRelation(list) + `}}`
	for part := range slices.Chunk(elements, maxUnsubscribe) {
		err := s.send(ctx, part, func(ctx context.Context, set []*Profile, t *texts) (*refusal, error) {
			return s.post(ctx, "delete", suffix, set, t)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sentRank orders the statuses of several elements of one row: the highest one is the row's.
var sentRank = map[Status]int{Accepted: 0, Unsent: 1, Rejected: 2, Unknown: 3}

// enter gives the row the status of its elements.
func (p *addressed) enter(parts *withdrawals) {
	for n, i := range parts.of[p] {
		if e := &parts.elements[i]; n == 0 || sentRank[e.Status] > sentRank[p.row.Status] {
			p.row.Status, p.row.Fault = e.Status, e.Fault
		}
	}
}
