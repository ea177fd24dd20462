package pipeline

import (
	"context"
	"hash/maphash"
	"regexp"
	"slices"
	"sync"

	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// mirrorWindow is among how many members the same one is found again: Klaviyo's pages may repeat one when people join
// or leave. It takes 7 MB.
const mirrorWindow = 250_000

// walk reads all members of the list. Those who match no row are extras so far.
func (m *mirror) walk(ctx context.Context) error {
	fields := []string{string(sink.Email), string(sink.PhoneNumber)}
	if by := m.run.options.Checker.By(); !slices.Contains(fields, by) {
		fields = append(fields, by)
	}
	again, seeds := newSeen(mirrorWindow), [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	return m.run.options.Client.Members(ctx, m.run.list, fields, func(members []sink.Member) error {
		for i := range members {
			one := &members[i]
			id := [2]uint64{maphash.String(seeds[0], one.ID), maphash.String(seeds[1], one.ID)}
			if again.first(id, 1) != 0 {
				continue
			}
			if err := m.see(one); err != nil {
				return err
			}
		}
		m.run.control.members.Store(m.counts.Read)
		return nil
	})
}

// see matches a member with the rows.
func (m *mirror) see(member *sink.Member) error {
	m.counts.Read++
	checker := m.run.options.Checker
	value := unquoted(member.Of(checker.By()))
	if len(value) == 0 || !m.roll.see(checker.Identity(string(value))) {
		return m.extras.add(member, value)
	}
	m.counts.Matched++
	if !m.options.Plan && !member.Since.Before(m.began) {
		m.counts.Added++
	}
	return nil
}

// lookedUp is how many rows are looked up together.
const lookedUp = 1_000

// lookUp reads the rows once more, and looks up those who were not seen: a member may show another address. Their
// profiles are no extras. A row that is found nowhere is not accounted for, unless it was rejected.
func (m *mirror) lookUp(ctx context.Context) error {
	if m.roll.unseen() == 0 && m.run.control.rejected.Load() == 0 {
		return nil
	}
	u := &unseen{mirror: m, reader: sink.NewReadBack(
		m.run.options.Client, m.run.list, sink.Identifier(m.run.options.Checker.By()),
	)}
	checks := newChecks(m.run.control, m.run.options.Checker, func(c *chunk) { u.add(ctx, c) })
	err := m.run.read(ctx, m.input.again(), checks.add)
	checks.wait()
	u.ask(ctx)
	if left := m.roll.unseen(); left > 0 && u.err == nil && ctx.Err() == nil { // the input has changed
		m.counts.Unmatched += int64(left)
	}
	if u.err != nil {
		return u.err
	}
	return err
}

// unseen is the stage that looks up people who were not seen on the list.
type unseen struct {
	mirror *mirror
	reader *sink.ReadBack
	rows   int64
	added  asked // rows that put their people on the list
	others asked // rejected rows
	err    error
}

// asked are rows that are looked up together.
type asked struct {
	values []string
	rows   []int64
	again  []bool // the row was sent after the members were read
}

// add takes the rows of a chunk that were not seen.
func (u *unseen) add(ctx context.Context, c *chunk) {
	defer c.release()
	defer u.mirror.run.control.guard()
	m := u.mirror
	for i := range c.rows.Rows {
		row, number := &c.rows.Rows[i], u.rows+int64(i)+1
		switch {
		case row.Identity == [2]uint64{}:
			if !nowhere(row.Fault.Code, c.rows.Data[row.KeyStart:row.KeyEnd]) {
				m.miss(number)
			}
			continue
		case !m.roll.has(row.Identity): // the input has changed
			m.miss(number)
			continue
		case m.roll.is(row.Identity, onList):
			continue
		case row.Fault != nil && m.roll.is(row.Identity, hasValid): // a later row stands for the person
			continue
		}
		m.roll.see(row.Identity) // for rows that repeat it
		value := plain(c.rows.Data[row.KeyStart:row.KeyEnd])
		to := &u.added
		switch {
		case row.Fault != nil && m.run.options.Checker.Identity(value) != row.Identity: // the key is not what is sent
			m.miss(number)
			continue
		case row.Fault != nil || m.roll.isRefused(row.Identity):
			to = &u.others
		}
		to.values, to.rows = append(to.values, value), append(to.rows, number)
		to.again = append(to.again, m.roll.is(row.Identity, sentAgain))
		if len(to.values) == lookedUp {
			u.ask(ctx)
		}
	}
	u.rows += int64(len(c.rows.Rows))
}

// nowhere reports whether the key of a rejected row, a JSON string, names nobody that Klaviyo could have on a list.
func nowhere(code validate.Code, key []byte) bool {
	switch code {
	case validate.EmailInvalid:
		return !likeAddress().MatchString(plain(key))
	case validate.ExternalIDInvalid:
		return true
	}
	return false
}

// likeAddress matches a text that may have somebody's address in it, written as Klaviyo does not take it: with a name,
// with a comma for the dot, as one of several, or in another script.
var likeAddress = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)[\pL\pN].*[@＠].*[\pL\pN].*[.,．。｡].*[\pL\pN]`)
})

// miss notes a row that is not accounted for.
func (m *mirror) miss(row int64) {
	if m.counts.Unmatched++; m.unmatched == 0 || row < m.unmatched {
		m.unmatched = row
	}
}

// ask looks up the people who were gathered.
func (u *unseen) ask(ctx context.Context) {
	read := u.reader.Added
	if u.mirror.options.Plan { // many rows may be unknown to Klaviyo
		read = u.reader.Known
	}
	for _, look := range []*asked{&u.added, &u.others} {
		if u.err != nil || ctx.Err() != nil || len(look.values) == 0 {
			continue
		}
		proofs, err := read(ctx, look.values)
		if err != nil {
			u.err = err
			u.mirror.run.control.stop(err)
			return
		}
		for i := range proofs {
			u.mirror.found(&proofs[i], look.rows[i], look == &u.added, look.again[i])
		}
		look.values, look.rows, look.again = look.values[:0], look.rows[:0], look.again[:0]
	}
}

// found notes what a look-up showed of a row. added says that the row puts its person on the list, and again that it
// was sent after the members were read.
func (m *mirror) found(p *sink.Proof, row int64, added, again bool) {
	joined := again && p.State == sink.OnList && !p.Since.Before(m.began)
	for _, id := range p.IDs {
		m.extras.protect(id, joined)
	}
	switch {
	case p.State == sink.OnList:
	case added && m.options.Plan && p.State == sink.OffList:
		m.counts.Added++
	case added || p.State == sink.NotRead:
		m.miss(row)
	}
}
