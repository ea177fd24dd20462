package simulator

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// crockford is the alphabet of ULIDs, which most of Klaviyo's profile ids are.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// profile is one person as Klaviyo keeps it. attributes is a JSON object without nulls that is never changed in place,
// nil once the profile is deleted or merged into another.
type profile struct {
	attributes       []byte
	created, updated int64  // Unix nanoseconds
	job              uint32 // the number of the last import job that wrote it
}

// profiles holds the profiles, numbered in order of creation, and finds them by their identifiers.
type profiles struct {
	all      []profile
	email    map[string]uint32   // lower case, all addresses of a profile with several
	also     map[uint32][]string // the addresses of such a profile besides its first
	phone    owners
	external owners
	old      map[string]uint32 // by the ids that are no ULIDs
	oldID    map[uint32]string // the same the other way round
	merged   map[uint32]uint32 // where the profiles went that were merged into others
}

func newProfiles() profiles {
	return profiles{
		email: map[string]uint32{}, also: map[uint32][]string{}, phone: newOwners(), external: newOwners(),
		old: map[string]uint32{}, oldID: map[uint32]string{}, merged: map[uint32]uint32{},
	}
}

// id returns the profile's old id, or a ULID that sorts by number and contains it, so that no table of ULIDs is
// needed.
func (ps *profiles) id(n uint32) string {
	if id, ok := ps.oldID[n]; ok {
		return id
	}
	return ulid(time.Unix(0, ps.all[n].created), n)
}

// ulid returns a ULID of a time that contains a number.
func ulid(created time.Time, n uint32) string {
	var id [26]byte
	ms := uint64(created.UnixMilli())
	for i := 9; i >= 0; i-- {
		id[i] = crockford[ms%32]
		ms /= 32
	}
	number := uint64(n)
	for i := 17; i >= 10; i-- {
		id[i] = crockford[number%32]
		number /= 32
	}
	noise := (uint64(n) + 1) * 0x9e3779b97f4a7c15
	for i := 25; i >= 18; i-- {
		id[i] = crockford[noise>>59]
		noise <<= 5
	}
	return string(id[:])
}

// age gives a profile an id from before ULIDs, if it has none, and returns it.
func (ps *profiles) age(n uint32) (id string) {
	if id, ok := ps.oldID[n]; ok {
		return id
	}
	for id == "" {
		id = randomID()
		if _, taken := ps.old[id]; taken {
			id = ""
		}
	}
	ps.old[id], ps.oldID[n] = n, id
	return id
}

// byID returns the number of the profile with this id, or of the one into which it was merged.
func (ps *profiles) byID(id string) (n uint32, ok bool) {
	if n, ok := ps.old[id]; ok {
		return ps.survivor(n)
	}
	if len(id) != 26 {
		return 0, false
	}
	var number uint64
	for _, c := range []byte(id[10:18]) {
		digit := bytes.IndexByte([]byte(crockford), c)
		if digit < 0 {
			return 0, false
		}
		number = number*32 + uint64(digit)
	}
	if number >= uint64(len(ps.all)) || ps.id(uint32(number)) != id {
		return 0, false
	}
	return ps.survivor(uint32(number))
}

func (ps *profiles) byEmail(email []byte) (n uint32, ok bool) {
	n, ok = ps.email[string(bytes.ToLower(email))]
	return n, ok
}

// alias makes email another address of profile n.
func (ps *profiles) alias(n uint32, email string) {
	ps.also[n] = append(ps.also[n], email)
	ps.email[strings.ToLower(email)] = n
}

// isAnother reports whether email is an address of profile n, and not its first.
func (ps *profiles) isAnother(n uint32, email []byte) bool {
	return slices.ContainsFunc(ps.also[n], func(a string) bool { return strings.EqualFold(a, string(email)) })
}

// upsert writes a sent profile into the profile that it names, or into a new one. job is the number of its import job.
// change is created, updated, or unchanged. If one import job sends a profile several times, the first is written and
// the others are dropped without an error, with change "": Klaviyo promises no order for them and may drop any.
func (ps *profiles) upsert(sent *sentProfile, now time.Time, job uint32) (n uint32, change string, p *problem) {
	n, found, p := ps.match(sent)
	if p != nil {
		return 0, "", p
	}
	if !found {
		return ps.create(sent, now, job), created, nil
	}
	old := &ps.all[n]
	if old.job == job {
		return n, "", nil
	}
	old.job = job
	if ps.isAnother(n, sent.email) { // Klaviyo chooses the first address, no write does
		copied := *sent
		copied.email = nil
		copied.drop("email")
		sent = &copied
	}
	if bytes.Equal(old.attributes, sent.attributes) && sent.unset == nil {
		return n, unchanged, nil
	}
	merged := remove(merge(old.attributes, sent.attributes, sent.dropped), sent.unset)
	if bytes.Equal(old.attributes, merged) {
		return n, unchanged, nil
	}
	ps.index(n, sent, old.attributes)
	old.attributes = merged
	old.updated = now.UnixNano()
	return n, updated, nil
}

// match finds the profile that a sent profile names by id, email, phone number or external id, in this order.
// If it has an email that no profile has, its phone number or external id finds only a profile without an email:
// two people may share a phone. It is a conflict if one of its identifiers belongs to another profile.
func (ps *profiles) match(sent *sentProfile) (n uint32, found bool, p *problem) {
	emailOwner, emailKnown := ps.byEmail(sent.email)
	emailKnown = emailKnown && sent.email != nil
	switch {
	case sent.id != "":
		if n, found = ps.byID(sent.id); !found {
			p := noSuch("profile", sent.id)
			return 0, false, &p
		}
	case emailKnown:
		n, found = emailOwner, true
	default:
		if n, found = ps.adopt(sent, ps.phone.of(sent.phone)); !found {
			n, found = ps.adopt(sent, ps.external.of(sent.external))
		}
	}
	if !found {
		return 0, false, nil
	}
	if emailKnown && emailOwner != n || ps.phone.ofOthers(sent.phone, n) || ps.external.ofOthers(sent.external, n) {
		return 0, false, &problem{
			code: "duplicate_profile", title: "Conflict.",
			detail: "A profile already exists with one of these identifiers.",
		}
	}
	return n, true, nil
}

// adopt returns the first owner of a phone number or external id that the sent profile may name.
func (ps *profiles) adopt(sent *sentProfile, owners []uint32) (n uint32, ok bool) {
	for _, n := range owners {
		if sent.email == nil || find(ps.all[n].attributes, "email") == nil {
			return n, true
		}
	}
	return 0, false
}

func (ps *profiles) create(sent *sentProfile, now time.Time, job uint32) uint32 {
	attributes := slices.Clone(sent.attributes)
	if sent.rewrite {
		attributes = merge(nil, sent.attributes, sent.dropped)
	}
	attributes = remove(attributes, sent.unset)
	n := uint32(len(ps.all))
	at := now.UnixNano()
	if n > 0 {
		at = max(at, ps.all[n-1].created) // ids sort by time even if the clock steps back
	}
	ps.all = append(ps.all, profile{attributes: attributes, created: at, updated: at, job: job})
	ps.index(n, sent, nil)
	return n
}

// index adds the identifiers that a sent profile gives to profile n, and removes the ones of its old attributes that
// they replace. old is nil for a new profile.
func (ps *profiles) index(n uint32, sent *sentProfile, old []byte) {
	if sent.email != nil {
		if replaced := identifier(old, "email"); replaced != nil {
			delete(ps.email, string(bytes.ToLower(replaced)))
		}
		ps.email[string(bytes.ToLower(sent.email))] = n
	}
	ps.phone.replace(identifier(old, "phone_number"), sent.phone, n)
	ps.external.replace(identifier(old, "external_id"), sent.external, n)
}

// identifier returns the decoded text of a string attribute, or nil without it.
func identifier(attributes []byte, name string) []byte {
	if attributes == nil {
		return nil
	}
	value := find(attributes, name)
	if value == nil {
		return nil
	}
	s, _ := text(value)
	return s
}
