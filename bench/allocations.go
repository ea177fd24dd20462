package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"
	"time"

	"klaviyo-export/pipeline"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// allocations prints how many heap objects a whole run over the rows on standard input allocates per row.
func allocations(ctx context.Context, args []string, std stdio) error {
	flags := flag.NewFlagSet("allocations", flag.ContinueOnError)
	url := flags.String("url", "", "the server's URL")
	if err := parse(flags, args, std); err != nil {
		return err
	}
	rows, objects, err := allocated(ctx, *url, std.in)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%.4f\n", float64(objects)/float64(rows))
	return nil
}

// allocated adds the rows of in to the server's list as klaviyo-export does by default, except that no rate is
// limited. It returns the number of rows and the number of heap objects that this process allocated meanwhile.
func allocated(ctx context.Context, url string, in io.Reader) (rows int64, objects uint64, err error) {
	checker, err := validate.New(validate.Options{})
	if err != nil {
		return 0, 0, err
	}
	client, err := sink.New(sink.Options{
		BaseURL: url, Revision: sink.DefaultRevision, Key: "pk_bench", Concurrency: 4, RetryFor: time.Minute,
	})
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	options := &pipeline.Options{
		Checker: checker, Client: client, List: sink.ListRef{ID: list},
		Window: 1_000_000, Concurrency: 4, BatchDelay: 5 * time.Second,
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := pipeline.Run(ctx, options, in, io.Discard)
	runtime.ReadMemStats(&after)
	if r.ExitCode > 1 { // 1 means that some rows are rejected, as the sample's bad rows are
		return 0, 0, err
	}
	return r.Rows.Read, after.Mallocs - before.Mallocs, nil
}
