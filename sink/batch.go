package sink

import (
	"cmp"
	"context"
	"errors"
)

// maxUnnamed is how many requests for one batch may be refused without naming a profile, while none is accepted. Then
// the request itself counts as wrong (DESIGN.md §5). A smaller batch is halved to the end before; trial decides on it.
const maxUnnamed = 30

// batch sends profiles to Klaviyo, which refuses a whole request for one bad profile. The profiles that a refusal
// names are rejected, and the others are sent again. If it names none, the batch is halved until the bad profile is
// alone.
type batch struct {
	list  *List
	trial *trial // of the run
	texts *texts // the reasons against its profiles
	// request sends one request. It returns the refusal of a 4xx about its content, which has rejected those it names.
	request func(ctx context.Context, set []*Profile) (*refusal, error)
	// survive returns nil when the run goes on after a request whose answer was lost. nil: a lost answer ends the run.
	survive func(lost error) error
	lostAs  *Fault // of profiles whose request may have arrived; nil is AnswerLost

	through bool       // a request was accepted
	lost    bool       // a request that may have arrived was refused when it was sent again
	unnamed int        // requests that were refused without a name
	refused *refusal   // the last of them
	alone   []*Profile // rejected because they were refused alone, without a name
}

// send sends a batch. Its error is that of Sender.Send.
func (b *batch) send(ctx context.Context, profiles []Profile) (err error) {
	b.trial.begin()
	defer func() { b.trial.end(err) }()
	defer b.texts.seal()
	set := make([]*Profile, len(profiles))
	for i := range profiles {
		set[i] = &profiles[i]
	}
	if err = b.sendSet(ctx, set); err == nil && len(b.alone) > 0 {
		err = b.trial.settle(ctx, b)
	}
	if err != nil {
		b.absolve()
	}
	if err != nil && b.lost {
		b.markLost(set)
	}
	return err
}

// absolve makes the profiles that were blamed alone Unsent again, unless a request was accepted: until then the
// request itself may be what is wrong, and a rejected row is final when a run is resumed (DESIGN.md §1).
func (b *batch) absolve() {
	if b.through {
		return
	}
	for _, p := range b.alone {
		p.Status, p.Fault = Unsent, nil
	}
}

func (b *batch) sendSet(ctx context.Context, set []*Profile) error {
	for len(set) > 0 {
		refused, err := b.request(ctx, set)
		if err != nil {
			var failed *Error
			if errors.As(err, &failed) && failed.lost {
				b.markLost(set)
				if b.survive != nil && failed.Kind == Outage {
					return b.survive(err)
				}
			}
			return err
		}
		if refused == nil {
			b.through = true
			b.trial.pass()
			return nil
		}
		b.lost = b.lost || refused.lost
		rest := refused.rest(set)
		if len(rest) < len(set) {
			set = rest
			continue
		}
		if err := b.doubt(ctx, refused); err != nil {
			return err
		}
		if len(set) == 1 {
			refused.alone(set[0], b.texts)
			b.alone = append(b.alone, set[0])
			return nil
		}
		half := len(set) / 2
		if err := b.sendSet(ctx, set[:half]); err != nil {
			return err
		}
		set = set[half:]
	}
	return nil
}

// doubt returns an error when the request itself is wrong. It runs before a profile is blamed or a batch is halved.
func (b *batch) doubt(ctx context.Context, refused *refusal) error {
	b.refused = refused
	if b.unnamed++; b.unnamed >= maxUnnamed && !b.through {
		return wrongRequest(b.trial.doing, b.unnamed, " for one batch", refused)
	}
	if b.list == nil {
		return nil
	}
	return b.list.exists(ctx)
}

// markLost marks the profiles without a status as Unknown: their request may have arrived.
func (b *batch) markLost(set []*Profile) {
	for _, p := range set {
		if p.Status == Unsent {
			p.Status, p.Fault = Unknown, cmp.Or(b.lostAs, AnswerLost)
		}
	}
}
