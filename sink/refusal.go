package sink

import (
	"net/http"
	"slices"
)

// refusal is a 4xx about the content of a request.
type refusal struct{ *answer }

// naming calls blame for each profile that an error names, with the column and the reason against this one profile.
type naming func(e *apiError, set []*Profile, blame func(place int, column, detail string))

// refuse rejects the profiles of a set that the errors of a 4xx answer name, each with all errors about it. An answer
// with a status that is not about the content ends the run.
func refuse(a *answer, doing string, set []*Profile, t *texts, named naming) (*refusal, error) {
	a.body = nil // may be long, and its errors are read
	switch a.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
		http.StatusUnprocessableEntity:
	default:
		err := setupError("", "%s: %s", doing, a.traced())
		err.lost = a.lost
		return nil, err
	}
	for i := range a.errors {
		e := &a.errors[i]
		named(e, set, func(place int, column, detail string) {
			set[place].refuse(t, e.Code.String(), column, detail)
		})
	}
	a.errors = slices.Clone(firstErrors(a.errors)) // there may be some for each profile
	return &refusal{a}, nil
}

// firstErrors returns as many errors as said writes.
func firstErrors(all []apiError) []apiError {
	size := 0
	for i := range all {
		if size += len(all[i].text()) + 1; size > maxText {
			return all[:i+1]
		}
	}
	return all
}

// rest returns the profiles that are not rejected.
func (r *refusal) rest(set []*Profile) []*Profile {
	rest := make([]*Profile, 0, len(set))
	for _, p := range set {
		if p.Status != Rejected {
			rest = append(rest, p)
		}
	}
	return rest
}

// alone rejects a profile that was refused alone, without being named.
func (r *refusal) alone(p *Profile, t *texts) {
	code := "invalid"
	if r.status == http.StatusRequestEntityTooLarge {
		code = "payload_too_large"
	}
	if len(r.errors) > 0 && r.errors[0].Code != "" {
		code = r.errors[0].Code.String()
	}
	p.refuse(t, code, "", r.said())
}
