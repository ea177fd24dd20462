package pipeline

import (
	"context"
	"io"

	"klaviyo-export/report"
)

// Refuse writes the report of a run that cannot begin and returns it with why, the reason.
func Refuse(ctx context.Context, o *Options, why error, out io.Writer) (*report.Report, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := newRun(o, out, stop)
	stop(why)
	return r.finish(ctx, nil)
}
