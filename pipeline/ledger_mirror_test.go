package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
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

// TestLedgerMirror draws nights in which a list is made equal to rows: people come, change and go, rows are bad,
// ceilings are low, Klaviyo fails, people join and leave meanwhile, and runs are killed and continued. Whatever
// happens, nobody is removed who is in the rows, and no row is skipped as unchanged that Klaviyo does not have.
func TestLedgerMirror(t *testing.T) {
	t.Parallel()
	rounds := max(*ledgerRounds, 1)
	checkRounds(t, rounds, func(rt *rapid.T) {
		const cases = 150
		drawn := make([]*mirrorCase, cases)
		for i := range drawn {
			drawn[i] = drawMirror(rt)
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

// mirrorCase is a few nights of one list. Each person has an email and the external id xi.
type mirrorCase struct {
	by        string
	phones    []int  // the number of each person, 0 for none; several may have one
	alias     []bool // rows name the person by an address that the profile does not show
	member    []bool // on the list before the first night
	state     bool
	impatient bool
	faults    []simulator.Fault
	alive     bool // the faults change the list
	nights    []night
}

// night is a run, or several of them where it is killed and continued.
type night struct {
	rows               []nightRow
	removals, unmatch  int
	invalid, minRows   int
	plan, full         bool
	senders, batch     int
	window             int
	killAt             int // bytes of output after which the run is killed, 0 = it is not
	resume             bool
	cutLast, cancelled bool
}

// nightRow is a row: whose it is, what it says, and what is wrong with it.
type nightRow struct {
	person, version int
	kind            string // good, other (rejected for another column), garbage, refused by Klaviyo, failed in an import
}

func drawMirror(rt *rapid.T) *mirrorCase {
	often := func(name string, of int) bool { return rapid.IntRange(0, of).Draw(rt, name) == 0 }
	people := rapid.IntRange(1, 12).Draw(rt, "people")
	c := &mirrorCase{
		by:    rapid.SampledFrom([]string{"email", "email", "phone_number", "external_id"}).Draw(rt, "by"),
		state: rapid.Bool().Draw(rt, "state"), impatient: often("impatient", 4),
	}
	for range people {
		c.phones = append(c.phones, rapid.IntRange(0, 9).Draw(rt, "phone"))
		c.alias = append(c.alias, often("alias", 5) && c.by == "email")
		c.member = append(c.member, rapid.Bool().Draw(rt, "member"))
	}
	for range rapid.IntRange(1, 3).Draw(rt, "nights") {
		c.nights = append(c.nights, drawNight(rt, people))
	}
	ons := []string{
		"GET /api/lists", lookingUp, lookingUp, ofProfiles, relationships, removing,
		"POST /api/profile-bulk-import-jobs", "GET /api/profile-bulk-import-jobs/{id}",
	}
	for range rapid.IntRange(0, 3).Draw(rt, "faults") {
		f := rapid.SampledFrom(answerFaults).Draw(rt, "fault")
		f.On, f.Skip = rapid.SampledFrom(ons).Draw(rt, "on"), rapid.IntRange(0, 9).Draw(rt, "skip")
		f.Times = rapid.IntRange(1, 2).Draw(rt, "times")
		c.faults = append(c.faults, f)
	}
	for range max(rapid.IntRange(-2, 2).Draw(rt, "life"), 0) {
		f := rapid.SampledFrom(lifeFaults).Draw(rt, "life fault")
		f.On = rapid.SampledFrom([]string{lookingUp, removing, relationships}).Draw(rt, "life on")
		f.Skip = rapid.IntRange(0, 9).Draw(rt, "life skip")
		c.faults, c.alive = append(c.faults, f), true
	}
	if often("a job is cancelled", 6) {
		c.faults = append(c.faults, simulator.Fault{Do: "cancel", Skip: rapid.IntRange(0, 2).Draw(rt, "which")})
	}
	c.faults = append(c.faults,
		simulator.Fault{Do: "refuse", Times: -1, Addresses: []string{"refused*"}, Code: "invalid", Detail: "Invalid.",
			Naming: "all"},
		simulator.Fault{Do: "fail", Times: -1, Addresses: []string{"failed*"}, Code: "invalid", Detail: "Invalid.",
			Payload: "full", Pointer: "index"},
	)
	return c
}

// lifeFaults change the list while it is read.
var lifeFaults = []simulator.Fault{
	{Do: "leave", As: "drawn"}, {Do: "rejoin", As: "drawn"}, {Do: "join", Addresses: []string{"new@example.com"}},
	{Do: "join", Addresses: []string{"newest@example.com"}, As: "newest"}, {Do: "delete_profile", As: "drawn"},
}

func drawNight(rt *rapid.T, people int) night {
	often := func(name string, of int) bool { return rapid.IntRange(0, of).Draw(rt, name) == 0 }
	n := night{
		removals: rapid.SampledFrom([]int{0, 1, 2, 100, 100, 100, 100}).Draw(rt, "removals"),
		unmatch:  rapid.SampledFrom([]int{0, 0, 0, 1, 100}).Draw(rt, "unmatched"),
		invalid:  rapid.SampledFrom([]int{0, 0, 1, 100, 100}).Draw(rt, "invalid"),
		minRows:  rapid.SampledFrom([]int{0, 0, 0, 5}).Draw(rt, "min rows"),
		plan:     often("plan", 8), full: often("full", 6), senders: rapid.IntRange(1, 4).Draw(rt, "senders"),
		batch: rapid.IntRange(1, 8).Draw(rt, "batch"), window: rapid.SampledFrom([]int{1, 0}).Draw(rt, "window"),
		cutLast: often("cut", 12), cancelled: often("cancelled", 12),
	}
	for range rapid.IntRange(0, 14).Draw(rt, "rows") {
		n.rows = append(n.rows, nightRow{
			rapid.IntRange(0, people-1).Draw(rt, "person"), rapid.IntRange(0, 2).Draw(rt, "version"),
			rapid.SampledFrom([]string{
				"good", "good", "good", "good", "good", "good", "good", "good", "other", "garbage", "failed", "refused",
			}).Draw(rt, "kind"),
		})
	}
	if often("kill", 2) {
		n.killAt = rapid.IntRange(1, 1200).Draw(rt, "kill at")
		n.resume = rapid.Bool().Draw(rt, "resume")
	}
	return n
}

// value is the identifier of a person in rows, "" for none.
func (c *mirrorCase) value(person int) string {
	switch {
	case c.by == "email" && c.alias[person]:
		return fmt.Sprintf("other%d@example.com", person)
	case c.by == "email":
		return fmt.Sprintf("P%d@example.com", person)
	case c.by == "external_id":
		return fmt.Sprintf("x%d", person)
	case c.phones[person] == 0:
		return ""
	}
	return fmt.Sprintf("+493090182%d", c.phones[person])
}

// input is the rows of a night as text.
func (c *mirrorCase) input(n *night) string {
	var in strings.Builder
	for _, r := range n.rows {
		switch r.kind {
		case "garbage":
			in.WriteString("nope\n")
		case "other":
			fmt.Fprintf(&in, `{%q:%q,"first_name":%d}`+"\n", c.by, c.value(r.person), r.version)
		case "refused", "failed":
			fmt.Fprintf(&in, `{%q:%q,"first_name":"v"}`+"\n", c.by, c.stranger(&r))
		default:
			fmt.Fprintf(&in, `{%q:%q,"first_name":"v%d"}`+"\n", c.by, c.value(r.person), r.version)
		}
	}
	text := in.String()
	if n.cutLast && len(text) > 4 {
		text = text[:len(text)-4]
	}
	return text
}

// stranger is the identifier of a row that Klaviyo refuses: by email somebody unknown.
func (c *mirrorCase) stranger(r *nightRow) string {
	if c.by == "email" {
		return fmt.Sprintf("%s%d@example.com", r.kind, r.person)
	}
	return c.value(r.person)
}

// run runs the case and returns what is wrong, or "".
func (c *mirrorCase) run(t *testing.T) string {
	var ahead atomic.Int64 // of the clock
	url, sim := contract.Serve(t, simulator.Options{
		Plan: &simulator.Plan{Seed: 1, Faults: c.faults}, MaxPage: 2, Ledger: true, JobTime: time.Millisecond,
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	defer sim.Close()
	list := sim.AddList("News", "single_opt_in")
	for person := range c.member {
		p := simulator.Profile{Email: fmt.Sprintf("p%d@example.com", person), External: fmt.Sprintf("x%d", person)}
		if c.phones[person] > 0 {
			p.Phone = fmt.Sprintf("+493090182%d", c.phones[person])
		}
		if c.alias[person] {
			p.Also = []string{fmt.Sprintf("other%d@example.com", person)}
		}
		if c.member[person] {
			p.Lists = []string{"News"}
		}
		sim.Add(p)
	}
	folder, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return err.Error()
	}
	f := &mirrorRun{c: c, url: url, sim: sim, list: list, state: filepath.Join(folder, "state")}
	for i := range c.nights {
		ahead.Add(int64(time.Hour)) // whoever joined in the last night joined before this one
		n := &c.nights[i]
		w := f.do(t, n, nil, n.killAt)
		if w == "" && n.killAt > 0 {
			earlier := f.out
			if !n.resume {
				earlier = nil
			}
			ahead.Add(int64(time.Minute))
			w = f.do(t, n, earlier, 0)
		}
		if w != "" {
			return fmt.Sprintf("night %d: %s\nresults:\n%s", i+1, w, f.out)
		}
	}
	return ""
}

// mirrorRun runs nights, one after the other.
type mirrorRun struct {
	c     *mirrorCase
	url   string
	sim   *simulator.Simulator
	list  string
	state string
	out   []byte
}

// killed is an output after which nothing of a run counts: a copy of the state is what the next one finds.
type killed struct {
	bytes.Buffer
	left  int
	state string
	end   func()
}

func (k *killed) Write(p []byte) (int, error) {
	if k.left < 0 {
		return len(p), nil
	}
	if n := min(len(p), k.left); n < len(p) {
		k.Buffer.Write(p[:n])
		if text, err := os.ReadFile(k.state); err == nil {
			_ = os.WriteFile(k.state+".killed", text, 0o600)
		}
		k.left = -1
		k.end()
		return len(p), nil
	}
	k.left -= len(p)
	return k.Buffer.Write(p)
}

// do is one run of a night. It returns what is wrong, or "".
func (f *mirrorRun) do(t *testing.T, n *night, earlier []byte, killAt int) string {
	c := f.c
	retry := time.Minute
	if c.impatient {
		retry = 0
	}
	client, err := sink.New(sink.Options{
		BaseURL: f.url, Alone: true, Revision: sink.DefaultRevision, Key: "k", Concurrency: n.senders, RateShare: 100,
		RetryFor: retry,
	})
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	checker, err := validate.New(validate.Options{Operation: validate.Mirror, By: c.by})
	if err != nil {
		return err.Error()
	}
	removals := Bound{rows: int64(n.removals)}
	o := &Options{
		Operation: validate.Mirror, Checker: checker, Client: client, List: sink.ListRef{ID: f.list}, Window: n.window,
		Concurrency: n.senders, BatchDelay: time.Hour, mostRows: n.batch, Wait: !n.plan, WaitTimeout: 20 * time.Second,
		MaxOpenJobs: 8, MaxInvalid: Bound{rows: int64(n.invalid)}, MinRows: int64(n.minRows), DryRun: n.plan,
		Mirror: &MirrorOptions{Plan: n.plan, MaxRemovals: &removals, MaxUnmatched: Bound{rows: int64(n.unmatch)}},
	}
	if c.state {
		o.State = &StateOptions{File: f.state, Full: n.full}
	}
	if earlier != nil {
		file := f.state + ".results"
		if err := os.WriteFile(file, earlier, 0o600); err != nil {
			return err.Error()
		}
		if o.Resume, err = OpenEarlier(t.Context(), file); err != nil {
			return err.Error()
		}
		defer o.Resume.Close()
		if o.Resume.Rows == 0 && o.Resume.Report == nil {
			o.Resume = nil
		}
	}
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	k := &killed{left: 1 << 40, state: f.state, end: func() {
		stop(&Interrupted{Signal: "SIGKILL", ExitCode: 137})
		client.Abort()
	}}
	if killAt > 0 {
		k.left = killAt
	}
	began, from := f.sim.Memberships(f.list), len(f.sim.Ledger())
	if n.cancelled && killAt == 0 {
		time.AfterFunc(5*time.Millisecond, func() { stop(&Interrupted{Signal: "SIGINT", ExitCode: 130}) })
	}
	rep, _ := Run(ctx, o, strings.NewReader(c.input(n)), k)
	f.out = bytes.Clone(k.Bytes())
	died := k.left < 0
	if died {
		_ = os.Rename(f.state+".killed", f.state)
	}
	if over := f.sim.Overruns(); len(over) > 0 {
		return fmt.Sprintf("rate windows are overrun: %v", over)
	}
	return f.judge(n, rep, began, f.sim.Ledger()[from:], died, earlier != nil)
}

// mirrorLine is a line of results.
type mirrorLine struct {
	line
	ProfileID string `json:"profile_id"`
}

// judge compares what the run says with what the account shows.
func (f *mirrorRun) judge(
	n *night, rep *report.Report, began []simulator.Membership, ledger []simulator.Entry, died, resumed bool,
) string {
	c := f.c
	removed, touched := map[string]bool{}, map[string]bool{} // profile ids; touched by others
	for _, e := range ledger {
		switch {
		case e.Others:
			touched[e.Profile] = true
		case e.Change == "left" && e.Call > 0:
			removed[e.Profile] = true
			if who := c.named(n, &e); who != "" {
				return fmt.Sprintf("%s was removed, and is in the rows: %s", e.Email, who)
			}
			if e.Email == "new@example.com" && touched[e.Profile] {
				return "somebody was removed who joined meanwhile"
			}
		}
	}
	if n.plan && len(ledger) > 0 && !c.alive {
		return "a plan changed something"
	}
	if len(removed) > n.removals {
		return fmt.Sprintf("%d were removed, --max-removals is %d", len(removed), n.removals)
	}
	if bad := c.bad(n); bad != "" && (len(removed) > 0 || rep.Jobs.Submitted > 0) {
		return bad + ", and something was sent or removed"
	}
	for id := range removed { // also when the run is killed right after
		if !touched[id] && !bytes.Contains(f.out, []byte(`"profile_id":"`+id+`"}`+"\n")) {
			return id + " was removed, and no line names them"
		}
	}
	if died {
		return ""
	}
	return f.judgeLines(n, rep, began, removed, touched, resumed)
}

// named returns the row that names somebody who was removed, or "".
func (c *mirrorCase) named(n *night, e *simulator.Entry) string {
	for i, r := range n.rows {
		if r.kind == "garbage" || n.cutLast && i == len(n.rows)-1 {
			continue
		}
		value := c.value(r.person)
		if r.kind == "refused" || r.kind == "failed" {
			value = c.stranger(&r)
		}
		if value == "" {
			continue
		}
		for person := range c.member {
			if c.value(person) == value && strings.EqualFold(e.Email, fmt.Sprintf("p%d@example.com", person)) {
				return fmt.Sprintf("row %d, %s %s", i+1, r.kind, value)
			}
		}
	}
	return ""
}

// bad says why nothing may be sent, "" where there is no reason.
func (c *mirrorCase) bad(n *night) string {
	rejected := 0
	for i, r := range n.rows {
		if r.kind == "garbage" || r.kind == "other" || c.value(r.person) == "" && r.kind != "garbage" && c.by != "email" ||
			n.cutLast && i == len(n.rows)-1 && r.kind != "garbage" {
			rejected++
		}
	}
	switch {
	case len(n.rows) == 0:
		return "the input is empty"
	case len(n.rows) < n.minRows:
		return "there are too few rows"
	case rejected > n.invalid:
		return "too many rows are rejected"
	}
	return ""
}

// judgeLines compares the lines with the account.
func (f *mirrorRun) judgeLines(
	n *night, rep *report.Report, began []simulator.Membership, removed, touched map[string]bool, resumed bool,
) string {
	c := f.c
	on := map[string]bool{}
	for _, m := range f.sim.Memberships(f.list) {
		on[m.Profile] = true
	}
	rows, lines := 0, map[string]bool{}
	profiles := f.profiles()
	for text := range bytes.Lines(f.out) {
		var l mirrorLine
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Sprintf("a line is not JSON: %s", text)
		}
		switch {
		case l.Type == "row":
			if rows++; l.Code == report.Unchanged {
				r := n.rows[l.Row-1]
				want := fmt.Sprintf("v%d", r.version)
				if r.kind == "refused" || r.kind == "failed" { // only by email
					want = "v"
				}
				is := c.versions(profiles, r.person)
				if is != "" && is != want && !sentLater(f.out, &l) {
					return fmt.Sprintf("row %d is unchanged: Klaviyo has %q, the row %q", l.Row, is, want)
				}
			}
		case l.Type == "member" && l.Status == "removed":
			lines[l.ProfileID] = true
			if on[l.ProfileID] && !touched[l.ProfileID] {
				return fmt.Sprintf("%s is said to be removed, and is on the list", l.Key)
			}
		case l.Type == "member" && l.Status == "unknown":
			lines[l.ProfileID] = true
		}
	}
	if m := rep.Members; m != nil && m.Mirrored != nil && len(removed) > 0 && m.Unmatched > int64(n.unmatch) {
		return fmt.Sprintf("members were removed while %d rows were not accounted for", m.Unmatched)
	}
	if len(removed) > 0 && !resumed && rep.Rows.Rejected > int64(n.invalid) {
		return fmt.Sprintf("members were removed while %d rows were rejected", rep.Rows.Rejected)
	}
	for id := range removed {
		if !lines[id] && rep.ExitCode < 2 && !touched[id] {
			return fmt.Sprintf("%s was removed, and no line says so", id)
		}
	}
	if want := len(n.rows); rows != want && !resumed && rep.ExitCode != 2 && rep.ExitCode != 4 && rep.ExitCode != 130 {
		return fmt.Sprintf("%d results of %d rows, exit %d", rows, want, rep.ExitCode)
	}
	if m := rep.Members; m != nil && m.Mirrored != nil && m.Read != m.Matched+m.JoinedLater+m.Extras {
		return fmt.Sprintf("members do not add up: %+v", *m.Mirrored)
	}
	if rep.ExitCode != 0 || c.alive || n.plan {
		return ""
	}
	return f.equal(n, began)
}

// sentLater reports whether a row of the same person that follows was sent.
func sentLater(out []byte, row *mirrorLine) bool {
	for text := range bytes.Lines(out) {
		var l mirrorLine
		_ = json.Unmarshal(text, &l)
		if l.Type == "row" && l.Row > row.Row && l.Key == row.Key && l.Status != "skipped" {
			return true
		}
	}
	return false
}

// equal compares the list with the rows after a success.
func (f *mirrorRun) equal(n *night, began []simulator.Membership) string {
	c := f.c
	want := map[string]bool{}
	for i, r := range n.rows {
		for person := range c.member {
			if n.cutLast && i == len(n.rows)-1 {
				continue
			}
			if v := c.value(person); v != "" && v == c.value(r.person) && r.kind == "good" {
				want[fmt.Sprintf("p%d@example.com", person)] = true
			}
		}
	}
	shared := map[string]bool{} // people who share a number: one of them is enough
	for _, m := range f.sim.Memberships(f.list) {
		m.Email = strings.ToLower(m.Email)
		shared[m.Email] = true
		if !want[m.Email] && c.named(n, &simulator.Entry{Email: m.Email}) == "" && strings.HasPrefix(m.Email, "p") {
			return fmt.Sprintf("exit 0, and %s is on the list, who is in no row; before %+v", m.Email, began)
		}
	}
	for email := range want {
		if !shared[email] && c.by != "phone_number" {
			return fmt.Sprintf("exit 0, and %s is not on the list", email)
		}
	}
	return ""
}

// profiles are the names of the profiles in the account, by email.
func (f *mirrorRun) profiles() map[string]string {
	req, _ := http.NewRequest(http.MethodGet, f.url+"/simulator/profiles", nil)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	var all []struct {
		Email string `json:"email"`
		Name  string `json:"first_name"`
	}
	_ = json.Unmarshal(text, &all)
	names := map[string]string{}
	for _, p := range all {
		names[strings.ToLower(p.Email)] = p.Name
	}
	return names
}

// versions is what the profile of a person says, "" where that is not known: several may have one number.
func (c *mirrorCase) versions(profiles map[string]string, person int) string {
	if c.by == "phone_number" {
		return ""
	}
	return profiles[fmt.Sprintf("p%d@example.com", person)]
}
