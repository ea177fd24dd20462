package simulator

import (
	"bytes"
	"slices"
	"time"
)

// crockford is the alphabet of ULIDs, which Klaviyo's profile ids are.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// profile is one person. attributes is a JSON object without nulls, never changed in place.
type profile struct {
	attributes       []byte
	created, updated int64  // Unix nanoseconds
	job              uint32 // the number of the last job that wrote it
}

// profiles holds the people, by number in order of creation, and finds them by what identifies them.
type profiles struct {
	all      []profile
	email    map[string]uint32 // lower case
	phone    owners
	external owners
}

func newProfiles() profiles {
	return profiles{email: map[string]uint32{}, phone: newOwners(), external: newOwners()}
}

// id returns a ULID that sorts by number and holds it, so that no table of ids is needed.
func (ps *profiles) id(n uint32) string {
	var id [26]byte
	ms := uint64(ps.all[n].created / int64(time.Millisecond))
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

// byID returns the number of the profile with this id.
func (ps *profiles) byID(id string) (n uint32, ok bool) {
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
	return uint32(number), true
}

func (ps *profiles) byEmail(email []byte) (n uint32, ok bool) {
	n, ok = ps.email[string(bytes.ToLower(email))]
	return n, ok
}

// upsert writes the row into the profile it is about, or into a new one. job is the number of the job it comes from.
// change is created, updated, or unchanged if the profile says the same as before. Of several rows of one job about one person the
// first is written and the others are dropped without an error (change is "" for them): Klaviyo promises no order for them and may drop any.
func (ps *profiles) upsert(r *row, now time.Time, job uint32) (n uint32, change string, p *problem) {
	n, found, p := ps.match(r)
	if p != nil {
		return 0, "", p
	}
	if !found {
		return ps.create(r, now, job), created, nil
	}
	old := &ps.all[n]
	if old.job == job {
		return n, "", nil
	}
	old.job = job
	if bytes.Equal(old.attributes, r.attributes) {
		return n, unchanged, nil
	}
	merged := merge(old.attributes, r.attributes, r.dropPhone)
	if bytes.Equal(old.attributes, merged) {
		return n, unchanged, nil
	}
	ps.index(n, r, old.attributes)
	old.attributes = merged
	old.updated = now.UnixNano()
	return n, updated, nil
}

// match finds the profile a row is about, by id, email, phone number or external id, in this order.
// A phone number or external id finds only a profile without email if the row has another email: two people may share a phone.
// It is a conflict when one of the row's identifiers belongs to another profile than the one found.
func (ps *profiles) match(r *row) (n uint32, found bool, p *problem) {
	emailOwner, emailKnown := ps.byEmail(r.email)
	emailKnown = emailKnown && r.email != nil
	switch {
	case r.id != "":
		if n, found = ps.byID(r.id); !found {
			p := noSuch("profile", r.id)
			return 0, false, &p
		}
	case emailKnown:
		n, found = emailOwner, true
	default:
		if n, found = ps.adopt(r, ps.phone.of(r.phone)); !found {
			n, found = ps.adopt(r, ps.external.of(r.external))
		}
	}
	if !found {
		return 0, false, nil
	}
	if emailKnown && emailOwner != n || ps.phone.ofOthers(r.phone, n) || ps.external.ofOthers(r.external, n) {
		return 0, false, &problem{code: "duplicate_profile", title: "Conflict.", detail: "A profile already exists with one of these identifiers."}
	}
	return n, true, nil
}

// adopt returns the first of the owners of a phone number or external id that the row may be about.
func (ps *profiles) adopt(r *row, owners []uint32) (n uint32, ok bool) {
	for _, n := range owners {
		if r.email == nil || find(ps.all[n].attributes, "email") == nil {
			return n, true
		}
	}
	return 0, false
}

func (ps *profiles) create(r *row, now time.Time, job uint32) uint32 {
	attributes := slices.Clone(r.attributes)
	if r.rewrite {
		attributes = merge(nil, r.attributes, r.dropPhone)
	}
	n := uint32(len(ps.all))
	at := now.UnixNano()
	if n > 0 {
		at = max(at, ps.all[n-1].created) // ids sort by time, whatever the clock does
	}
	ps.all = append(ps.all, profile{attributes: attributes, created: at, updated: at, job: job})
	ps.index(n, r, nil)
	return n
}

// index enters the identifiers that a row gives to profile n, and takes out those of its old attributes (nil for a new
// profile) that they replace.
func (ps *profiles) index(n uint32, r *row, old []byte) {
	if r.email != nil {
		if replaced := identifier(old, "email"); replaced != nil {
			delete(ps.email, string(bytes.ToLower(replaced)))
		}
		ps.email[string(bytes.ToLower(r.email))] = n
	}
	ps.phone.replace(identifier(old, "phone_number"), r.phone, n)
	ps.external.replace(identifier(old, "external_id"), r.external, n)
}

// identifier returns what the string attribute of this name says, nil where there is none.
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
