package render

import (
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"klaviyo-export/report"
)

// step is something to do now, and the command for it.
type step struct{ Text, Command string }

// Words returns the words of the command. A page breaks its lines only between them.
func (s step) Words() []string { return strings.Fields(s.Command) }

const (
	anyResults = "results.ndjson" // where the name of the results is not known
	anyRows    = "rows.ndjson"
)

// next says what to do after the run, or after each of several runs that need something.
func next(r *report.Report, runs ...Run) (steps []step) {
	c := commands{Report: r, results: names(runs)}
	if len(runs) > 1 {
		steps = needsOf(runs)
	}
	if len(steps) == 0 {
		steps = c.needs()
	}
	if len(steps) == 0 {
		steps = []step{{otherwise(c), ""}}
	}
	return steps
}

// needs says what rows, members or a campaign ask for.
func (c commands) needs() (steps []step) {
	r := c.Report
	add := func(text, command string) { steps = append(steps, step{text, command}) }
	if r.Campaign != nil && r.Campaign.Status == report.CampaignUnknown {
		add("Look in Klaviyo whether the campaign was sent. Do not send it again before you know.", "")
	}
	switch {
	case r.ExitCode == 2 && resumes(r):
		add("Fix the cause of the error, then run the command again, with --resume.", "")
	case r.ExitCode == 2:
		add("Fix the cause of the error, then run the command again.", "")
	}
	if !c.local() {
		c.accepted(add, c.unfinished(add))
	}
	c.rejected(add)
	if m := mirrored(r); m != nil && r.Runs < 2 && !c.local() && r.ExitCode == 1 && m.Removed < m.Extras {
		text := "See who would be removed. Raise --max-removals or --max-unmatched only if that is right."
		if command, _, ok := strings.Cut(c.again(), " --resume"); ok {
			add(text, command+" --plan < "+anyRows+" > "+c.beside("plan.ndjson", ".plan"))
		} else {
			add(text+" Run the command with --plan in place of --max-removals.", "")
		}
	}
	if r.Campaign != nil && r.Campaign.Status == report.CampaignNotSent && plainWord(r.Campaign.ID) {
		add("If the campaign should be sent, fix what prevented it, then run send again. "+
			"In place of N, write the most recipients that you allow.", c.send())
	}
	return steps
}

// otherwise says what to do where no rows ask for something.
func otherwise(c commands) string {
	checked := c.Rows.Valid > 0
	switch {
	case c.ExitCode == 1 && c.Runs > 1:
		return "See the report of each file that did not succeed."
	case c.ExitCode == 1:
		return "Check where the rows come from, such as the query or the file. Then run the command again."
	case c.ExitCode > 2:
		return "Run the same command again."
	case c.Runs > 1 || c.Rows.Read == 0:
		return "Nothing to do."
	case checked && mirrored(c.Report) != nil:
		return "To do this, run the command with --max-removals in place of --plan."
	case checked && (c.BaseURL != "" || c.Simulated):
		return "To send the rows, run the command without --dry-run."
	case checked && plainWord(c.Operation):
		return "To send the rows, run klaviyo-export " + c.Operation + "."
	case c.local():
		return "To send the rows to Klaviyo, run the command without --simulate."
	case c.Simulated:
		return "To send the rows to Klaviyo, run the command without --base-url."
	}
	return "Nothing to do."
}

// standsFor says which names in the steps stand for files of the run, "" for none.
func standsFor(steps []step) string {
	has := func(name string) bool {
		return slices.ContainsFunc(steps, func(s step) bool { return strings.Contains(s.Text+" "+s.Command, " "+name) })
	}
	const (
		rows    = anyRows + " stands for the file with the rows"
		results = anyResults + " stands for the file with the results"
	)
	switch {
	case has(anyRows) && has(anyResults):
		return rows + ". " + results + "."
	case has(anyRows):
		return rows + "."
	case has(anyResults):
		return results + "."
	}
	return ""
}

// commands writes the commands of the steps after a run. They are safe to paste into a shell.
type commands struct {
	*report.Report
	results []string // the files that the report was read from
	apart   bool     // other files have steps of their own
}

// resumes reports whether the run could not go on where an earlier one, which may have sent rows, had stopped.
func resumes(r *report.Report) bool { return strings.HasPrefix(r.Error, "resume: ") }

// local reports whether the run was simulated in its own process. Nothing can go on there.
func (c commands) local() bool { return c.Simulated && c.BaseURL == "" && c.Runs < 2 }

// bounded reports whether a bound of the user stopped the run, such as --max-invalid: it would stop there again.
func (c commands) bounded() bool {
	return c.Runs < 2 && c.ExitCode == 1 && c.Rows.Unsent > 0 && c.Rows.Unknown == 0
}

// unfinished adds the step that finishes the run, and reports whether there is one.
func (c commands) unfinished(add func(text, command string)) bool {
	n := c.Rows.Unknown + c.Rows.Unsent
	killed := c.Operation == "" && c.ExitCode == 143 && c.Runs < 2
	if c.Operation == "check" || c.bounded() || n == 0 && !killed && (!c.Unread || c.Rows.Read == 0) {
		return false
	}
	text := "Finish " + numbered(n, "row") + " without a proved result"
	switch {
	case n == 0 && killed:
		text = "Finish the run: rows may be without a result"
	case n == 0:
		text = "Finish the run: it did not read all rows"
	case c.Rows.Unknown == 0:
		text = "Send " + numbered(n, "row") + " that " + verb(n, "was", "were") + " not sent"
	}
	when := ""
	if ofConsent(c.Report) {
		when = " Wait half an hour after the run ended before you do."
	}
	command := c.again()
	switch {
	case c.Runs > 1:
		add(text+". Run the command of each unfinished file again, with --resume and that file."+when, "")
	case command == "":
		add(text+". Run the same command again, with --resume "+c.file()+" and the same rows."+when, "")
	default:
		add(text+". Keep the other flags of the run."+when, command)
	}
	return true
}

// accepted adds the step that finds out the results of accepted rows. Finishing a mirror finds them out too.
func (c commands) accepted(add func(text, command string), finishes bool) {
	pending := min(withCode(c.Report, report.Pending), c.Rows.Accepted)
	text, command := "", c.wait()
	switch n := c.Rows.Accepted - pending; {
	case c.Operation == "mirror" && (finishes || c.Rows.Accepted == 0):
		return
	case c.Operation == "mirror":
		text, command = "Wait for "+numbered(c.Rows.Accepted, "accepted row")+". Keep the other flags of the run.", c.again()
	case n > 0:
		text = "See the results of " + numbered(n, "accepted row") + "."
	case pending > 0:
		text = "See later who confirmed: " + numbered(pending, "row") + verb(pending, " waits", " wait") + " for a person."
	default:
		return
	}
	if c.Runs > 1 {
		text, command = text+" Run klaviyo-export wait on each file that has some.", ""
	}
	add(text, command)
}

// rejected adds the step that lists rejected rows.
func (c commands) rejected(add func(text, command string)) {
	n := c.Rows.Rejected
	if n == 0 {
		return
	}
	which := "these rows"
	if c.Operation == "mirror" || mirrored(c.Report) != nil || c.bounded() { // mirror removes who is in no row
		which = "all rows"
	}
	files := c.file()
	if c.Runs > 1 && len(c.results) > 1 && len(c.results) <= 10 && !slices.ContainsFunc(c.results, unwritable) {
		files = shellescape.QuoteCommand(c.results)
	}
	rows := "rejected row"
	if n > 1 {
		rows = numbered(n, rows)
	}
	add("List the "+rows+". Correct what is wrong, then run the command with "+which+".",
		"klaviyo-export report --rejected csv "+files+" > "+c.beside("rejected.csv", ".rejected.csv"))
}

// again returns the command that continues a run, "" when the report does not say enough. A --list-column needs flags
// that the report does not have.
func (c commands) again() string {
	if !plainWord(c.Operation) || c.Operation == "several" || len(c.Lists) > 0 || !c.reached() {
		return ""
	}
	command := "klaviyo-export " + c.Operation + c.address()
	if c.List != nil && plainWord(c.List.ID) {
		command += " --list-id " + c.List.ID
	}
	if plainWord(c.By) {
		command += " --by " + c.By
	}
	if c.Consent != nil {
		if c.Consent.Everywhere {
			command += " --everywhere"
		}
		if channels := strings.Join(c.Consent.Channels, ","); !odd(strings.ReplaceAll(channels, ",", "")) {
			command += " --channel " + channels
		}
	}
	return command + " --resume " + c.file() + " < " + anyRows + " >> " + c.file()
}

func (c commands) wait() string {
	if !c.reached() {
		return ""
	}
	return "klaviyo-export wait" + c.address() + " < " + c.file() + " > " + c.beside("final.ndjson", ".final")
}

func (c commands) send() string {
	if !c.reached() {
		return ""
	}
	return "klaviyo-export send" + c.address() + " --campaign " + c.Campaign.ID + " --max-recipients N < " + c.file() +
		" > " + c.beside("sent.ndjson", ".sent")
}

// address is the flag of an address that is not Klaviyo's own. Without it the rows of a test would go to Klaviyo.
func (c commands) address() string {
	if c.BaseURL == "" || klaviyo(c.BaseURL) {
		return ""
	}
	return " --base-url " + c.BaseURL
}

// reached reports whether a command can name the address of the run.
func (c commands) reached() bool { return c.address() == "" || !odd(c.BaseURL) }

// file is the file with the results.
func (c commands) file() string {
	if len(c.results) == 1 && !unwritable(c.results[0]) {
		return shellescape.Quote(c.results[0])
	}
	return anyResults
}

// beside is a file for what a command prints: usual, or one of its own for each of several files.
func (c commands) beside(usual, suffix string) string {
	if !c.apart || c.file() == anyResults {
		return usual
	}
	return shellescape.Quote(c.results[0] + suffix)
}

// unwritable reports whether a file's name cannot stand in a command that people copy.
func unwritable(file string) bool { return file == "" || file[0] == '-' || shown(file) != file }

// odd reports whether text is not safe in a command as it is.
func odd(text string) bool {
	return text == "" || text[0] == '-' || strings.ContainsFunc(text, func(r rune) bool {
		return !plainWord(string(r)) && !strings.ContainsRune("./:-+@,", r)
	})
}

func verb(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// plainWord reports whether text is safe in a command as it is.
func plainWord(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || r == '_')
	})
}
