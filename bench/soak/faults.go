package main

import (
	"time"

	"klaviyo-export/sink/simulator"
)

// longPlan returns the faults of the long run. Every import takes at least a second, so that rows always wait to
// be sent.
func longPlan(seed uint64) *simulator.Plan {
	faults := []simulator.Fault{{On: importing, Do: "delay", Before: time.Second, Times: -1}}
	for _, f := range []simulator.Fault{
		{Do: "status", Status: 500}, {Do: "status", Status: 503}, {Do: "status", Status: 524, As: "page"},
		{Do: "challenge"}, {Do: "throttle"},
		{Do: "reset"}, {Do: "reset", Processed: true}, {Do: "lose", Status: 504},
		{Do: "lose", Status: 202, As: "no_id"}, {Do: "truncate"},
	} {
		for _, on := range []string{importing, watching, listing, reasons} {
			f.On, f.Times, f.Percent = on, -1, 1
			faults = append(faults, f)
		}
	}
	return &simulator.Plan{Seed: seed, Faults: append(faults,
		simulator.Fault{Do: "refuse", Times: -1, Addresses: []string{"refused*"}, Code: "invalid", Detail: "Invalid."},
		simulator.Fault{
			Do: "fail", Times: -1, Addresses: []string{"failed*"}, Code: "duplicate_profile", Detail: "Taken.",
		},
		simulator.Fault{Do: "cancel", Times: -1, Percent: 0.5},
	)}
}

// plan draws the faults of a round. All of them pass, so that each row has one right result. Only the codes that
// plan adds to r.codes may leave rows unknown.
func (r *round) plan() *simulator.Plan {
	var faults []simulator.Fault
	kinds := []simulator.Fault{
		{Do: "status", Status: 500}, {Do: "status", Status: 502, As: "page"}, {Do: "status", Status: 503},
		{Do: "status", Status: 524, As: "page"},
		{Do: "challenge"}, {Do: "throttle"}, {Do: "throttle", Form: "date"}, {Do: "reset"},
		{Do: "reset", Processed: true},
		{Do: "lose", Status: 504}, {Do: "lose", Status: 200, As: "empty"}, {Do: "lose", Status: 202, As: "no_id"},
		{Do: "truncate"},
		{Do: "delay", Before: 300 * time.Millisecond}, {Do: "delay", After: 300 * time.Millisecond},
		{Do: "relink", To: "http://127.0.0.1:9"},
	}
	ons := []string{importing, importing, watching, listing, reasons, removing, removing, "GET /api/lists/{id}"}
	for range r.dice.IntN(7) {
		f := kinds[r.dice.IntN(len(kinds))]
		f.On, f.Skip, f.Times = ons[r.dice.IntN(len(ons))], r.dice.IntN(6), 1+r.dice.IntN(3)
		faults = append(faults, f)
	}
	if r.dice.IntN(4) == 0 {
		faults = append(faults, simulator.Fault{Do: "too_large", Times: -1, Profiles: 500 + r.dice.IntN(3000)})
	}
	refuse := simulator.Fault{
		Do: "refuse", Times: -1, Addresses: []string{"refused*"}, Code: "invalid", Detail: "Invalid.", Naming: "all",
	}
	if !r.paced {
		refuse.Naming = []string{"all", "rounds", "unnamed"}[r.dice.IntN(3)]
	}
	fail := simulator.Fault{
		Do: "fail", Times: -1, Addresses: []string{"failed*"}, Code: "duplicate_profile", Detail: "Taken.",
		Payload: []string{"full", "none", "attributes"}[r.dice.IntN(3)], Uppercase: r.dice.IntN(2) == 0,
	}
	// When a kill cuts off some results of an import job, the positions of its errors say nothing. wait then
	// matches errors by address, and cannot match those without one.
	r.codes["error_unmatched"] = !r.wait && fail.Payload == "none"
	if r.dice.IntN(6) == 0 {
		n := r.dice.IntN(4)
		fail.Report, r.codes["errors_incomplete"] = &n, true
	}
	faults = append(faults, refuse, fail)
	if r.dice.IntN(6) == 0 {
		faults = append(faults, simulator.Fault{Do: "cancel", Skip: r.dice.IntN(3)})
		r.codes["job_cancelled"] = true
	}
	return &simulator.Plan{Seed: r.number, Faults: faults}
}
