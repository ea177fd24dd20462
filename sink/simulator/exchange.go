package simulator

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// exchange is one request on its way through the faults that act on it.
type exchange struct {
	*Simulator
	name string // of the operation
	r    *http.Request
	body []byte
}

// serveFaults answers a request on which faults act. It reads the whole request first,
// so that no client meets a fault while it is still sending.
func (s *Simulator) serveFaults(w http.ResponseWriter, r *http.Request, name string, acting []*progress) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil {
		_, err = io.CopyN(io.Discard, r.Body, maxDiscarded)
	}
	if err != nil && err != io.EOF {
		panic(http.ErrAbortHandler) // the client has gone
	}
	x := &exchange{s, name, r, body}
	x.through(acting).send(x, w)
}

// through passes the request through the faults, and then to the account.
func (x *exchange) through(acting []*progress) *kept {
	if len(acting) == 0 {
		r := x.r.WithContext(x.r.Context())
		r.Body = io.NopCloser(bytes.NewReader(x.body))
		k := newKept(http.StatusOK)
		x.inner.ServeHTTP(k, r)
		return k
	}
	return acting[0].serve(acting[0].Fault, x, func() *kept { return x.through(acting[1:]) })
}

// abort ends the connection without an answer. A client of Start's server sees a reset, a client of another server
// sees the end of the connection.
func (x *exchange) abort() {
	if c, ok := x.r.Context().Value(connKey{}).(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	panic(http.ErrAbortHandler)
}

// wait returns after d. If the client goes before that, the request ends here.
func (x *exchange) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// answered counts the answer to a request that has not reached the account.
func (x *exchange) answered(k *kept) *kept {
	x.count(x.name, strconv.Itoa(k.status))
	return k
}
