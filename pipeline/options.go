package pipeline

import (
	"time"

	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// Options say what a run does.
type Options struct {
	Operation     validate.Operation
	Checker       *validate.Checker // for the same operation
	Client        *sink.Client      // nil: rows are only checked
	List          sink.ListRef      // unused without Client, and with Lists
	Lists         *ListsOptions     // nil: all rows are for one list
	Account       bool              // the report names the account of the key
	BaseURL       string            // of Klaviyo, for the report; "" inside --simulate
	Simulated     bool              // Client talks to the simulator inside this process; for the report
	DryRun        bool              // look the list up, but send nothing
	Print         bool              // with DryRun: Client prints the requests
	Window        int               // rows among which duplicates are found, for Mirror all; 0 = they are sent
	Concurrency   int               // requests in flight at once, at least 1
	BatchDelay    time.Duration     // how long a row waits for its batch to fill
	Wait          bool              // for the end of import jobs
	Verify        bool              // read applied rows back on the list; implies Wait for Add
	WaitTimeout   time.Duration     // how long each import job is waited for
	MaxOpenJobs   int               // with Wait: batches that may be in flight or waited for, at least 1
	Resume        *Earlier          // rows with a final result there are not sent again; nil = all rows are new
	MaxInvalid    Bound             // how many rows may be rejected
	StopOnInvalid bool              // stop when more rows are rejected
	CheckFirst    bool              // read and check the whole input before the first row is sent
	ExpectRows    *int64            // how many rows the input has, nil = any number
	MinRows       int64             // how many rows the input has at least
	State         *StateOptions     // nil: all rows are sent, and none is remembered
	Mirror        *MirrorOptions    // for Mirror: everybody who is in no row comes off the list
	Consent       *ConsentOptions   // for Subscribe and Unsubscribe
	Gauge         *Gauge            // shows the run while it goes on; may be nil
	Version       string            // for the report
	BadKey        error             // for Wait: why Client must not be used, nil when it may

	mostRows int                // of a batch, 0 = as many as one request takes; tests make small batches
	probe    func(stage string) // called when a stage begins its work on a chunk or batch; tests make it panic
}

// listless reports whether the run is about no list.
func (o *Options) listless() bool { return o.Consent != nil && o.Consent.Listless }

// ConsentOptions say how consent is set or withdrawn. Options.Checker knows the channels.
type ConsentOptions struct {
	Channels   sink.Channels
	Listless   bool   // no list is named: Subscribe is for none, Unsubscribe for all of them
	Historical bool   // each row has the time of its consent
	Source     string // custom_source of Subscribe, "" = one that names the run
}
