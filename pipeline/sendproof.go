package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// runs is what the lines of results say of the runs that wrote them.
type runs struct {
	open    bool   // there are rows after the last report, or there is no report
	reports int    // how many there are
	several string // why they are not of one run and those that resumed it, "" when they are
	list    string // id
}

// note notes a line.
func (r *runs) note(e *report.Entry) {
	if r.open = !e.Report; r.open {
		return
	}
	var one struct {
		Runs int64               `json:"runs"`
		Rows report.Rows         `json:"rows"`
		List struct{ ID string } `json:"list"`
	}
	if json.Unmarshal(e.Text, &one) != nil {
		return // OpenResults says it
	}
	switch r.reports++; {
	case one.Runs > 1:
		r.several = "their report is merged"
	case r.reports > 1 && !one.Rows.Continues:
		r.several = fmt.Sprintf("they have %d reports, and no run resumed the other", r.reports)
	case r.list != "" && one.List.ID != "" && one.List.ID != r.list:
		r.several = fmt.Sprintf("they are of the lists %s and %s", r.list, one.List.ID)
	}
	r.list = cmp.Or(one.List.ID, r.list)
}

// refuseSend is the error of results or of a campaign that must not be sent.
func refuseSend(hint, format string, args ...any) error {
	return &Error{Text: "no campaign was sent: " + fmt.Sprintf(format, args...), Hint: hint, exit: 1}
}

const hintResume = "continue that run with --resume, and pass all its results to send"

// sameTarget fails when the results are of another Klaviyo.
func (s *send) sameTarget(rep *report.Report) error {
	if rep == nil {
		return nil
	}
	return elsewhere("send", rep, s.options.BaseURL)
}

// sameAccount fails when the results are of another account than the key. It also fails when Klaviyo does not say which
// account the key is of, unless the key lacks the scope for that.
func (s *send) sameAccount(ctx context.Context, was *report.Account) error {
	if was == nil {
		return nil
	}
	account, err := s.options.Client.ReadAccount(ctx)
	if err != nil || account == nil || account.ID == was.ID {
		return err
	}
	return &Error{
		Text: fmt.Sprintf("send: the results are of account %s %q, the API key is of account %s %q",
			was.ID, was.Name, account.ID, account.Name),
		Hint: "pass the key with which the rows were sent",
	}
}

// proved fails unless the results are of one whole run that proves every row to be on its list.
func (s *send) proved(results *report.Results) error {
	rows, first, unproved := int64(0), "", int64(0)
	var status report.Status
	for {
		e, err := results.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return notResults(err)
		}
		rows++
		if !provedRow(&e) {
			if unproved++; unproved == 1 {
				status, first = e.Status, fmt.Sprintf("row %d is %s", e.Row, rowState(&e))
			}
		}
	}
	rep := results.Reports
	switch {
	case rows == 0 && rep == nil, rows == 0 && rep.Rows.Read == 0:
		return refuseSend("check the command before the pipe", "the results have no rows")
	case rep == nil || s.runs.open || results.Cut:
		return refuseSend(hintResume, "the run that wrote the results did not finish: they do not end with a report")
	case s.runs.several != "":
		return refuseSend("pass the results of one run, with those of the runs that it resumed",
			"the results are of several runs: %s", s.runs.several)
	case !slices.Contains(sendAfter, rep.Operation):
		return refuseSend("pass the results of add, mirror or subscribe",
			"the results are of %q, which puts nobody on a list", rep.Operation)
	case unproved > 0:
		return refuseSend(unprovedHint(status), "%d of %s %s not proved: %s",
			unproved, plural(rows, "row"), isAre(unproved), first)
	case rows != rep.Rows.Read || results.Last != rows:
		return refuseSend("pass all results of the run, and first those of the run that it resumed",
			"the report counts %s, the results have %d", plural(rep.Rows.Read, "row"), rows)
	case rep.ExitCode != 0 || rep.Status != report.StatusOf(0):
		return refuseSend(hintResume, "the report's status is %q: %s",
			rep.Status, cmp.Or(rep.Error, "the run did not succeed"))
	case len(rep.Lists) > 0:
		return refuseSend("send goes with rows that are all on one list", "the rows name their lists themselves")
	case rep.List == nil || rep.List.ID == "":
		return refuseSend("send goes with rows that are all on one list", "the report names no list")
	}
	return nil
}

// sendAfter are the operations that put people on a list.
var sendAfter = []string{validate.Add.String(), validate.Mirror.String(), validate.Subscribe.String()}

// provedRow reports whether a row is on the list, or does not have to be sent.
func provedRow(e *report.Entry) bool {
	return e.Status == report.Applied && !transactional(e) ||
		e.Status == report.Skipped && (e.Code == report.Duplicate || e.Code == report.Unchanged)
}

// transactional reports whether consent to transactional messages alone was asked for, which puts nobody on a list
// (klaviyo-more.md §2.3).
func transactional(e *report.Entry) bool {
	return slices.Equal(e.Channels, channelNames[sink.SMSTransactional])
}

func rowState(e *report.Entry) string {
	switch {
	case e.Code == "" && transactional(e):
		return fmt.Sprintf("%v for transactional SMS, which puts nobody on a list", e.Status)
	case e.Code == "":
		return e.Status.String()
	}
	return fmt.Sprintf("%v (%s)", e.Status, e.Code)
}

func isAre(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// unprovedHint says what to do about a row with a status.
func unprovedHint(status report.Status) string {
	switch status {
	case report.Accepted:
		return "pass --wait to the command that sends the rows, or run wait on its results; " +
			"whoever has to confirm is not on the list before that"
	case report.Valid:
		return "run the command without --dry-run or --plan"
	}
	return "run klaviyo-export report --rejected csv RESULTS to see them, fix the rows, and run it all again"
}

// notYet fails when the results say that a campaign was sent, unless it may be sent again.
func (s *send) notYet(results *report.Results) error {
	was := results.Reports.Campaign
	switch n := len(results.Campaigns); {
	case s.options.Again:
		return nil
	case n > 0:
		was = results.Campaigns[n-1].Campaign
	case was == nil || was.Status == report.CampaignNotSent:
		return nil
	}
	return refuseSend("look at it in Klaviyo; --again sends a campaign that is still a draft without a send job",
		"the results say that campaign %s was sent before", was.ID)
}
