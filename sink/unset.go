package sink

import (
	"context"
	"slices"

	"github.com/sourcegraph/conc/pool"
)

// Unset is a person whose import unset custom properties, and what reading the profiles back showed.
type Unset struct {
	IDs   []string // of the person's profiles
	Names []string // of the properties

	Read bool     // all of the profiles were read
	Left []string // those of Names that a profile still has
}

// Unset reads the profiles of people back, and sets Read and Left of each of them. The error is an *Error.
func (r *ReadBack) Unset(ctx context.Context, people []Unset) error {
	p := pool.New().WithErrors().WithFirstError().WithMaxGoroutines(lookupsAtOnce)
	for part := range slices.Chunk(people, maxLookup) { // few properties are in memory at once
		p.Go(func() error { return r.readUnset(ctx, part) })
	}
	return p.Wait()
}

func (r *ReadBack) readUnset(ctx context.Context, people []Unset) error {
	var all []*person
	for i := range people {
		all = append(all, sought(people[i].IDs)...)
	}
	if err := r.lookups.find(ctx, r.lookups.client.profiles().withProperties(), ProfileID, all); err != nil {
		return err
	}
	for i := range people {
		p := &people[i]
		p.Read = len(p.IDs) > 0
		for _, profile := range all[:len(p.IDs)] {
			p.Read = p.Read && len(profile.found) > 0
			for j := range profile.found {
				p.keep(&profile.found[j])
			}
		}
		all = all[len(p.IDs):]
	}
	return nil
}

// keep adds to Left what a profile still has. A property that is null is gone.
func (p *Unset) keep(profile *profileResource) {
	for _, name := range p.Names {
		value := profile.Attributes.Properties[name]
		if value != nil && string(value) != "null" && !slices.Contains(p.Left, name) {
			p.Left = append(p.Left, name)
		}
	}
}
