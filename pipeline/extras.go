package pipeline

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"slices"
	"time"

	"github.com/segmentio/encoding/json"
	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// extra is a member who matches no row.
type extra struct {
	sink.Extra
	key []byte // the identifier as a JSON string, empty for none
}

// keptExtra is an extra in the file. Key is null for none.
type keptExtra struct {
	ID, Email, PhoneNumber string
	Since                  int64 // in Unix seconds
	Key                    json.RawMessage
}

// extras are members who match no row. They are kept in a temporary file: beside it, one takes 32 bytes.
type extras struct {
	file      *os.File
	out       *bufio.Writer
	size      int64
	line      []byte
	spots     []spot
	protected map[uint64]bool // hashes of the profile ids that are no extras after all; true: see protect
}

// spot is where an extra is in the file, and what extras are sorted by.
type spot struct {
	since   int64  // in Unix seconds
	id      uint64 // hash of the profile id
	at      int64
	unnamed bool // the member has no identifier as rows have it
}

func newExtras() (*extras, error) {
	f, err := temporary()
	if err != nil {
		return nil, extrasError(err)
	}
	return &extras{
		file: f, out: bufio.NewWriterSize(f, 64<<10), protected: map[uint64]bool{},
	}, nil
}

func extrasError(err error) error {
	return &Error{
		Text:  fmt.Sprintf("keep the members who match no row in a temporary file: %v", err),
		Hint:  "set TMPDIR to a folder that has room; nobody was removed",
		cause: err,
	}
}

// add enters a member with the identifier that rows have, empty for none.
func (x *extras) add(m *sink.Member, identifier []byte) error {
	e := keptExtra{
		m.ID, plain(m.Email), plain(m.PhoneNumber), m.Since.Unix(), nil,
	}
	if len(identifier) > 0 {
		e.Key = json.AppendEscape(nil, string(identifier), 0)
	}
	var err error
	if x.line, err = json.Append(x.line[:0], &e, 0); err != nil {
		return fmt.Errorf("encode a member: %w", err)
	}
	x.line = append(x.line, '\n')
	x.spots = append(x.spots, spot{m.Since.Unix(), spotID(m.ID), x.size, len(identifier) == 0})
	x.size += int64(len(x.line))
	if _, err := x.out.Write(x.line); err != nil {
		return extrasError(err)
	}
	return nil
}

var checksums = crc64.MakeTable(crc64.ECMA)

// spotID is the same in every run, so that two plans have the same order.
func spotID(id string) uint64 { return crc64.Checksum([]byte(id), checksums) }

// protect says that a profile is no extra. joined says that it joined by this run, perhaps after the members were read.
func (x *extras) protect(id string, joined bool) {
	hash := spotID(id)
	x.protected[hash] = x.protected[hash] || joined
}

// divide leaves the members who joined before a run began and are not protected, sorted by the second in which they
// joined, and counts the others. In a plan no row has joined.
func (x *extras) divide(began time.Time, plan bool, counts *report.Mirrored) error {
	if err := x.out.Flush(); err != nil {
		return extrasError(err)
	}
	slices.SortFunc(x.spots, func(a, b spot) int { return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.id, b.id)) })
	left := x.spots[:0]
	for i := range x.spots {
		s := x.spots[i]
		_, protected := x.protected[s.id]
		if protected {
			x.protected[s.id] = false
		}
		switch {
		case len(left) > 0 && left[len(left)-1].id == s.id && left[len(left)-1].since == s.since: // read twice
			counts.Read--
		case protected:
			if counts.Matched++; !plan && s.since >= began.Unix() {
				counts.Added++
			}
		case s.since >= began.Add(-clockSlack).Unix():
			counts.JoinedLater++
		default:
			if counts.Extras++; s.unnamed {
				counts.Unidentified++
			}
			left = append(left, s)
		}
	}
	x.spots = left
	for _, joined := range x.protected {
		if joined { // after the members were read
			counts.Read++
			counts.Matched++
			counts.Added++
		}
	}
	return nil
}

// read returns an extra.
func (x *extras) read(s spot) (*extra, error) {
	line, err := bufio.NewReader(io.NewSectionReader(x.file, s.at, x.size-s.at)).ReadBytes('\n')
	var k keptExtra
	if err == nil {
		err = json.Unmarshal(line, &k)
	}
	if err != nil {
		return nil, extrasError(err)
	}
	e := &extra{Extra: sink.Extra{
		ID: k.ID, Since: time.Unix(k.Since, 0).UTC(), Email: k.Email, PhoneNumber: k.PhoneNumber,
	}}
	if string(k.Key) != "null" {
		e.key = k.Key
	}
	return e, nil
}

// each calls do with each extra.
func (x *extras) each(do func(*extra)) error {
	for _, s := range x.spots {
		e, err := x.read(s)
		if err != nil {
			return err
		}
		do(e)
	}
	return nil
}

func (x *extras) close() {
	if x != nil {
		removeTemporary(x.file)
	}
}

const (
	removedTogether = 1_000 // extras of one removal request
	removalsAtOnce  = 4     // their look-ups use the whole quota
)

// remove removes the extras, several stretches at once, and writes their lines in order. Its error is of those who may
// still be on the list.
func (m *mirror) remove(ctx context.Context) error {
	control, unproved := m.run.control, m.unproved
	m.remover = sink.NewExtras(m.run.options.Client, m.run.list)
	work := stream.New().WithMaxGoroutines(removalsAtOnce)
	for spots := range slices.Chunk(m.extras.spots, removedTogether) {
		work.Go(func() stream.Callback {
			all := m.removeAll(ctx, spots)
			return func() {
				defer control.guard()
				m.outMu.Lock()
				defer m.outMu.Unlock()
				for i := range all {
					if s := all[i].State; s == sink.Stays || s == sink.Uncertain {
						unproved++
					}
					m.write(all[i])
				}
				control.removed.Store(m.counts.Removed)
				if err := cmp.Or(m.run.out.Flush(), m.run.forgetRemoved(all)); err != nil {
					control.stop(err)
				}
			}
		})
	}
	work.Wait()
	if unproved == 0 {
		return nil
	}
	return &Error{
		Text: fmt.Sprintf("%d of %d members who match no row may still be on the list", unproved,
			m.counts.Extras+m.unproved),
		Hint: "run it again: the lines of type member with the status extra or unknown name them", exit: 1,
	}
}

// removeAll removes a stretch of extras.
func (m *mirror) removeAll(ctx context.Context, spots []spot) []*extra {
	control := m.run.control
	defer control.guard()
	all, members := make([]*extra, len(spots)), make([]sink.Extra, len(spots))
	for i, s := range spots {
		e, err := m.extras.read(s)
		if err != nil {
			control.stop(err)
			return nil
		}
		all[i], members[i] = e, e.Extra
	}
	if ctx.Err() != nil {
		return all
	}
	control.begin("remove")
	err := m.remover.Remove(ctx, members, func(doomed []*sink.Extra) error { return m.announce(all, doomed) })
	for i := range all {
		all[i].Extra = members[i]
	}
	if err != nil {
		control.stop(err)
	}
	return all
}

// announce writes the lines of those extras of a stretch who are about to be removed: a run that is killed has named
// everybody it removed.
func (m *mirror) announce(stretch []*extra, doomed []*sink.Extra) error {
	m.outMu.Lock()
	defer m.outMu.Unlock()
	for _, e := range doomed {
		for stretch[0].ID != e.ID { // both are in the same order
			stretch = stretch[1:]
		}
		m.run.out.Member(&report.Member{Status: report.MemberRemoving, Key: stretch[0].key, ProfileID: e.ID})
	}
	return m.run.out.Flush()
}
