package pipeline

import (
	"context"
	"time"

	"klaviyo-export/sink"
)

// account is the Klaviyo account of the key. It is read while the run goes on, because only the report needs it.
type account struct {
	answer chan *sink.Account
	cancel context.CancelFunc
	found  *sink.Account // after wait
	waited bool
}

// grace is how long the report waits for the account.
const grace = time.Second

// askAccount begins to read the account. The goroutine ends with wait, which must be called.
func askAccount(ctx context.Context, client *sink.Client) *account {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the report of a stopped run names it too
	a := &account{answer: make(chan *sink.Account, 1), cancel: cancel}
	go func() {
		found, _ := client.Account(ctx) // its only error is that ctx ended
		a.answer <- found
	}()
	return a
}

// wait returns the account, nil where it is not known.
func (a *account) wait() *sink.Account {
	if a == nil {
		return nil
	}
	if !a.waited {
		late := time.AfterFunc(grace, a.cancel)
		a.found, a.waited = <-a.answer, true
		late.Stop()
		a.cancel()
	}
	return a.found
}
