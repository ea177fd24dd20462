package main

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"

	"github.com/segmentio/encoding/json"
)

// source is an input that is made while it is read, and not kept.
type source = io.Reader

// lines is an input of n lines.
func lines(n int, line func(b []byte, i int) []byte) source {
	return &made{n: n, line: line}
}

type made struct {
	n, i int
	line func(b []byte, i int) []byte
	text []byte // the lines that are made
	rest []byte // what is not read of it
	end  func() // called at the end, once
}

func (m *made) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		m.text = m.text[:0]
		for ; len(m.text) < 64<<10 && m.i < m.n; m.i++ {
			m.text = append(m.line(m.text, m.i), '\n')
		}
		if m.rest = m.text; len(m.rest) == 0 {
			if m.end != nil {
				m.end()
				m.end = nil
			}
			return 0, io.EOF
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// good is a row that is accepted.
func good(b []byte, i int) []byte {
	return fmt.Appendf(b, `{"email":"somebody.%07d@example.com","first_name":"Ann","plan":"pro"}`, i)
}

// bad is a row that the checks reject.
func bad(b []byte, i int) []byte {
	return fmt.Appendf(b, `{"email":"somebody.%07d","first_name":"Ann","plan":"pro"}`, i)
}

func goodRows(n int) source { return lines(n, good) }
func badRows(n int) source  { return lines(n, bad) }

// rowsFor returns an input of n rows whose column list names so many lists, in an order without a pattern.
func rowsFor(lists uint64) func(n int) source {
	note := strings.Repeat("x", 150)
	return func(n int) source {
		return lines(n, func(b []byte, i int) []byte {
			to := uint64(i+1) * 0x9E3779B97F4A7C15 >> 32 % lists
			return fmt.Appendf(b, `{"email":"somebody.%07d@example.com","first_name":"Ann","plan":"pro","note":"%s",`+
				`"list":"List %04d"}`, i, note, to)
		})
	}
}

// tenThousands is n times 10,000 good rows.
func tenThousands(n int) source { return lines(n*10_000, good) }

// generated is an input of the generator.
func (t *tools) generated(n int) source {
	cmd := exec.Command(t.gen, "-n", strconv.Itoa(n))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		panic(err)
	}
	return &running{out, cmd}
}

// running reads what a process prints, and waits for it.
type running struct {
	io.Reader
	cmd *exec.Cmd
}

func (e *running) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err == io.EOF {
		if failed := e.cmd.Wait(); failed != nil {
			return n, failed
		}
	}
	return n, err
}

// wideRows are rows of a megabyte.
func wideRows(n int) source {
	wide := strings.Repeat("x", 1_000_000)
	return lines(n, func(b []byte, i int) []byte {
		return fmt.Appendf(b, `{"email":"somebody.%07d@example.com","note":"%s"}`, i, wide)
	})
}

// behindJob is a good row and n bad ones.
func behindJob(n int) source {
	return lines(n+1, func(b []byte, i int) []byte {
		if i == 0 {
			return good(b, i)
		}
		return bad(b, i)
	})
}

// accepted is the result of row i+1, of an import job that has a number.
func accepted(b []byte, i, job int) []byte {
	return fmt.Appendf(b, `{"type":"row","row":%d,"status":"accepted","key":"p%d@example.com","job":"J%d"}`,
		i+1, i+1, job)
}

// rejected is the result of row i+1.
func rejected(b []byte, i int, detail string) []byte {
	return fmt.Appendf(b, `{"type":"row","row":%d,"status":"rejected","key":"p%d@","stage":"validate",`+
		`"code":"email_invalid","column":"email","detail":"%s"}`, i+1, i+1, detail)
}

// openJobs are the results of n import jobs of 8,000 rows, with five rejected rows behind each.
func openJobs(n int) source { return jobResults(n, 8000, 5) }

// openKeys are the results of n import jobs of 7,500 rows, with two rejected rows behind each.
func openKeys(n int) source { return jobResults(n, 7500, 2) }

func jobResults(jobs, good, bad int) source {
	detail := strings.Repeat("x", 100)
	return lines(jobs*good*(1+bad), func(b []byte, i int) []byte {
		if i%(1+bad) == 0 {
			return accepted(b, i, i/(good*(1+bad))+1)
		}
		return rejected(b, i, detail)
	})
}

// longLines are n results: an accepted row, and rejected ones with a megabyte each.
func longLines(n int) source {
	detail := strings.Repeat("x", 1_000_000)
	return lines(n, func(b []byte, i int) []byte {
		if i == 0 {
			return accepted(b, i, 1)
		}
		return rejected(b, i, detail)
	})
}

// halfRejected are the results of n rows good, of which every second one is rejected.
func halfRejected(n int) source {
	return lines(n, func(b []byte, i int) []byte {
		status := "accepted"
		if i%2 == 1 {
			status = "rejected"
		}
		return fmt.Appendf(b, `{"type":"row","row":%d,"status":%q,"key":"somebody.%07d@example.com"}`, i+1, status, i)
	})
}

// manyCodes are n results with reports of 10,000 codes that no other report has.
func manyCodes(n int) source {
	return lines(n, func(b []byte, i int) []byte {
		b = fmt.Append(b, `{"type":"report","status":"failed","exit_code":1,"operation":"add",`+
			`"rows":{"read":10000,"applied":0,"accepted":0,"skipped":0,"rejected":10000,"unknown":0,"unsent":0},"reasons":[`)
		for code := range 10_000 {
			if code > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `{"code":"c%d_%d","stage":"import","rows":1,"first_row":%d,"first_key":"p%d@example.com",`+
				`"detail":"%0180d"}`, i, code, code+1, code+1, code)
		}
		return append(b, `]}`...)
	})
}

// resumedRun are the results of a run of n rows that was killed, and of the run that resumed it.
func resumedRun(n int) source {
	return lines(n+n/2+1, func(b []byte, i int) []byte {
		row, status := i+1, "unknown"
		switch {
		case i == n+n/2:
			return fmt.Appendf(b, `{"type":"report","status":"succeeded","exit_code":0,"operation":"add","rows":{"read":%d,`+
				`"applied":%d,"accepted":0,"skipped":0,"rejected":0,"unknown":0,"unsent":0,"resumed":%d}}`, n, n/2, n-n/2)
		case i >= n:
			row, status = (i-n)*2+1, "applied"
		case i%2 == 1:
			status = "applied"
		}
		return fmt.Appendf(b, `{"type":"row","row":%d,"status":%q,"key":"p%d@example.com","job":"J1"}`, row, status, row)
	})
}

// emptyProfiles reads the line that simulate prints, posts an import of n empty profiles and expects a refusal.
func emptyProfiles(line string, n int) error {
	var said struct{ URL string }
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		return err
	}
	body := `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[{}` +
		strings.Repeat(",{}", n-1) + `]}}}}`
	request, err := http.NewRequest(http.MethodPost, said.URL+importPath, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Klaviyo-API-Key pk_bench")
	request.Header.Set("Revision", "2026-07-15")
	request.Header.Set("Content-Type", "application/vnd.api+json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("expected status 400, got %s", answer.Status)
	}
	return nil
}
