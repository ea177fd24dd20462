package pipeline

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"
	"pgregory.net/rapid"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// TestLedgerShared draws what TestLedgerConsent does not: people share phone numbers and have several addresses,
// Klaviyo refuses rows with a name or without, runs are cancelled, and the account is judged at each moment of a run.
// No row is applied that the account never showed, nobody loses all consent who was only to leave a list, no request is
// repeated after a lost answer, the report counts what the lines say, and the key is nowhere.
func TestLedgerShared(t *testing.T) {
	t.Parallel()
	rounds := max(*ledgerRounds, 1)
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	if err := checks.Set(fmt.Sprint(rounds)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = checks.Set(before) }()
	rapid.Check(t, func(rt *rapid.T) {
		const cases = 60
		drawn := make([]*sharedCase, cases)
		for i := range drawn {
			drawn[i] = drawShared(rt)
		}
		wrong := make([]string, cases)
		var wait sync.WaitGroup
		for i, c := range drawn {
			wait.Go(func() { wrong[i] = c.run(t) })
		}
		wait.Wait()
		for i, w := range wrong {
			if w != "" {
				rt.Fatalf("%s\n%+v", w, *drawn[i])
			}
		}
	})
}

// sharedCase is a run that sets or withdraws consent, and what is done after it.
type sharedCase struct {
	withdraw, listless  bool
	double, history     bool
	by                  string
	channels            sink.Channels
	account             simulator.Consent
	alsoFound           string
	people              []sharedPerson
	rows                []sharedRow
	naming              string // of rows that Klaviyo refuses: all or unnamed
	faults              []simulator.Fault
	impatient           bool
	batch, senders      int
	wait                bool
	killAt, cancelAfter int    // bytes of output, milliseconds; 0 = neither
	then                string // resume or wait after the run, or nothing
	soon                bool   // at once, and not an hour later
}

// sharedPerson is somebody with an email, the external id xi and perhaps a phone number, of which several may have
// the same one. The kind is plain, stranger (not in the account), drop, late or refused.
type sharedPerson struct {
	kind          string
	phone         int // 0 for none
	alias, member bool
	elsewhere     bool // on another list
	consent       string
}

type sharedRow struct {
	person       int
	alias, phone bool // it names the person's other address, it has the phone number
}

func drawShared(rt *rapid.T) *sharedCase {
	often := func(name string, of int) bool { return rapid.IntRange(0, of).Draw(rt, name) == 0 }
	c := &sharedCase{
		withdraw: rapid.Bool().Draw(rt, "withdraw"), listless: often("listless", 3), double: often("double", 3),
		by: rapid.SampledFrom([]string{"email", "email", "phone_number", "external_id"}).Draw(rt, "by"),
		account: simulator.Consent{
			Time: time.Millisecond, Late: map[string]time.Duration{"late*": 300 * time.Millisecond},
			SingleOptIn: rapid.Bool().Draw(rt, "single"), ListUnsubscribe: !often("global", 2),
			Dropped: []string{"drop*"}, Quiet: rapid.Bool().Draw(rt, "quiet"), NoSender: []string{"+4930901829"},
		},
		alsoFound: rapid.SampledFrom([]string{"any", "any", "equals", "never"}).Draw(rt, "also found"),
		naming:    rapid.SampledFrom([]string{"all", "unnamed"}).Draw(rt, "naming"),
		impatient: often("impatient", 4), batch: rapid.IntRange(1, 8).Draw(rt, "batch"),
		senders: rapid.IntRange(1, 4).Draw(rt, "senders"), wait: rapid.Bool().Draw(rt, "wait"),
		then: rapid.SampledFrom([]string{"", "resume", "wait", "wait"}).Draw(rt, "then"), soon: often("soon", 2),
	}
	c.history = !c.withdraw && often("history", 3)
	c.channels = sink.Channels(rapid.SampledFrom([]uint8{1, 1, 3, 3, 2, 6, 4, 7}).Draw(rt, "channels"))
	for range rapid.IntRange(1, 8).Draw(rt, "people") {
		c.people = append(c.people, sharedPerson{
			kind: rapid.SampledFrom([]string{
				"plain", "plain", "plain", "plain", "plain", "stranger", "drop", "late", "refused",
			}).Draw(rt, "kind"),
			phone: rapid.IntRange(0, 9).Draw(rt, "phone"), alias: often("alias", 3),
			member: rapid.Bool().Draw(rt, "member"), elsewhere: rapid.Bool().Draw(rt, "elsewhere"),
			consent: rapid.SampledFrom([]string{"", "SUBSCRIBED", "UNSUBSCRIBED"}).Draw(rt, "consent"),
		})
		if p := &c.people[len(c.people)-1]; p.kind == "stranger" {
			p.alias, p.member, p.consent = false, false, ""
		}
	}
	for range rapid.IntRange(1, 12).Draw(rt, "rows") {
		c.rows = append(c.rows, sharedRow{
			rapid.IntRange(0, len(c.people)-1).Draw(rt, "person"), often("by alias", 2), !often("no phone", 3),
		})
	}
	asking := subscribing
	if c.withdraw {
		asking = unsubscribing
	}
	for range max(rapid.IntRange(-1, 2).Draw(rt, "faults"), 0) {
		f := rapid.SampledFrom(answerFaults).Draw(rt, "fault")
		f.On = rapid.SampledFrom([]string{
			asking, asking, asking, lookingUp, "GET /api/profiles", "GET /api/lists",
		}).Draw(rt, "on")
		f.Skip = rapid.IntRange(0, 3).Draw(rt, "skip")
		c.faults = append(c.faults, f)
	}
	if often("repeated key", 9) {
		c.faults = append(c.faults, simulator.Fault{Do: "status", Status: 400, On: asking, Code: "invalid",
			Detail: "Invalid request by " + consentKey})
	}
	switch {
	case often("kill", 3):
		c.killAt = rapid.IntRange(1, 1500).Draw(rt, "kill at")
	case often("cancel", 6):
		c.cancelAfter = rapid.IntRange(1, 30).Draw(rt, "cancel after")
	}
	return c
}

// address is an email of a person.
func (c *sharedCase) address(person int, alias bool) string {
	p := &c.people[person]
	if alias && p.alias {
		return fmt.Sprintf("other%d@example.com", person)
	}
	return fmt.Sprintf("%s%d@example.com", p.kind, person)
}

func (p *sharedPerson) number() string {
	if p.phone == 0 {
		return ""
	}
	return fmt.Sprintf("+493090182%d", p.phone)
}

// key is the identifier of a row, "" for none.
func (c *sharedCase) key(r *sharedRow) string {
	switch c.by {
	case "external_id":
		return fmt.Sprintf("x%d", r.person)
	case "phone_number":
		return c.people[r.person].number()
	}
	return c.address(r.person, r.alias)
}

// input is the rows as text.
func (c *sharedCase) input() string {
	var in strings.Builder
	for i := range c.rows {
		r := &c.rows[i]
		row := map[string]string{"external_id": fmt.Sprintf("x%d", r.person), "email": c.address(r.person, r.alias)}
		if r.phone || c.by == "phone_number" {
			row["phone_number"] = c.people[r.person].number()
		}
		if row["phone_number"] == "" {
			delete(row, "phone_number")
		}
		if c.history {
			row["at"] = fmt.Sprintf("2020-01-0%dT10:00:00Z", 1+r.person)
		}
		text, _ := json.Marshal(row)
		in.Write(append(text, '\n'))
	}
	return in.String()
}

// refusing refuses requests with rows of the kind refused, and names these rows or not.
func (c *sharedCase) refusing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(text))
		if r.Method != http.MethodPost || !bytes.Contains(text, []byte(`"refused`)) {
			next.ServeHTTP(w, r)
			return
		}
		var errs []string
		for i, row := range bytes.Split(text, []byte(`{"type":"profile",`))[1:] {
			if bytes.Contains(row, []byte(`"refused`)) {
				errs = append(errs, fmt.Sprintf(`{"code":"invalid","title":"Invalid","detail":"Invalid by %s",`+
					`"source":{"pointer":"/data/attributes/profiles/data/%d/attributes/email"}}`, consentKey, i))
			}
		}
		if c.naming == "unnamed" {
			errs = []string{`{"code":"invalid","title":"Invalid","detail":"Invalid","source":{"pointer":"/data"}}`}
		}
		w.Header().Set("Content-Type", "application/vnd.api+json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"errors":[%s]}`, strings.Join(errs, ","))
	})
}

// run runs the case and returns what is wrong, or "".
func (c *sharedCase) run(t *testing.T) string {
	f := &sharedRun{c: c}
	options := simulator.Options{
		Plan: &simulator.Plan{Seed: 1, Faults: c.faults, AlsoFound: c.alsoFound, Consent: &c.account}, Ledger: true,
		JobTime: time.Millisecond, MaxPage: 2, Now: f.now,
	}
	options.Wrap = func(next http.Handler) http.Handler {
		checked, err := contract.Layer(next, func(breach error) { t.Errorf("breach of the API description: %v", breach) })
		if err != nil {
			t.Error(err)
		}
		return checked
	}
	f.sim = simulator.New(options)
	f.edge = &edge{Handler: c.refusing(f.sim), now: f.now}
	server := httptest.NewServer(f.edge)
	defer server.Close()
	f.url = server.URL
	folder, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return err.Error()
	}
	f.fill()
	f.file = filepath.Join(folder, "results")
	w := f.run(t, nil)
	if w == "" && c.then != "" {
		for person := range c.people {
			if person%2 == 0 {
				f.sim.Confirm(c.address(person, false))
			}
		}
		if !c.soon {
			f.ahead.Add(int64(time.Hour))
		}
		earlier := f.last().out
		if w = f.write(earlier); w == "" && c.then == "wait" {
			w = f.waitLater(t, earlier)
		} else if w == "" {
			w = f.run(t, earlier)
		}
	}
	if w == "" {
		w = f.judge()
	}
	if w != "" {
		for i, r := range f.runs {
			w += fmt.Sprintf("\nrun %d, %v to %v:\n%s", i+1, r.began, r.ended, r.out)
		}
		for _, e := range f.sim.Ledger() {
			w += fmt.Sprintf("%+v\n", e)
		}
		for _, r := range f.edge.sent {
			w += fmt.Sprintf("%+v\n", *r)
		}
		return w
	}
	return ""
}

// sharedRun is a case while it runs.
type sharedRun struct {
	c     *sharedCase
	ahead atomic.Int64 // of the account's clock
	sim   *simulator.Simulator
	edge  *edge
	url   string
	file  string // of results
	list  string
	ids   []string            // of the people's profiles, "" for a stranger
	names map[string][]string // the identifiers of all profiles, by id
	runs  []sharedResult
}

// sharedResult is what one run wrote.
type sharedResult struct {
	began, ended time.Time // by the account's clock
	out          []byte
	rep          *report.Report
	died         bool // and it wrote no report
	resumed      bool // it has no lines of some rows
	waited       bool
}

func (f *sharedRun) now() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }

func (f *sharedRun) last() *sharedResult { return &f.runs[len(f.runs)-1] }

// fill adds the lists and the people.
func (f *sharedRun) fill() {
	optIn := "single_opt_in"
	if f.c.double {
		optIn = "double_opt_in"
	}
	f.list = f.sim.AddList("News", optIn)
	f.sim.AddList("Other", "single_opt_in")
	for i := range f.c.people {
		p := &f.c.people[i]
		if p.kind == "stranger" {
			f.ids = append(f.ids, "")
			continue
		}
		profile := simulator.Profile{
			Email: f.c.address(i, false), Phone: p.number(), External: fmt.Sprintf("x%d", i), Consent: p.consent,
		}
		if p.alias {
			profile.Also = []string{f.c.address(i, true)}
		}
		if p.member {
			profile.Lists = append(profile.Lists, "News")
		}
		if p.elsewhere {
			profile.Lists = append(profile.Lists, "Other")
		}
		f.ids = append(f.ids, f.sim.Add(profile))
	}
	f.ahead.Add(int64(time.Hour)) // all of that was before the run
}

// write writes earlier results as they were when the run after them begins.
func (f *sharedRun) write(results []byte) string {
	if err := os.WriteFile(f.file, results, 0o600); err != nil {
		return err.Error()
	}
	if !f.c.soon {
		ago := time.Now().Add(-time.Hour)
		if err := os.Chtimes(f.file, ago, ago); err != nil {
			return err.Error()
		}
	}
	return ""
}

// options are those of a run. Nothing is waited for long where some people never show.
func (f *sharedRun) options() (*Options, func(), error) {
	c := f.c
	retry := time.Minute
	if c.impatient {
		retry = 0
	}
	client, err := sink.New(sink.Options{
		BaseURL: f.url, Alone: true, Revision: sink.DefaultRevision, Key: consentKey, Concurrency: c.senders,
		RateShare: 100, RetryFor: retry, UserAgent: fmt.Sprint("run", len(f.runs)+1),
	})
	if err != nil {
		return nil, nil, err
	}
	checks := validate.Options{Operation: validate.Subscribe, By: c.by, Channels: validate.Channels(c.channels)}
	if c.withdraw {
		checks.Operation = validate.Unsubscribe
	}
	if c.history {
		checks.ConsentedAt = "at"
	}
	checker, err := validate.New(checks)
	if err != nil {
		return nil, nil, err
	}
	o := &Options{
		Operation: checks.Operation, Checker: checker, Client: client, List: sink.ListRef{ID: f.list}, Window: 1000,
		Concurrency: c.senders, BatchDelay: time.Hour, mostRows: c.batch, Wait: c.wait, WaitTimeout: 20 * time.Second,
		Consent: &ConsentOptions{Channels: c.channels, Listless: c.listless, Historical: c.history},
	}
	if !c.allShow() {
		o.WaitTimeout = 1200 * time.Millisecond
	}
	if c.listless {
		o.List = sink.ListRef{}
	}
	return o, client.Close, nil
}

// allShow reports whether the account comes to show every row that it accepts.
func (c *sharedCase) allShow() bool {
	if len(c.faults) > 0 || c.alsoFound == "never" || c.by != "email" || c.channels != sink.EmailMarketing ||
		c.listless && !c.withdraw && !c.history && !c.account.SingleOptIn {
		return false
	}
	return !slices.ContainsFunc(c.people, func(p sharedPerson) bool { return p.kind == "drop" || p.alias })
}

// run is the first run, or one that continues earlier results. It returns what is wrong, or "".
func (f *sharedRun) run(t *testing.T, earlier []byte) string {
	o, end, err := f.options()
	if err != nil {
		return err.Error()
	}
	defer end()
	if earlier != nil {
		if o.Resume, err = OpenEarlier(t.Context(), f.file); err != nil {
			return err.Error()
		}
		defer o.Resume.Close()
		if o.Resume.Rows == 0 && o.Resume.Report == nil {
			o.Resume = nil
		}
	}
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	k := &killed{left: 1 << 40, end: func() {
		stop(&Interrupted{Signal: "SIGKILL", ExitCode: 137})
		o.Client.Abort()
	}}
	if earlier == nil && f.c.killAt > 0 {
		k.left = f.c.killAt
	}
	if earlier == nil && f.c.cancelAfter > 0 {
		time.AfterFunc(time.Duration(f.c.cancelAfter)*time.Millisecond, func() {
			stop(&Interrupted{Signal: "SIGINT", ExitCode: 130})
		})
	}
	r := sharedResult{began: f.now(), resumed: earlier != nil, waited: f.c.wait}
	r.rep, err = Run(ctx, o, strings.NewReader(f.c.input()), k)
	r.ended, r.out, r.died = f.now(), bytes.Clone(k.Bytes()), k.left < 0
	f.runs = append(f.runs, r)
	if err != nil && strings.Contains(err.Error(), consentKey) {
		return "the error has the key: " + err.Error()
	}
	return f.repeated()
}

// waitLater waits for the results of the first run.
func (f *sharedRun) waitLater(t *testing.T, earlier []byte) string {
	o, end, err := f.options()
	if err != nil {
		return err.Error()
	}
	defer end()
	var out bytes.Buffer
	r := sharedResult{began: f.runs[0].began, waited: true, resumed: f.runs[0].died || !slices.Contains([]int{0, 1, 3}, f.runs[0].rep.ExitCode)}
	r.rep, _ = Wait(t.Context(), o, bytes.NewReader(earlier), &out)
	r.ended, r.out = f.now(), out.Bytes()
	f.runs = append(f.runs, r)
	if slices.ContainsFunc(f.edge.sent, func(r *edgeRequest) bool { return r.run == "run2" }) {
		return "wait asked for consent"
	}
	return ""
}

// repeated looks for people whom the last run named again after a request that may have had its effect. Rows that repeat
// a person are skipped.
func (f *sharedRun) repeated() string {
	f.edge.mu.Lock()
	defer f.edge.mu.Unlock()
	named := map[string]bool{}
	for _, r := range f.edge.sent {
		if r.run != fmt.Sprint("run", len(f.runs)) {
			continue
		}
		for _, name := range r.named {
			if named[name] && strings.HasPrefix(name, "+") == (f.c.by == "phone_number") && f.c.by != "external_id" {
				return name + " was named again after a request that may have had its effect"
			}
		}
		if !r.refused() {
			for _, name := range r.named {
				named[name] = true
			}
		}
	}
	return ""
}

// sharedState is what the account shows of a profile.
type sharedState struct {
	names    []string          // all emails, phone numbers and the external id
	of       map[string]string // consent by channel
	on, left bool              // on the list, unsubscribed from it alone
}

// states are those of all profiles before the first run.
func (f *sharedRun) states() map[string]*sharedState {
	all := map[string]*sharedState{}
	for i, id := range f.ids {
		p := &f.c.people[i]
		if id != "" {
			names := append(f.names[id], f.c.address(i, true), p.number())
			all[id] = &sharedState{on: p.member, of: map[string]string{"email": p.consent}, names: names}
		}
	}
	return all
}

// change enters a change of the account.
func (f *sharedRun) change(all map[string]*sharedState, e *simulator.Entry) {
	s := all[e.Profile]
	if s == nil {
		s = &sharedState{of: map[string]string{}, names: f.names[e.Profile]}
		all[e.Profile] = s
	}
	switch change, channel, _ := strings.Cut(e.Change, " "); {
	case change == "subscribed", change == "unsubscribed":
		if s.of[channel] = strings.ToUpper(change); change == "subscribed" && e.List == f.list {
			s.left = false
		}
	case change == "left_list":
		s.left = true
	case e.List != f.list:
	case change == "joined", change == "left":
		s.on = change == "joined"
	}
}

// identify reads the identifiers of all profiles.
func (f *sharedRun) identify() string {
	res, err := http.Get(f.url + "/simulator/profiles")
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	var all []struct {
		ID       string `json:"id"`
		Email    string `json:"email"`
		Phone    string `json:"phone_number"`
		External string `json:"external_id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		return err.Error()
	}
	f.names = map[string][]string{}
	for _, p := range all {
		f.names[p.ID] = []string{strings.ToLower(p.Email), p.Phone, p.External}
	}
	return ""
}

// judge judges the account, and the results of all runs.
func (f *sharedRun) judge() string {
	ledger := f.sim.Ledger()
	if wrong := f.identify(); wrong != "" {
		return wrong
	}
	left := map[string]bool{}
	for _, e := range ledger {
		if e.Change == "left" {
			left[fmt.Sprint(e.Call, e.Row, e.Profile)] = true
		}
	}
	for _, e := range ledger {
		named := strings.HasPrefix(e.Change, "unsubscribed") || strings.HasPrefix(e.Change, "left_list")
		switch {
		case !f.c.withdraw || f.c.listless || !named:
		case !left[fmt.Sprint(e.Call, e.Row, e.Profile)]:
			return fmt.Sprintf("%s %s was not on the list, and a request for the list named it", e.Email, e.Profile)
		case e.Change == "unsubscribed email" && f.c.account.ListUnsubscribe:
			return e.Email + " was only to leave the list, and is unsubscribed everywhere"
		}
	}
	for i := range f.runs {
		if wrong := f.judgeRun(&f.runs[i], ledger); wrong != "" {
			return fmt.Sprintf("run %d: %s", i+1, wrong)
		}
	}
	return ""
}

// judgeRun compares the lines of a run with the account and with its report.
func (f *sharedRun) judgeRun(r *sharedResult, ledger []simulator.Entry) string {
	if bytes.Contains(r.out, []byte(consentKey)) {
		return "the key is in the results"
	}
	var rep *report.Report
	var counts report.Consents
	statuses, last, worst := map[string]int64{}, int64(0), 0
	for text := range bytes.Lines(r.out) {
		if bytes.HasPrefix(text, []byte(`{"type":"report"`)) && !r.died {
			rep = new(report.Report)
			if err := json.Unmarshal(text, rep); err != nil {
				return err.Error()
			}
			continue
		}
		var l consentLine
		if err := json.Unmarshal(text, &l); err != nil || l.Type != "row" {
			if r.died {
				break
			}
			return fmt.Sprintf("a line is no result: %s", text)
		}
		if l.Row <= last || rep != nil || l.Row > int64(len(f.c.rows)) || !r.resumed && l.Row != last+1 {
			return fmt.Sprintf("row %d comes after row %d", l.Row, last)
		}
		last = l.Row
		statuses[l.Status]++
		if wrong := f.judgeLine(r, &l, ledger); wrong != "" {
			return fmt.Sprintf("row %d, %s %s: %s", l.Row, l.Status, l.Code, wrong)
		}
		switch {
		case l.Status == "accepted" && l.Code != report.Pending && r.waited:
			worst = 3
		case l.Status == "rejected" || l.Status == "unknown" || l.Status == "unsent":
			worst = max(worst, 1)
		}
		if l.Status != "applied" {
			continue
		}
		if l.Already {
			counts.Already++
		}
		switch l.Scope {
		case "list":
			counts.ScopeList++
		case "global":
			counts.ScopeGlobal++
		default:
			if !l.Mailable {
				counts.Unmailable++
			}
		}
	}
	switch {
	case r.died:
		return ""
	case rep == nil:
		return "there is no report"
	case last != int64(len(f.c.rows)) && rep.ExitCode < 2 && !r.resumed:
		return fmt.Sprintf("%d results of %d rows, exit %d", last, len(f.c.rows), rep.ExitCode)
	case rep.ExitCode < worst || worst == 0 && rep.ExitCode == 3:
		return fmt.Sprintf("exit %d, the rows say %d", rep.ExitCode, worst)
	}
	rows := map[string]int64{"applied": rep.Rows.Applied, "accepted": rep.Rows.Accepted, "skipped": rep.Rows.Skipped,
		"rejected": rep.Rows.Rejected, "unknown": rep.Rows.Unknown, "unsent": rep.Rows.Unsent}
	for status, n := range rows {
		if statuses[status] != n {
			return fmt.Sprintf("the report counts %d rows as %s, there are %d", n, status, statuses[status])
		}
	}
	if c := rep.Consent; c != nil && (c.Already != counts.Already || c.ScopeList != counts.ScopeList ||
		c.ScopeGlobal != counts.ScopeGlobal || c.Unmailable != counts.Unmailable) {
		return fmt.Sprintf("the report counts %+v, the lines %+v", *c, counts)
	}
	return ""
}

// judgeLine compares a line with the account at each moment of its run.
func (f *sharedRun) judgeLine(r *sharedResult, l *consentLine, ledger []simulator.Entry) string {
	row := &f.c.rows[l.Row-1]
	p := &f.c.people[row.person]
	if l.Status != "applied" {
		if f.c.allShow() && r.waited && !r.resumed && p.kind != "refused" && !f.double() && f.c.cancelAfter == 0 &&
			f.c.killAt == 0 && l.Code != "duplicate" && !(f.c.withdraw && !f.c.listless && !p.member) &&
			!(f.c.history && p.consent == "UNSUBSCRIBED") && l.Code != "same_profile" {
			return "it is good, and nothing went wrong"
		}
		return ""
	}
	if !r.waited && len(f.runs) == 1 {
		return "nothing was read back"
	}
	states, key := f.states(), strings.ToLower(f.c.key(row))
	shown := func() bool {
		for _, s := range states {
			if slices.Contains(s.names, key) && f.shows(s, l.Channels, true) {
				return true
			}
		}
		return false
	}
	ever, before := false, false
	for i := range ledger {
		e := &ledger[i]
		if e.At.After(r.ended) {
			break
		}
		if e.At.After(f.runs[0].began) || e.At.After(r.began) {
			ever = ever || shown()
		}
		f.change(states, e)
	}
	if ever = ever || shown(); !ever {
		return "the account never showed that"
	}
	states = f.states()
	for i := range ledger {
		if ledger[i].At.Before(r.began) {
			f.change(states, &ledger[i])
		}
	}
	for _, s := range states {
		before = before || slices.Contains(s.names, key) && f.shows(s, l.Channels, false)
	}
	if l.Already && !before && f.c.by != "phone_number" && !f.c.history {
		return "it was not so before the run"
	}
	return ""
}

// double reports whether people have to confirm a subscribe.
func (f *sharedRun) double() bool {
	return !f.c.withdraw && !f.c.history && (f.c.double && !f.c.listless || f.c.listless && !f.c.account.SingleOptIn)
}

// shows reports whether a profile has the consent of the channels that a row asks for.
func (f *sharedRun) shows(s *sharedState, channels []string, list bool) bool {
	for _, channel := range channels {
		left := f.c.withdraw && !f.c.listless && channel == "email" && s.left
		if want := (map[bool]string{true: "UNSUBSCRIBED", false: "SUBSCRIBED"})[f.c.withdraw]; s.of[channel] != want && !left {
			return false
		}
	}
	if !list || f.c.listless || slices.Equal(channels, []string{"sms-transactional"}) && !f.c.withdraw {
		return true
	}
	return s.on != f.c.withdraw
}
