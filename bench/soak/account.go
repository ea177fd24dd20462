package main

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"klaviyo-export/sink/simulator"
)

// account is one simulated Klaviyo. All processes of some rounds share it.
type account struct {
	sim     *simulator.Simulator
	paced   bool            // the account has rate limits
	page    int             // people on a page of an answer, 0 for as many as Klaviyo has there
	codes   map[string]bool // codes that unknown rows may have, because a fault explains them
	alone   bool            // an unsubscribe from a list leaves the other consent as it is
	past    bool            // people's earlier consent is imported
	unsure  map[string]bool // the commands of consent whose answers may be lost
	drawn   string          // the faults, to be printed with a breach
	numbers atomic.Int64    // phone numbers so far
}

// newAccount draws an account and its faults. All of them pass, so that a run always ends.
func newAccount(seed, number uint64) *account {
	dice := rand.New(rand.NewPCG(seed, 1<<32+number))
	a := &account{paced: number%4 == 2, alone: dice.IntN(2) == 0, past: dice.IntN(2) == 0,
		codes: map[string]bool{}, unsure: map[string]bool{}}
	kinds := []simulator.Fault{
		{Do: "status", Status: 500}, {Do: "status", Status: 502, As: "page"}, {Do: "status", Status: 503},
		{Do: "status", Status: 524, As: "page"}, {Do: "challenge"}, {Do: "throttle"}, {Do: "throttle", Form: "date"},
		{Do: "reset"}, {Do: "reset", Processed: true}, {Do: "lose", Status: 504}, {Do: "lose", Status: 200, As: "empty"},
		{Do: "truncate"}, {Do: "delay", Before: 200 * time.Millisecond}, {Do: "delay", After: 200 * time.Millisecond},
	}
	ons := []string{
		importing, importing, watching, listing, reasons, removing, removing, "GET /api/lists/{id}", "GET /api/lists",
		"GET /api/lists/{id}/profiles", "GET /api/profiles", "GET /api/lists/{id}/relationships/profiles",
	}
	var faults []simulator.Fault
	for range 3 + dice.IntN(8) {
		f := kinds[dice.IntN(len(kinds))]
		f.On = ons[dice.IntN(len(ons))]
		faults = append(faults, f)
	}
	// A request for consent that may not have arrived is only repeated after half an hour, so it always arrives.
	for _, of := range []struct{ verb, on string }{{"subscribe", subscribing}, {"unsubscribe", unsubscribing}} {
		for _, f := range []simulator.Fault{
			{Do: "throttle"}, {Do: "challenge"}, {Do: "lose", Status: 502}, {Do: "reset", Processed: true},
		} {
			lost := f.Do == "lose" || f.Do == "reset" // Klaviyo refuses some historical consent, which must be seen
			if f.On = of.on; dice.IntN(3) == 0 && !(lost && a.past && of.on == subscribing) {
				faults = append(faults, f)
				a.unsure[of.verb] = a.unsure[of.verb] || lost
			}
		}
	}
	most := pick(dice, 3, 3, 9.) // a try that fails costs a second and more
	for i := range faults {
		f := &faults[i]
		f.Times, f.Percent = -1, 1+most*dice.Float64()
		a.drawn += fmt.Sprintf("%s %s%d on %s; ", f.Do, f.As, f.Status, f.On)
		if f.Do == "reset" || f.Do == "lose" || f.Do == "truncate" || f.Do == "status" {
			a.codes["answer_lost"] = true
		}
	}
	fail := simulator.Fault{
		Do: "fail", Times: -1, Addresses: []string{"failed*"}, Code: "invalid", Detail: "Taken.",
		Payload: []string{"full", "none", "attributes"}[dice.IntN(3)], Uppercase: dice.IntN(2) == 0,
	}
	// After a kill the positions of errors say nothing. wait then matches by address, and some errors have none.
	a.codes["error_unmatched"] = fail.Payload == "none"
	if dice.IntN(6) == 0 {
		n := dice.IntN(4)
		fail.Report, a.codes["errors_incomplete"] = &n, true
	}
	faults = append(faults, fail, simulator.Fault{
		Do: "refuse", Times: -1, Addresses: []string{"refused*"}, Code: "invalid", Detail: "Invalid.",
		Naming: []string{"all", "rounds"}[dice.IntN(2)],
	})
	if dice.IntN(3) == 0 {
		faults = append(faults, simulator.Fault{Do: "cancel", Times: -1, Percent: 5})
		a.codes["job_cancelled"] = true
	}
	if dice.IntN(4) == 0 {
		faults = append(faults, simulator.Fault{Do: "too_large", Times: -1, Profiles: 20 + dice.IntN(300)})
	}
	a.page = pick(dice, 0, 0, 7)
	a.sim = simulator.New(simulator.Options{
		Plan:       &simulator.Plan{Seed: number, Faults: faults},
		RateLimits: a.paced, MaxPage: a.page,
		JobTime: time.Duration(1+dice.IntN(200)) * time.Millisecond,
		Consent: simulator.Consent{
			Time: time.Duration(1+dice.IntN(300)) * time.Millisecond, SingleOptIn: true, ListUnsubscribe: a.alone,
		},
	})
	return a
}

// longest is how long a process may run on a busy machine. All effects show within a second, so one that waits longer
// waits for nothing. Rate limits may close an endpoint for a minute.
func (a *account) longest() time.Duration {
	if a.paced {
		return 5 * time.Minute
	}
	return 2 * time.Minute
}
