package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"
	"pgregory.net/rapid"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
)

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
			phone: rapid.IntRange(0, 9).Draw(rt, "phone"), alias: rapid.Bool().Draw(rt, "alias"),
			member: rapid.Bool().Draw(rt, "member"), elsewhere: rapid.Bool().Draw(rt, "elsewhere"),
			consent: rapid.SampledFrom([]string{"", "SUBSCRIBED", "UNSUBSCRIBED"}).Draw(rt, "consent"),
		})
		if p := &c.people[len(c.people)-1]; p.kind == "stranger" {
			p.alias, p.member, p.consent = false, false, ""
		}
	}
	for range rapid.IntRange(1, 12).Draw(rt, "rows") {
		c.rows = append(c.rows, sharedRow{
			rapid.IntRange(0, len(c.people)-1).Draw(rt, "person"), rapid.Bool().Draw(rt, "by alias"), !often("no phone", 3),
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
