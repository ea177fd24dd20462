package sink

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// hopeless is how many requests for one batch may be refused without a word on which profile is meant, and none taken,
// until the request itself is held to be wrong (DESIGN.md §5).
const hopeless = 30

// delivery brings one batch to Klaviyo, which refuses a whole request for one profile: those that it names are
// set aside and the others sent again, and where it names none the batch is halved until the culprit is alone.
type delivery struct {
	list    *List
	send    func(ctx context.Context, set []*Profile) (*refusal, error)
	through bool // a request was taken
	lost    bool // a request that may have arrived was refused when it was sent again
	unnamed int  // requests that were refused without a name
}

// refusal is a 4xx on a request's content. place finds the profile that an error is about, -1 for none.
type refusal struct {
	status int
	lost   bool // an earlier try may have arrived
	errors []apiError
	place  func(e *apiError, set []*Profile) (place int, column string)
}

// refuse makes a refusal of a 4xx answer. Only these speak of the request's content; others end the run.
func refuse(a *answer, doing string, place func(*apiError, []*Profile) (int, string)) (*refusal, error) {
	r := &refusal{status: a.status, lost: a.lost, errors: a.errors, place: place}
	switch a.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return r, nil
	}
	err := setupError("", "%s: %s", doing, explain(r.status, r.errors))
	err.lost = a.lost
	return nil, err
}

// run delivers a batch. Its error is that of Sender.Send.
func (d *delivery) run(ctx context.Context, profiles []Profile) error {
	set := make([]*Profile, len(profiles))
	for i := range profiles {
		set[i] = &profiles[i]
	}
	err := d.deliver(ctx, set)
	if err != nil && d.lost {
		unanswered(set)
	}
	return err
}

func (d *delivery) deliver(ctx context.Context, set []*Profile) error {
	for len(set) > 0 {
		refused, err := d.send(ctx, set)
		if err != nil {
			return lose(set, err)
		}
		if refused == nil {
			d.through = true
			return nil
		}
		d.lost = d.lost || refused.lost
		rest := refused.strip(set)
		if len(rest) < len(set) {
			set = rest
			continue
		}
		if err := d.doubt(ctx, refused); err != nil {
			return err
		}
		if len(set) == 1 {
			set[0].refuse(refused.fault())
			return nil
		}
		half := len(set) / 2
		if err := d.deliver(ctx, set[:half]); err != nil {
			return err
		}
		set = set[half:]
	}
	return nil
}

// doubt asks, before a profile is blamed or a batch halved, whether the request itself is at fault.
func (d *delivery) doubt(ctx context.Context, refused *refusal) error {
	if d.unnamed++; d.unnamed >= hopeless && !d.through {
		return setupError("this looks like a fault of klaviyo-export or a change of the API: please report it",
			"send profiles: Klaviyo refused %d requests in a row without naming a profile: %s", d.unnamed, explain(refused.status, refused.errors))
	}
	return d.list.exists(ctx)
}

// lose marks profiles whose request may have arrived although no answer did.
func lose(set []*Profile, err error) error {
	var failed *Error
	if errors.As(err, &failed) && failed.lost {
		unanswered(set)
	}
	return err
}

// unanswered marks the profiles of which nothing is known as those whose request may have arrived.
func unanswered(set []*Profile) {
	for _, p := range set {
		if p.Status == Unsent {
			p.Status, p.Fault = Unknown, AnswerLost
		}
	}
}

// AnswerLost is the reason of profiles whose request may have arrived.
var AnswerLost = &Fault{Code: "answer_lost", Detail: "the request was sent, but no usable answer came: the row may have arrived or not; sending it again does no harm"}

// strip refuses the profiles that the errors name, each with all that is said of it, and returns the others.
func (r *refusal) strip(set []*Profile) []*Profile {
	for i := range r.errors {
		e := &r.errors[i]
		if at, column := r.place(e, set); at >= 0 {
			set[at].refuse(&Fault{Code: e.Code, Column: column, Detail: e.text()})
		}
	}
	rest := make([]*Profile, 0, len(set))
	for _, p := range set {
		if p.Status != Rejected {
			rest = append(rest, p)
		}
	}
	return rest
}

// fault is the reason against a profile that was refused alone, without being named.
func (r *refusal) fault() *Fault {
	f := &Fault{Code: "invalid", Detail: explain(r.status, r.errors)}
	if r.status == http.StatusRequestEntityTooLarge {
		f.Code = "payload_too_large"
	}
	if len(r.errors) > 0 && r.errors[0].Code != "" {
		f.Code = r.errors[0].Code
	}
	return f
}

// refuse rejects the profile; of several reasons the first gives code and column, and the detail holds all.
func (p *Profile) refuse(f *Fault) {
	if p.Status == Rejected {
		p.Fault.add(f.Detail)
		return
	}
	p.Status, p.Fault = Rejected, f
}

// add adds another reason, unless there is much to read already.
func (f *Fault) add(detail string) {
	if len(f.Detail) < maxSaid {
		f.Detail += "; " + detail
	}
}

// attribute makes a column's name of the rest of an error's pointer: attributes/location/city is location.city.
func attribute(pointer string) string {
	pointer = strings.Trim(pointer, "/")
	pointer = strings.TrimPrefix(strings.TrimPrefix(pointer, "attributes"), "/")
	pointer = strings.TrimPrefix(pointer, "properties/")
	return strings.ReplaceAll(pointer, "/", ".")
}
