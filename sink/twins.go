package sink

import (
	"context"
	"slices"
	"time"
)

const (
	// twinsWithin is how much later than the oldest list of a name others may be created, and still be taken for
	// lists that processes created at the same time. A person is slower.
	twinsWithin = 10 * time.Second
	// agreeAfter is the age at which a list cannot get an older one of its name any more: Klaviyo's times have whole
	// seconds, lists of one second are sorted by id, and all of them can be seen one second later.
	agreeAfter = 2 * time.Second
)

// created is the second in which the list was created, or the zero time when the answer does not say.
func (l *listResource) created() time.Time {
	at, _ := time.Parse(time.RFC3339, l.Attributes.Created)
	return at.Truncate(time.Second)
}

// twins reports whether lists, oldest first, were created at the same time.
func twins(lists []listResource) bool {
	first, last := lists[0].created(), lists[len(lists)-1].created()
	return !first.IsZero() && !last.IsZero() && last.Sub(first) <= twinsWithin
}

// settled returns the lists of the name when the oldest of them stays the oldest, whoever creates others. found are
// those of a look-up, at least one. Only a list that has just been created makes it wait and look again. So all
// processes use the same list, whether they have created one or found one.
func (l *List) settled(ctx context.Context, found []listResource, at lookedUp) ([]listResource, error) {
	age := age(&found[0], at)
	if age-at.earlier >= agreeAfter || l.client.options.Alone {
		return found, nil
	}
	_ = sleep(ctx, min(max(agreeAfter-age, 0), twinsWithin), nil) // when ctx has ended, the next call returns the error
	again, _, err := l.lookUp(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(again, func(other listResource) bool { return other.ID == found[0].ID }) {
		again = append(again, found[0]) // a look-up may miss a list that was just created
		oldestFirst(again)
	}
	return again, nil
}

// age is how old a list was when it was looked up, by Klaviyo's clock alone. Where that is not known, the list may have
// been created at that moment.
func age(l *listResource, at lookedUp) time.Duration {
	if l.created().IsZero() || at.date.IsZero() {
		return 0
	}
	return at.date.Sub(l.created())
}
