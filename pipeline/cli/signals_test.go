package cli

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"klaviyo-export/sink/simulator"
)

// told is a writer that closes done when it has a text.
type told struct {
	all  bytes.Buffer
	text string
	once sync.Once
	done chan struct{}
}

func (w *told) Write(p []byte) (int, error) {
	n, err := w.all.Write(p)
	if strings.Contains(w.all.String(), w.text) {
		w.once.Do(func() { close(w.done) })
	}
	return n, err
}

// The first signal lets a request in flight end: its rows get the status that Klaviyo answers, and no row is unknown.
func TestFirstSignalFinishesRequests(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals")
	}
	arrived, release := make(chan struct{}), make(chan struct{})
	check := described(t)
	sim := simulator.New(simulator.Options{Wrap: func(next http.Handler) http.Handler {
		next = check(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/profile-bulk-import-jobs") {
				text, _ := io.ReadAll(r.Body) // so that the server sees when the client goes
				r.Body = io.NopCloser(bytes.NewReader(text))
				close(arrived)
				select {
				case <-release:
				case <-r.Context().Done():
					t.Error("the first signal abandoned the request")
				}
			}
			next.ServeHTTP(w, r)
		})
	}})
	list := sim.AddList("News", "single_opt_in")
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()

	command := program(t, "add", "--base-url", url, "--list-id", list)
	command.Env = append(command.Env, "KLAVIYO_API_KEY=pk_signal")
	command.Stdin = strings.NewReader(`{"email":"ann@example.com"}`)
	var out bytes.Buffer
	errs := &told{text: "finishing requests in flight", done: make(chan struct{})}
	command.Stdout, command.Stderr = &out, errs
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-errs.done
	close(release)
	_ = command.Wait()
	if exit := command.ProcessState.ExitCode(); exit != 143 ||
		!strings.Contains(out.String(), `{"type":"row","row":1,"status":"accepted"`) {
		t.Errorf("exit %d, %s%s", exit, &out, &errs.all)
	}
	if got := sim.Members(list); len(got) != 1 {
		t.Errorf("on the list: %v", got)
	}
}
