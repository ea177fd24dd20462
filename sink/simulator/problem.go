package simulator

import (
	"crypto/rand"
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

// answer returns the answer with this one problem.
func (p problem) answer() answer { return problems{p}.answer() }

// problems are the errors of one answer. The answer has the status of the first.
type problems []problem

func (ps problems) answer() answer {
	b := []byte(`{"errors":[`)
	for i, p := range ps {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.append(b)
	}
	return answer{status: ps[0].status, body: append(b, "]}"...)}
}

func (p problem) append(b []byte) []byte {
	b = quote(append(b, `{"id":`...), newUUID())
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

func newUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
