package simulator_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mediaType = "application/vnd.api+json"

// checker is Klaviyo's official description, or nil without the file.
var checker = sync.OnceValue(func() *contract.Checker {
	path, ok := contract.Find()
	if !ok {
		return nil
	}
	c, err := contract.Load(path)
	if err != nil {
		panic(err)
	}
	return c
})

// client talks over HTTP to a simulator of its own.
type client struct {
	*simulator.Simulator
	t    *testing.T
	http *http.Client
	url  string
}

// start serves a simulator inside the check of the official description. Every answer must agree with the description,
// and the simulator must refuse every request that the description forbids.
func start(t *testing.T, options simulator.Options) *client {
	t.Helper()
	if c := checker(); c != nil {
		options.Wrap = func(h http.Handler) http.Handler {
			return c.Wrap(h, func(err error) {
				var b *contract.Breach
				if !errors.As(err, &b) || b.Answer || b.Status < 400 {
					t.Error(err)
				}
			})
		}
	} else {
		t.Log("without the OpenAPI description: answers are not checked")
	}
	return startBare(t, options)
}

// startBare serves a simulator without the check, for requests that Klaviyo accepts beyond the description.
func startBare(t *testing.T, options simulator.Options) *client {
	t.Helper()
	s := simulator.New(options)
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &client{s, t, &http.Client{Transport: &http.Transport{}}, url}
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// reply is an answer as received.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends one request. headers are name, value, …; an empty value removes the header.
func (c *client) do(method, path, body string, headers ...string) reply {
	c.t.Helper()
	got, err := c.try(method, path, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// try is do for requests that may fail on the network.
func (c *client) try(method, path, body string, headers ...string) (reply, error) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Klaviyo-API-Key key")
	r.Header.Set("revision", "2026-07-15")
	if body != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, string(text)}, err
}

// same compares two values.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// clock is a clock that only moves by pass.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock {
	return &clock{at: time.Date(2026, 9, 4, 13, 40, 0, 123456000, time.UTC)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
