package pipeline

import (
	"klaviyo-export/report"
)

// droppedPhone is report.Line.Dropped of a profile that went without its bad phone number.
var droppedPhone = []string{"phone_number"}

// writes is the last stage: it writes a line for each row, in input order.
type writes struct {
	control *control
	out     *report.Writer
	open    *permits
	left    []string // ids of the import jobs that are not known to have ended
}

func newWrites(c *control, out *report.Writer, open *permits) *writes {
	return &writes{control: c, out: out, open: open}
}

// add writes results. It is called for one stretch of rows after the other, and blocks while the output does.
func (s *writes) add(r *results) {
	defer s.open.give(r.permits)
	defer r.free()
	defer s.control.guard()
	s.control.begin("write")
	odd, shared, place, dropped := r.odd, r.shared, 0, r.dropped
	for row := range r.ends {
		var line report.Line
		if len(odd) > 0 && odd[0].row == row {
			line = odd[0].line
			odd = odd[1:]
		} else {
			if line = shared[0].of(place); line.Status == report.Rejected {
				s.control.reject(r.number(row))
			}
			if place++; place == shared[0].rows {
				s.leave(shared[0].left())
				shared, place = shared[1:], 0
			}
		}
		if len(dropped) > 0 && int(dropped[0]) == row {
			line.Dropped, dropped = droppedPhone, dropped[1:]
		}
		line.Row, line.Key = r.number(row), r.key(row)
		s.out.Line(&line)
	}
	if err := s.out.Flush(); err != nil {
		s.control.stop(err)
	}
	s.control.setSettled(s.out.Rows())
	s.control.sample()
	if r.pooled {
		s.control.results.put(r)
	}
}

// leave notes an import job that is left open; "" is none.
func (s *writes) leave(job string) {
	if job != "" {
		s.left = append(s.left, job)
		s.control.open.Add(1)
	}
}

// wait returns the ids of the import jobs that are not known to have ended. All results are written by then.
func (s *writes) wait() []string { return s.left }
