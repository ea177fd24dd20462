package simulator

import (
	"fmt"
	"net/http"
	"strconv"
)

// problem is one error object of an answer.
type problem struct {
	status                    int
	code, title, detail, link string
	pointer, parameter        string // one of the two
}

// invalid is a problem at a pointer into the body of a request.
func invalid(pointer, format string, args ...any) problem {
	return problem{
		status: http.StatusBadRequest, code: "invalid", title: "Invalid input.",
		detail: fmt.Sprintf(format, args...), pointer: pointer,
	}
}

// badParameter is a problem of a query parameter.
func badParameter(parameter, format string, args ...any) problem {
	p := invalid("", format, args...)
	p.parameter = parameter
	return p
}

func notFound(format string, args ...any) problem {
	return problem{
		status: http.StatusNotFound, code: "not_found", title: "Not found.",
		detail: fmt.Sprintf(format, args...), pointer: "/data/",
	}
}

// noSuch is the problem of an unknown id, in the words observed for lists.
func noSuch(kind, id string) problem {
	return notFound("A %s with id `%s` does not exist.", kind, id)
}

// recorded returns Klaviyo's own error with a status, and false for a status that was not recorded.
func recorded(status int) (p problem, ok bool) {
	switch status {
	case http.StatusBadRequest:
		return invalid("/data", payloadInvalid), true
	case http.StatusUnauthorized:
		return notAuthenticated, true
	case http.StatusForbidden:
		return forbidden("You do not have permission to perform this action."), true
	case http.StatusNotFound:
		return notFound("Not found."), true
	case http.StatusConflict:
		return problem{
			status: status, code: "duplicate_profile", title: "Conflict.",
			detail: "A profile already exists with one of these identifiers.", pointer: "/data/attributes",
		}, true
	case http.StatusTooManyRequests:
		return throttled(1), true
	case http.StatusInternalServerError:
		const text = "A server error occurred."
		return problem{status: status, code: "error", title: text, detail: text, pointer: "/data/"}, true
	}
	return problem{}, false
}

// answer returns the answer with this one problem.
func (p problem) answer() answer { return problems{p}.answer() }

// problems are the errors of one answer. The answer has the status of the first.
type problems []problem

// maxProblems is the most errors of one answer: one for each profile of an import. The number is a choice.
const maxProblems = maxProfiles

// add adds a problem, unless the answer has the most that it can have: a body of 5 MB can have a million problems.
func (ps *problems) add(p problem) {
	if len(*ps) < maxProblems {
		*ps = append(*ps, p)
	}
}

// invalid is add for a problem at a pointer.
func (ps *problems) invalid(pointer, format string, args ...any) {
	if len(*ps) < maxProblems { // before the text is made
		ps.add(invalid(pointer, format, args...))
	}
}

func (ps problems) answer() answer { return answer{status: ps[0].status, problems: ps} }

// body returns the body of the answer to the request with an id. Klaviyo gives all errors of one answer that id.
func (ps problems) body(request string) []byte {
	b := []byte(`{"errors":[`)
	for i, p := range ps {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.append(b, request)
	}
	return append(b, "]}"...)
}

func (p problem) append(b []byte, id string) []byte {
	b = quote(append(b, `{"id":`...), id)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(p.status), 10)
	b = quote(append(b, `,"code":`...), p.code)
	b = quote(append(b, `,"title":`...), p.title)
	b = quote(append(b, `,"detail":`...), p.detail)
	if p.parameter != "" {
		b = quote(append(b, `,"source":{"parameter":`...), p.parameter)
	} else {
		b = quote(append(b, `,"source":{"pointer":`...), p.pointer)
	}
	b = append(b, `},"links":{`...)
	if p.link != "" {
		b = quote(append(b, `"type":`...), p.link)
	}
	return append(b, `},"meta":{}}`...)
}
