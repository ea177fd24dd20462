package pipeline

import "context"

// Within returns what f returns, or the cause of ctx when that ends first. It is for the files that a command line
// names: opening a FIFO waits for its other end, and no system call takes a context.
func Within[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type returned struct {
		value T
		err   error
	}
	done := make(chan returned, 1)
	go func() { // waited for unless ctx ends; then it may wait for the FIFO's other end as long as the process lives
		value, err := f()
		done <- returned{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
