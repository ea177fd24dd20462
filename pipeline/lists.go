package pipeline

import (
	"cmp"
	"context"
	"fmt"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// ListsOptions say how rows name their lists: in Checker's list column.
type ListsOptions struct {
	ByID   bool   // the column has ids, not names
	Create int    // how many lists may be created
	OptIn  string // of those, as in sink.ListRef
}

// maxLists is how many lists the rows of a run may name: each takes some 500 bytes, and 2 KB while its rows wait.
const maxLists = 10_000

// target is a list that rows name, with what sends them to it and reads them back.
type target struct {
	list     *sink.List      // nil: no row is sent
	sender   sink.Sender     // nil: no row is sent
	reader   *sink.ReadBack  // nil: rows are not read back
	consents *sink.Consents  // nil: consent is not read back
	absent   *validate.Fault // why there is no such list, nil where there is one
	gone     *sink.Fault     // the reason of rows that are not sent because the list was deleted during the run
	open     *batch          // the rows that wait for the next request to the list; for the stage batches alone
	rows     int64           // of a list that a dry run would create; for the last stage alone
}

// lists are those that the rows of a run name. Except for to, which is made at once, they are for one goroutine at a
// time.
type lists struct {
	named *sink.NamedLists
	to    target // no list, with the stages of the run's lists
	rest  *target
	known map[string]*target
	order []*target // those that there are, in the order of first meeting
	fault validate.Fault
	first *validate.Fault // of the first list that there is not
	more  *target         // lists beyond maxLists
}

// newLists returns the lists in the column of the options.
func newLists(o *Options, to target) *lists {
	rule := sink.ListRule{ByID: o.Lists.ByID, Create: o.Lists.Create, OptIn: o.Lists.OptIn}
	if o.Operation == validate.Remove || o.Operation == validate.Unsubscribe {
		rule.Create = -1
	}
	return listsBy(o.Client, rule, o.Checker.ListColumn(), to)
}

func listsBy(c *sink.Client, rule sink.ListRule, column string, to target) *lists {
	l := &lists{
		named: sink.NewNamedLists(c, rule), to: to, rest: new(target), known: map[string]*target{},
		fault: validate.Fault{Code: validate.ListNotFound, Column: column},
	}
	l.more = l.missing(fmt.Sprintf("the rows name more than %d lists", maxLists))
	return l
}

// look looks up lists that were not met before.
func (l *lists) look(ctx context.Context, values []string) error {
	var fresh []string
	for _, value := range values {
		if l.known[value] == nil && len(l.known)+len(fresh) < maxLists {
			fresh = append(fresh, value)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	found, err := l.named.Find(ctx, fresh)
	if err != nil {
		return err
	}
	for i, value := range fresh {
		l.known[value] = l.enter(found[i])
	}
	return nil
}

// of is the target of a list that was looked up.
func (l *lists) of(value string) *target { return cmp.Or(l.known[value], l.more) }

// find looks up the lists of a chunk. Rows whose list does not exist are rejected.
func (l *lists) find(ctx context.Context, c *chunk) error {
	if err := l.look(ctx, c.rows.Lists); err != nil {
		return err
	}
	for _, value := range c.rows.Lists {
		c.targets = append(c.targets, l.of(value))
	}
	for i := range c.rows.Rows {
		if row := &c.rows.Rows[i]; row.Fault == nil {
			row.Fault = c.targets[row.List].absent
		}
	}
	return nil
}

// enter makes the target of a list.
func (l *lists) enter(n sink.Named) *target {
	if n.List == nil {
		t := l.missing(n.Absent)
		l.first = cmp.Or(l.first, t.absent)
		return t
	}
	t := l.to.on(n.List)
	t.gone = &sink.Fault{
		Code: string(l.fault.Code), Column: l.fault.Column,
		Detail: "the list was deleted during the run; rows that were sent to it before stay sent",
	}
	l.order = append(l.order, t)
	return t
}

// missing is the target of a list that does not exist.
func (l *lists) missing(why string) *target {
	fault := l.fault
	fault.Detail = why
	return &target{absent: &fault}
}

// on returns the target of another list.
func (t *target) on(list *sink.List) *target {
	other := &target{list: list}
	if t.sender != nil {
		other.sender = t.sender.To(list)
	}
	if t.reader != nil {
		other.reader = t.reader.To(list)
	}
	if t.consents != nil {
		other.consents = t.consents.To(list).(*sink.Consents)
	}
	return other
}

// id is the list's id, "" where there is none yet.
func (t *target) id() string {
	if t == nil || t.list == nil {
		return ""
	}
	id, _, _ := t.list.State()
	return id
}

// none is the error of rows that name only lists that do not exist, nil when a list exists or no row names one.
func (l *lists) none(rows int64) error {
	if l == nil || len(l.order) > 0 || l.first == nil {
		return nil
	}
	return &Error{
		Text: fmt.Sprintf("none of the first %s names a list that is found, in %q: %s",
			plural(rows, "row"), l.first.Column, l.first.Detail),
		Hint: "check --list-column and --lists-by; nothing was sent",
	}
}

// report returns the lists for the report.
func (l *lists) report() (listed []report.ListRows) {
	if l == nil {
		return nil
	}
	for _, t := range l.order {
		one := report.ListRows{List: listOf(t.list), Rows: t.rows}
		listed = append(listed, one)
	}
	return listed
}

// listOf is a list as the report has it.
func listOf(list *sink.List) (l report.List) {
	l.ID, l.Name, l.Created = list.State()
	if left := list.LeftBehind(); left != "" {
		l.LeftBehind = []string{left}
	}
	return l
}

// finding is the stage that looks up the lists that rows name, each when it is first met. It hands chunks on to emit,
// and is emit itself where all rows are for one list.
func (r *run) finding(ctx context.Context, emit func(*chunk)) func(*chunk) {
	if r.lists == nil {
		return emit
	}
	return func(c *chunk) {
		r.find(ctx, c)
		emit(c)
	}
}

func (r *run) find(ctx context.Context, c *chunk) {
	defer r.control.guard()
	r.control.begin("find")
	if err := r.lists.find(ctx, c); err != nil {
		r.control.stop(err)
	}
}

// target is what the i-th row goes to, nil where that is not known.
func (c *chunk) target(i int) *target {
	if at := int(c.rows.Rows[i].List); at < len(c.targets) {
		return c.targets[at]
	}
	return nil
}
