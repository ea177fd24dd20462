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
