package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/segmentio/encoding/json"
)

// Limits of one request (klaviyo-more.md §2.1 and §2.5).
const (
	maxSubscribe   = 1_000
	maxUnsubscribe = 100
)

// Wish says whose consent is set or withdrawn, and where.
type Wish struct {
	Withdraw   bool
	By         Identifier // Email, PhoneNumber or ExternalID
	Channels   Channels   // of all rows
	List       *List      // nil: people join no list, or consent is withdrawn everywhere
	Historical bool       // each row has the time of its consent
	Source     string     // custom_source
	// Before, where it is not nil, is called before each request to withdraw consent for a list. Its error prevents the
	// request and ends the run.
	Before func() error
	// Since is when the run began, by Klaviyo's clock; zero is the time of the client's first request.
	Since time.Time
}

// Consents sets or withdraws consent, and reads it back. Klaviyo answers such a request before it acts on it, and names
// nothing to ask for (klaviyo-more.md §2). Its methods may be called concurrently.
//
// Consents is a Sender. JSON of a Profile is the element of a subscribe request. For Wish.Withdraw it is an object of
// the person's email and phone_number, and by ExternalID one of external_id and, for Historical, consented_at. Send
// narrows Channels to those that the request asked for. Sent profiles are Accepted.
//
// A request whose answer is lost is not sent again: its profiles are Unknown, and the run goes on when Klaviyo answers
// again.
type Consents struct {
	client  *Client
	wish    Wish
	lookups *lookups
	trial   *trial
	losses  *atomic.Int64              // requests in a row whose answers were lost
	rows    *atomic.Int64              // numbers those that withdraw
	left    *lru.Cache[leaving, int64] // by which row members left their list
	typical *atomic.Int64              // nanoseconds until the last consent showed
	waiting *waiting                   // the rows that are read back
}

// leaving is a profile that leaves a list, both by their ids.
type leaving struct{ list, profile string }

// withdrawn is how many profiles that left the list are remembered, some 40 MB: those of the last four minutes.
const withdrawn = 300_000

// NewConsents returns a Consents.
func NewConsents(c *Client, w Wish) *Consents {
	left, err := lru.New[leaving, int64](withdrawn)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	s := &Consents{
		client: c, wish: w, lookups: newLookups(c, w.List), trial: new(trial), losses: new(atomic.Int64),
		rows: new(atomic.Int64), left: left, typical: new(atomic.Int64), waiting: newWaiting(),
	}
	s.trial.doing = s.doing()
	return s
}

// To returns the Consents of another list, as Sender.To does.
func (s *Consents) To(list *List) Sender {
	other := *s
	other.wish.List, other.lookups, other.waiting = list, s.lookups.on(list), newWaiting()
	return &other
}

// doing is what the requests do, for errors.
func (s *Consents) doing() string {
	if s.wish.Withdraw {
		return "unsubscribe profiles"
	}
	return "subscribe profiles"
}

// Limits returns what one call of Send takes. A call that withdraws takes several requests.
func (s *Consents) Limits() (profiles, bytes int) {
	const envelope = 2000
	return maxSubscribe, maxImportBytes - envelope
}

// The reasons of rows whose consent is not, or not yet, as it should be.
var (
	pending = &Fault{
		Code:   "confirmation_pending",
		Detail: "the list asks people to confirm by double opt-in, and Klaviyo shows nothing before they do",
	}
	consentLost = &Fault{
		Code: "answer_lost",
		Detail: "the request was sent, but no usable answer came back; it may have been processed, " +
			"so it is not sent again before the consent was read back",
	}
	partial = &Fault{
		Code: "partial_failure", Column: "phone_number",
		Detail: "Klaviyo accepted the request and says that phone numbers of some of its rows failed, but not which",
	}
	noChannel = &Fault{
		Code: "channel_missing", Detail: "the profile has neither email nor phone number for the channels asked for",
	}
	sharedNumber = &Fault{
		Code: "several_profiles", Column: "phone_number",
		Detail: "somebody who is not on the list has the same phone number; " +
			"Klaviyo might unsubscribe that person from all lists",
	}
	sameProfile = &Fault{
		Code: "same_profile",
		Detail: "this run has already unsubscribed the same profile by another address; " +
			"a second request would unsubscribe it from all lists",
	}
)

// Send asks Klaviyo for the consent of rows and enters their status. It is as in Sender.
func (s *Consents) Send(ctx context.Context, rows []Profile) error {
	var err error
	switch {
	case len(rows) == 0:
	case s.wish.Withdraw:
		err = s.withdraw(ctx, rows, false)
	case s.wish.By == ExternalID:
		err = s.subscribeKnown(ctx, rows)
	default:
		err = s.subscribe(ctx, rows)
	}
	return err
}

// subscribe sends one request for the profiles.
func (s *Consents) subscribe(ctx context.Context, rows []Profile) error {
	var list string
	if s.wish.List != nil {
		var err error
		if list, err = s.wish.List.ensure(ctx); err != nil {
			return err
		}
	}
	suffix := s.subscribeSuffix(list)
	return s.send(ctx, rows, func(ctx context.Context, set []*Profile, t *texts) (*refusal, error) {
		return s.post(ctx, "create", suffix, set, t)
	})
}

// subscribeSuffix closes the body of a subscribe request.
func (s *Consents) subscribeSuffix(list string) string {
	b := []byte(`]}`)
	if s.wish.Source != "" {
		b = json.AppendEscape(append(b, `,"custom_source":`...), s.wish.Source, 0)
	}
	if s.wish.Historical {
		b = append(b, `,"historical_import":true`...)
	}
	return string(append(b, '}')) + listRelation(list) + `}}`
}

// listRelation is the member of a request that names its list, "" for none.
func listRelation(list string) string {
	if list == "" {
		return ""
	}
	return `,"relationships":{"list":{"data":{"type":"list","id":` + quoted(list) + `}}}`
}

// quoted writes a text as JSON.
func quoted(text string) string { return string(json.AppendEscape(nil, text, 0)) }

// send sends profiles of one request. A lost answer ends the run only when several in a row are lost.
func (s *Consents) send(
	ctx context.Context, rows []Profile, post func(context.Context, []*Profile, *texts) (*refusal, error),
) error {
	b := batch{
		list: s.wish.List, trial: s.trial, texts: s.client.newTexts(), lostAs: consentLost,
		survive: func(err error) error { return s.survive(ctx, err) },
	}
	b.request = func(ctx context.Context, set []*Profile) (*refusal, error) { return post(ctx, set, b.texts) }
	return b.send(ctx, rows)
}

// post sends one request that creates or deletes subscriptions.
func (s *Consents) post(ctx context.Context, what, suffix string, set []*Profile, t *texts) (*refusal, error) {
	var refused *refusal
	var wrong error
	e := s.client.endpoints.subscribes
	var before func() error
	if s.wish.Withdraw {
		e = s.client.endpoints.unsubscribes
		if s.wish.List != nil {
			before = s.wish.Before
		}
	}
	a, err := s.client.call(ctx, &request{
		doing:  strings.TrimSuffix(s.doing(), "profiles") + plural(len(set), "profile"),
		method: http.MethodPost, path: "/api/profile-subscription-bulk-" + what + "-jobs", endpoint: e, careful: true,
		prefix: `{"data":{"type":"profile-subscription-bulk-` + what + `-job","attributes":{"profiles":{"data":[`,
		suffix: suffix, set: set, before: before,
		accept: func(a *answer) error {
			if a.status != http.StatusAccepted {
				return fmt.Errorf("expected HTTP %d", http.StatusAccepted)
			}
			return nil
		},
		refused: func(a *answer) { refused, wrong = refuse(a, s.doing(), set, t, importNamed) },
	})
	if err = cmp.Or(err, wrong); err != nil || refused != nil {
		return refused, err
	}
	s.losses.Store(0)
	fault := s.acceptedAs(a)
	for _, p := range set {
		p.Status = Accepted
		switch {
		case fault == partial && p.Channels&sms != 0:
			p.Fault = partial
		case s.confirms(p.Channels):
			p.Fault = pending
		}
	}
	return nil, nil
}

// acceptedAs is what an answer says of some of its rows, nil for nothing (klaviyo-more.md §2.4).
func (s *Consents) acceptedAs(a *answer) *Fault {
	failed := s.client.short(foreign(a.header.Get("X-Klaviyo-Partial-Failure")))
	if failed == "" {
		return nil
	}
	s.client.tell(fmt.Sprintf("%s: Klaviyo accepted a request, and says that some of its rows failed in part (%s)%s",
		s.doing(), failed, trace(a.id)))
	return partial
}

// confirms reports whether a person has to confirm the consent before Klaviyo shows it. A historical consent and one
// to transactional messages need no confirmation (klaviyo-more.md §2.2 and §2.3).
func (s *Consents) confirms(c Channels) bool {
	return !s.wish.Withdraw && !s.wish.Historical && s.wish.List != nil && s.wish.List.doubleOptIn() &&
		c&^SMSTransactional != 0
}

// maxLosses is how many requests in a row may lose their answers, beside those in flight: each costs the proof of its
// rows.
const maxLosses = 3

// survive waits until Klaviyo answers again after a request whose answer was lost. Its error ends the run.
func (s *Consents) survive(ctx context.Context, why error) error {
	if s.losses.Add(1) > maxLosses+int64(s.client.options.Concurrency) {
		return why
	}
	_, err := s.client.call(ctx, &request{
		doing: "wait for Klaviyo", method: http.MethodGet, path: "/api/profiles?page%5Bsize%5D=1&fields%5Bprofile%5D=email",
		endpoint: s.client.endpoints.profiles,
	})
	var failed *Error
	if errors.As(err, &failed) && failed.Kind == Setup {
		return nil // an answer is an answer
	}
	return err
}
