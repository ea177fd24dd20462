package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"klaviyo-export/report"
)

// step is one command with its rows and their results.
type step struct {
	verb, by string
	args     []string // of the command line
	rows     []*row
	channels []string // of consent: email, sms
	list     int      // of actor.lists, unless the rows name theirs
	state    string   // the state file, or ""
	waited   bool     // every row has its end in the results
	invalid  string   // --max-invalid
	first    bool     // --check-first
	plan     bool     // of mirror
	piped    bool     // the rows are those that members prints
	past     bool     // the consent is historical
	creates  int      // the most lists that may be created
	stops    bool     // the checks stop it before the first request
	column   bool     // the rows name their lists
	clear    bool     // nulls clear properties
	removals int      // the most that mirror removes
	global   bool     // the consent is given or withdrawn without a list
	full     bool     // all rows are sent, whatever the state remembers
	halts    bool     // the run stops at the first rejected row too many
	halted   bool     // it did
	counted  bool     // the number of the rows is given
	short    bool     // the rows have another number
	dry      bool     // nothing is sent
	repeats  bool     // rows with the identifier of another one are sent too
	again    []*row   // of the step before, which this one repeats
	spelling

	unmatched bool // mirror may remove somebody while rows are not accounted for

	results       string // the file of the results
	before, after *view
	started       time.Time
	later         []*person // who joined the list while it was mirrored
	events        []string  // how the processes of the step ended
	kills         int
	picked        bool // the last results are of rows that pick printed
	unfinished    bool // it was ended early and never continued
	late          bool // it was ended because it would wait for half an hour
	exit          int
	said          string
	report        *report.Report
	gone          map[string]string // of mirror: the status of members' lines, by profile id
	last          string            // the verb of the process that ended last
	requests      int64
	listed        int // rows that members printed
}

// row is a row of the input.
type row struct {
	text   string  // as the step spells it
	plain  string  // the same row, spelled like all others
	person *person // nil if the row names nobody
	list   int     // of actor.lists, -1 for a list that is not there
	name   string
	gift   string // "null" clears it
	since  string // of the consent, if it is historical
	faulty bool   // the row names somebody, and is bad
	got    result // the last one; its status is "missing" without any

	confirmed bool // the person has confirmed the consent
}

func pick[T any](dice *rand.Rand, from ...T) T { return from[dice.IntN(len(from))] }

// newLists names lists that a command may create.
func (a *actor) newLists(double bool) {
	for n := range 3 {
		a.lists = append(a.lists, list{name: fmt.Sprintf("New %d %s", n, a.tag), double: double})
	}
}

// anyList is one of the lists that are there.
func (a *actor) anyList() int {
	for {
		if n := a.dice.IntN(len(a.lists)); a.lists[n].id != "" {
			return n
		}
	}
}
