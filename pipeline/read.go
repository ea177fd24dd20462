package pipeline

import (
	"context"
	"fmt"
	"io"
	"time"
)

// ticks is how often in a batch's delay the open batch is looked at.
const ticks = 10

// block is what one Read of the input gave.
type block struct {
	data []byte
	err  error
}

// read cuts the input into chunks for emit until it ends or ctx does. Whole rows are handed on in time for delay
// even when the input pauses. It returns whether the input was read to its end, and what is wrong with the input.
func read(ctx context.Context, in io.Reader, delay time.Duration, p *pools, emit func(*chunk)) (whole bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks := blocksOf(ctx, in)
	tick := time.NewTicker(max(delay/ticks, time.Millisecond))
	defer tick.Stop()
	f := framer{pools: p, chunk: p.newChunk(), emit: emit}
	for {
		select {
		case <-ctx.Done():
			f.flush(true)
			return false, nil
		case <-tick.C:
			f.flush(true)
		case b := <-blocks:
			if err := f.add(b.data); err != nil {
				return false, err
			}
			if b.err == io.EOF {
				return true, f.end()
			}
			if b.err == errPaused {
				f.flush(true)
				return true, nil
			}
			if b.err != nil {
				_ = f.end() // the read error is reason enough for a row that it cuts
				return false, fmt.Errorf("read standard input: %w", b.err)
			}
		}
	}
}

// blocksOf reads from a goroutine of its own, so that ticks and the end of ctx are seen while a Read blocks. Nobody
// waits for that goroutine: it ends with the input, or when a Read returns after the end of ctx. A block's data is
// valid until the next block.
func blocksOf(ctx context.Context, in io.Reader) <-chan block {
	blocks := make(chan block)
	hand := func(b block) bool {
		select {
		case blocks <- b:
			return b.err == nil
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer func() {
			if p := recover(); p != nil {
				hand(block{nil, bug(p)})
			}
		}()
		buffers := [2][]byte{make([]byte, chunkSize), make([]byte, chunkSize)}
		for i := 0; ; i ^= 1 {
			n, err := in.Read(buffers[i])
			if !hand(block{buffers[i][:n], err}) {
				return
			}
		}
	}()
	return blocks
}

// untilDone reads from in until ctx ends, even while a Read of in blocks.
func untilDone(ctx context.Context, in io.Reader) io.Reader {
	blocks := blocksOf(ctx, in)
	var last block
	return reader(func(p []byte) (int, error) {
		for len(last.data) == 0 {
			if last.err != nil {
				return 0, last.err
			}
			select {
			case last = <-blocks:
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		}
		n := copy(p, last.data)
		last.data = last.data[n:]
		return n, nil
	})
}

// reader is an io.Reader.
type reader func([]byte) (int, error)

func (f reader) Read(p []byte) (int, error) { return f(p) }
