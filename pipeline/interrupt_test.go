package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
)

// endless is an input of good rows without end that counts the bytes read.
type endless struct {
	mu   sync.Mutex
	rest []byte
	rows int
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.rest) == 0 {
		e.rest = []byte(rowsFrom(e.rows, 1000))
		e.rows += 1000
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	e.read += n
	return n, nil
}

func (e *endless) total() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.read
}

// A Klaviyo that does not answer stops the reader. After an interrupt requests in flight end, and every row read
// has a result.
func TestBackpressureAndInterrupt(t *testing.T) {
	mustEnd(t)
	closed, arrived := make(chan struct{}), make(chan struct{}, 100)
	release := sync.OnceFunc(func() { close(closed) })
	defer release()
	o, _ := addOptions(t, imports(func(_ int64, next func()) {
		arrived <- struct{}{}
		<-closed
		next()
	}))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var in endless
	var out bytes.Buffer
	done := started(ctx, o, &in, &out)
	for range o.Concurrency {
		<-arrived
	}
	const row = len(`{"email":"p100000@example.com"}` + "\n")
	// Batches in flight and in the queue, one that waits and one that is gathered; chunks in checks; blocks being
	// read.
	bound := (2*o.Concurrency+3)*10_000*row + 12*chunkSize
	for !standing() && in.total() <= bound {
	}
	stood := in.total()
	if stood > bound {
		t.Errorf("%d bytes were read although no request was answered, more than %d", stood, bound)
	}
	cancel(&Interrupted{Signal: "SIGINT", ExitCode: 130})
	release()
	rep := <-done
	rows, _ := parse(t, out.Bytes())
	ownKeys(t, rows)
	accepted := 0
	for i, r := range rows {
		switch {
		case r.Status == "accepted" && accepted == i:
			accepted++
		case r.Status != "unsent" || r.Code != "interrupted":
			t.Fatalf("row %d is %s %s after %d accepted ones", r.Row, r.Status, r.Code, accepted)
		}
	}
	if accepted != 10_000*o.Concurrency || rep.ExitCode != 130 || rep.Status != "interrupted" {
		t.Errorf("%d rows accepted, exit %d, status %s", accepted, rep.ExitCode, rep.Status)
	}
	// Only the block that the reader held when it stood, and a row that it had not read whole, may be missing.
	if reported := len(rowsFrom(0, len(rows))); reported < stood-chunkSize-row {
		t.Errorf("the results are of %d bytes of input, %d were read", reported, stood)
	}
}

// Rows that were read whole before a signal have results, however few they are. Half a row has none.
func TestInterruptBeforeAChunkIsFull(t *testing.T) {
	o, _ := addOptions(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	in, feed := io.Pipe()
	defer feed.Close()
	var out bytes.Buffer
	done := started(ctx, o, in, &out)
	fmt.Fprint(feed, rowsFrom(0, 3)+`{"em`)
	fmt.Fprint(feed, `ail`) // is read only after the run has the first piece
	cancel(&Interrupted{Signal: "SIGTERM", ExitCode: 143})
	rep := <-done
	rows, _ := parse(t, out.Bytes())
	want := "1 unsent interrupted, 2 unsent interrupted, 3 unsent interrupted"
	if got := brief(rows); got != want || rep.ExitCode != 143 {
		t.Errorf("got %s; exit %d", got, rep.ExitCode)
	}
}
