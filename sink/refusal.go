package sink

import "net/http"

// refusal is a 4xx about the content of a request. place finds the profile that an error is about, -1 for none.
type refusal struct {
	status int
	lost   bool // an earlier try may have arrived
	errors []apiError
	place  func(e *apiError, set []*Profile) (place int, column string)
}

// refuse returns the refusal of a 4xx answer. An answer with a status that is not about the content ends the run.
func refuse(a *answer, doing string, place func(*apiError, []*Profile) (int, string)) (*refusal, error) {
	r := &refusal{status: a.status, lost: a.lost, errors: a.errors, place: place}
	switch a.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
		http.StatusUnprocessableEntity:
		return r, nil
	}
	err := setupError("", "%s: %s", doing, explain(r.status, r.errors))
	err.lost = a.lost
	return nil, err
}

// strip rejects the profiles that the errors name, each with all errors about it, and returns the others.
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
