package cli

import (
	"bytes"
	"testing"

	"klaviyo-export/pipeline"
	"klaviyo-export/report"
)

// A plan says that people who joined a moment ago would stay: otherwise it would look as if every member had a row.
func TestPlanOfNewcomers(t *testing.T) {
	var errs bytes.Buffer
	c := &console{errs: &errs}
	o := &pipeline.Options{Mirror: &pipeline.MirrorOptions{Plan: true}}
	c.sumUpMirror(o, &report.Report{
		List: &report.List{Name: "News"}, Members: &report.Members{Mirrored: &report.Mirrored{Read: 5, JoinedLater: 3}},
	})
	const want = `klaviyo-export: plan for list "News": 5 members now, 0 would be added, 0 removed; ` +
		"3 joined a moment ago and would stay; nothing was changed\n"
	if got := errs.String(); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}
