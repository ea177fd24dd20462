package report

import "time"

// Moment is the state of a run while it goes on. The pipeline fills it, a display or a log shows it. Counts are
// totals since the start of the run.
type Moment struct {
	Rows        Rows // Read and Rejected count checked input; the others count written results
	Requests    int64
	Retried     int64
	Throttled   int64
	Closed      time.Duration // until Klaviyo accepts requests to a throttled endpoint again, 0 when none is throttled
	Failing     string        // the last failure of requests that are retried, in a few words; "" when none is
	GiveUpIn    time.Duration // until the run gives up unless one of these requests succeeds
	Jobs        int64         // import jobs that Klaviyo accepted
	JobsEnded   int64         // those of them that are known to have ended
	JobRows     int64         // rows of the jobs that the run waits for now, 0 when unknown
	JobRowsDone int64         // those of them that Klaviyo has processed, as far as Klaviyo said
	ReadingJobs int64         // import jobs that have ended and whose pages of errors the run reads
	Waiting     bool          // the run waits for import jobs
	WaitLeft    time.Duration // until the oldest job reaches the time limit, where the run gives it up
	Consenting  int64         // rows whose consent the run waits to see
	Members     int64         // members of the list that a mirror has read
	Removed     int64         // members that it has removed
	InputEnded  bool
}

// OpenJobs returns the number of import jobs that are not known to have ended. The two counts are not taken at the
// same instant, so that JobsEnded may be ahead of Jobs.
func (m *Moment) OpenJobs() int64 { return max(m.Jobs-m.JobsEnded, 0) }
