package state

import (
	"fmt"
	"maps"
	"slices"

	"github.com/segmentio/encoding/json"
	"go.etcd.io/bbolt"
)

// Binding is what a state is for. Profiles are comparable only where all of it is the same.
type Binding struct {
	List      string            `json:"list"`    // its id, "" while it does not exist
	Account   string            `json:"account"` // its id, "" when not known
	Operation string            `json:"operation"`
	Mapping   map[string]string `json:"mapping"` // flags that say what becomes of a row, with their values
}

// put stores the binding.
func (b *Binding) put(tx *bbolt.Tx) error {
	text, err := json.Append(nil, b, json.SortMapKeys)
	if err != nil {
		return err
	}
	return tx.Bucket(inMeta).Put(bindName, text)
}

func bindingIn(tx *bbolt.Tx) (b Binding, err error) {
	if err := json.Unmarshal(tx.Bucket(inMeta).Get(bindName), &b); err != nil {
		return b, fmt.Errorf("what it is for cannot be read: %v", err)
	}
	return b, nil
}

// fits returns why a run with another binding cannot use the state, and takes from it what was not known.
func (b *Binding) fits(name string, run *Binding) error {
	const own = "pass a state file of its own for this run, or delete the file to send all rows anew"
	differs := func(format string, args ...any) error {
		return &Error{fmt.Sprintf("the state %s is ", name) + fmt.Sprintf(format, args...), own}
	}
	switch {
	case b.List != "" && run.List == "":
		return differs("of list %s, and this run would create another list", b.List)
	case b.List != "" && b.List != run.List:
		return differs("of list %s, this run is for list %s", b.List, run.List)
	case b.Account != "" && run.Account != "" && b.Account != run.Account:
		return differs("of account %s, this run is for account %s", b.Account, run.Account)
	case b.Operation != run.Operation:
		return differs("of %s, this run is %s", b.Operation, run.Operation)
	}
	for _, flag := range slices.Sorted(maps.Keys(run.Mapping)) {
		if was, is := b.Mapping[flag], run.Mapping[flag]; was != is {
			return differs("of rows with %s %q, this run has %q", flag, was, is)
		}
	}
	if b.List == "" {
		b.List = run.List
	}
	if b.Account == "" {
		b.Account = run.Account
	}
	return nil
}
