package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// doomed returns the members that earlier runs were about to remove, and whose removal has no result or cannot be
// proved, by spotID.
func (e *Earlier) doomed() (map[uint64]*extra, error) {
	if e == nil {
		return nil, nil
	}
	r, err := e.results()
	if err != nil {
		return nil, err
	}
	open := map[uint64]*extra{}
	for {
		line, err := r.NextMember()
		if err == io.EOF {
			return open, nil
		}
		if err != nil {
			return nil, err
		}
		m := line.Member
		delete(open, spotID(m.ProfileID))
		if m.ProfileID != "" && (m.Status == report.MemberRemoving || m.Status == report.MemberUnknown) {
			open[spotID(m.ProfileID)] = &extra{sink.Extra{ID: strings.Clone(m.ProfileID)}, bytes.Clone(m.Key)}
		}
	}
}

// tell looks up those members on the list, and writes a line for each of them. Extras get theirs when
// they are removed.
func (m *mirror) tell(ctx context.Context) error {
	open, err := m.run.options.Resume.doomed()
	for _, s := range m.extras.spots {
		delete(open, s.id)
	}
	if err != nil || len(open) == 0 {
		return err
	}
	all := slices.SortedFunc(maps.Values(open), func(a, b *extra) int { return cmp.Compare(a.ID, b.ID) })
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	found, err := sink.NewReadBack(m.run.options.Client, m.run.list, sink.ProfileID).Removed(ctx, ids)
	if err != nil {
		return err
	}
	for i, e := range all {
		line := report.Member{Status: report.MemberRemoved, Key: e.key, ProfileID: e.ID}
		switch e.State = sink.Removed; found[i].State {
		case sink.OnList:
			e.State, line.Status = sink.Stays, report.MemberExtra
			line.Detail = "an earlier run was about to remove the member: a row names them, or they joined again"
		case sink.NotRead:
			m.unproved++
			e.State, line.Status, line.Code = sink.Uncertain, report.MemberUnknown, sink.AnswerLost.Code
			line.Detail = "an earlier run was about to remove the member, and there is no address to look them up by"
		}
		m.run.out.Member(&line)
	}
	return cmp.Or(m.run.out.Flush(), m.run.forgetRemoved(all))
}
