package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// kind is one kind of fault. It has one of serve and harm.
type kind struct {
	// parameters are the members of Fault that it takes, beside those that say on which requests it acts; NAME=A,B,… has one of these values.
	parameters []string
	// last says that the faults after it don't act on the same request.
	last bool
	// serve answers a request in place of next, which may be called any number of times.
	serve func(f *Fault, x *exchange, next func() *kept) *kept
	// harm does its work on an import that would be accepted. An answer other than nil is given in place of acceptance.
	harm func(f *Fault, j *job) *answer
	// concerns tells which imports match; nil: all do.
	concerns func(f *Fault, j *job) bool
	// wrong tells what is wrong with the parameters, if anything; it may be nil.
	wrong func(f *Fault) string
}

// kinds are all that a plan may name.
var kinds = map[string]kind{
	"status": {parameters: []string{"status", "as=error,page,empty,text", "body", "type", "headers", "code", "detail"},
		last: true, serve: serveStatus, wrong: wrongStatus},
	"throttle":  {parameters: []string{"retry_after", "form=seconds,date,none", "window=second,minute,day"}, last: true, serve: serveThrottle, wrong: wrongThrottle},
	"challenge": {last: true, serve: serveChallenge},
	"reset":     {parameters: []string{"processed"}, last: true, serve: serveReset},
	"lose": {parameters: []string{"status", "as=page,empty,text,error,no_id", "body", "type", "headers", "code", "detail"},
		last: true, serve: serveLoss, wrong: wrongLoss},
	"truncate": {parameters: []string{"bytes"}, serve: serveTruncated},
	"delay":    {parameters: []string{"before", "after"}, serve: serveDelayed, wrong: wrongDelay},
	"redirect": {parameters: []string{"to", "status"}, last: true, serve: serveRedirect, wrong: wrongTarget},
	"relink":   {parameters: []string{"to"}, serve: serveRelinked, wrong: wrongTarget},
	"twice":    {serve: serveTwice},

	"refuse": {parameters: []string{"addresses", "indexes", "naming=all,rounds,unnamed", "code", "detail", "attribute"},
		last: true, harm: refuse, concerns: concernsProfiles},
	"too_large": {parameters: []string{"profiles", "bytes"}, last: true, harm: refuseSize, concerns: concernsSize, wrong: wrongSize},
	"fail": {parameters: []string{"addresses", "indexes", "code", "detail", "payload=full,none,attributes", "pointer=index,data", "report", "uppercase"},
		harm: fail, concerns: concernsProfiles, wrong: wrongReport},
	"cancel":     {parameters: []string{"after"}, harm: cancel},
	"stuck":      {harm: stick},
	"expire":     {parameters: []string{"after"}, harm: expire},
	"drop_phone": {parameters: []string{"phones"}, harm: dropPhones, concerns: concernsPhones, wrong: wrongPhones},
}

// importName is the operation that the kinds with harm concern.
const importName = "POST /api/profile-bulk-import-jobs"

// check tells the first thing that is wrong with a plan. at names the place of a fault.
func (p *Plan) check(at func(i int) string) error {
	for i := range p.Faults {
		if wrong := p.Faults[i].wrong(); wrong != "" {
			return fmt.Errorf("%s: %s", at(i), wrong)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Others)) {
		o := p.Others[name]
		switch {
		case !slices.Contains(operationNames(), name):
			return errors.New("others: " + unknown("operation", name, operationNames()))
		case o.Minute < 0 || o.Second < 0:
			return fmt.Errorf("others: %s: a number is negative", name)
		case o.Second > 0 && o.Minute > 60*o.Second:
			return fmt.Errorf("others: %s: %d a minute are more than %d a second", name, o.Minute, o.Second)
		}
	}
	return nil
}

func operationNames() (names []string) {
	for _, op := range operations {
		names = append(names, op.name())
	}
	return names
}

// wrong tells what is wrong with a fault, "" if nothing is.
func (f *Fault) wrong() string {
	k, ok := kinds[f.Do]
	switch {
	case f.Do == "":
		return "do is missing; the kinds are: " + strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
	case !ok:
		return unknown("kind of fault", f.Do, slices.Sorted(maps.Keys(kinds)))
	case k.harm != nil && f.On != "" && f.On != "*" && f.On != importName:
		return fmt.Sprintf("%s acts on %s alone", f.Do, importName)
	case k.serve != nil && f.On == "":
		return `on is missing: a method and path such as GET /api/lists/{id}, or "*"`
	case f.On != "" && f.On != "*" && !slices.Contains(operationNames(), f.On):
		return unknown("operation", f.On, append(operationNames(), "*"))
	case f.Skip < 0 || f.Every < 0 || f.Times < -1:
		return "skip and every must not be negative, nor times but for -1"
	case f.Percent < 0 || f.Percent > 100:
		return "percent must be from 0 to 100"
	}
	if wrong := f.wrongParameter(k); wrong != "" {
		return f.Do + ": " + wrong
	}
	if k.wrong == nil {
		return ""
	}
	if wrong := k.wrong(f); wrong != "" {
		return f.Do + ": " + wrong
	}
	return ""
}

// ofEvery are the parameters of every kind.
var ofEvery = []string{"on", "skip", "times", "every", "percent", "do"}

// wrongParameter tells of a parameter that the kind does not take, or of a value that the parameter has not.
func (f *Fault) wrongParameter(k kind) string {
	taken := map[string][]string{}
	for _, p := range k.parameters {
		name, values, limited := strings.Cut(p, "=")
		taken[name] = nil
		if limited {
			taken[name] = strings.Split(values, ",")
		}
	}
	v := reflect.ValueOf(f).Elem()
	for i, name := range memberNames[Fault]() {
		values, ok := taken[name]
		switch {
		case v.Field(i).IsZero() || slices.Contains(ofEvery, name):
		case !ok:
			return "takes no " + name
		case values != nil && !slices.Contains(values, v.Field(i).String()):
			return fmt.Sprintf("%s is one of %s", name, strings.Join(values, ", "))
		case v.Field(i).CanInt() && v.Field(i).Int() < 0:
			return name + " must not be negative"
		}
	}
	return ""
}

func wrongStatus(f *Fault) string {
	if f.Status == 0 {
		return "status is missing"
	}
	return f.wrongAnswer("error")
}

func wrongLoss(f *Fault) string { return f.wrongAnswer("page") }

// wrongAnswer checks the parameters of an answer; as is what As is if nothing is said.
func (f *Fault) wrongAnswer(as string) string {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return "status must be from 200 to 599"
	case f.As != "" && f.Body != "":
		return "body and as exclude each other"
	case (f.Code != "" || f.Detail != "") && (f.Body != "" || cmp.Or(f.As, as) != "error"):
		return "code and detail are those of as: error"
	}
	return ""
}

func wrongThrottle(f *Fault) string {
	if f.RetryAfter != 0 && f.Window != "" {
		return "retry_after and window exclude each other"
	}
	return ""
}

func wrongReport(f *Fault) string {
	if f.Report != nil && *f.Report < 0 {
		return "report must not be negative"
	}
	return ""
}

func wrongDelay(f *Fault) string {
	if f.Before == 0 && f.After == 0 {
		return "before or after is missing, such as 2s"
	}
	return ""
}

func wrongTarget(f *Fault) string {
	u, err := url.Parse(f.To)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		return "to must be a URL with a host"
	case f.Status != 0 && (f.Status < 300 || f.Status > 399):
		return "status must be from 300 to 399"
	}
	return ""
}

func wrongSize(f *Fault) string {
	if f.Profiles == 0 && f.Bytes == 0 {
		return "profiles or bytes is missing"
	}
	return ""
}

func wrongPhones(f *Fault) string {
	if len(f.Phones) == 0 {
		return "phones is missing"
	}
	return ""
}
