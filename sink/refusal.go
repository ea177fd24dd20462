package sink

import "net/http"

// refusal is a 4xx about the content of a request.
type refusal struct {
	*answer
	named naming
}

// naming calls blame for each profile that an error names, with the column and the reason against this one profile.
type naming func(e *apiError, set []*Profile, blame func(place int, column, detail string))

// refuse returns the refusal of a 4xx answer. An answer with a status that is not about the content ends the run.
func refuse(a *answer, doing string, named naming) (*refusal, error) {
	a.body = nil // may be long, and its errors are read
	switch a.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
		http.StatusUnprocessableEntity:
		return &refusal{a, named}, nil
	}
	err := setupError("", "%s: %s", doing, a.traced())
	err.lost = a.lost
	return nil, err
}

// strip rejects the profiles that the errors name, each with all errors about it, and returns the others.
func (r *refusal) strip(set []*Profile) []*Profile {
	for i := range r.errors {
		e := &r.errors[i]
		r.named(e, set, func(place int, column, detail string) {
			set[place].refuse(&Fault{Code: e.Code.String(), Column: column, Detail: detail})
		})
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
	f := &Fault{Code: "invalid", Detail: r.said()}
	if r.status == http.StatusRequestEntityTooLarge {
		f.Code = "payload_too_large"
	}
	if len(r.errors) > 0 && r.errors[0].Code != "" {
		f.Code = r.errors[0].Code.String()
	}
	return f
}
