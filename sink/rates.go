package sink

import "time"

// rates are the limits of one endpoint: requests a second, a minute and, if not 0, a day (klaviyo-api.md §2).
type rates struct{ burst, steady, daily int }

var (
	rateXS     = rates{burst: 1, steady: 15}
	rateS      = rates{burst: 3, steady: 60}
	rateM      = rates{burst: 10, steady: 150}
	rateL      = rates{burst: 75, steady: 750}
	rateCreate = rates{burst: 10, steady: 150, daily: 150}
)

// endpoints are the endpoints in use, each with its own quota.
type endpoints struct {
	list, lists, create, imports, removals, job, jobs, jobLists, errors, accounts *endpoint
	members, memberIDs, profiles, memberships, count                              *endpoint
	subscribes, unsubscribes                                                      *endpoint

	campaign, campaigns, retarget, clone, template, sendJobs, sendJob, estimations, estimation, estimate *endpoint
}

// closed returns for how long Klaviyo keeps an endpoint closed that takes rows.
func (e *endpoints) closed() time.Duration {
	return max(e.imports.closed(), e.removals.closed(), e.subscribes.closed(), e.unsubscribes.closed())
}

// more names the scopes that an endpoint needs beside the usual ones.
func (e *endpoints) more(one *endpoint) string {
	if one == e.subscribes || one == e.unsubscribes {
		return "subscriptions:write for subscribe and unsubscribe, "
	}
	return ""
}

// takesRows reports whether one is among those of closed.
func (e *endpoints) takesRows(one *endpoint) bool {
	return one == e.imports || one == e.removals || one == e.subscribes || one == e.unsubscribes
}

// newEndpoints leaves (100 - share) percent of each limit to others.
func newEndpoints(share int) endpoints {
	return endpoints{
		list:        newEndpoint(rateL, share),
		lists:       newEndpoint(rateL, share),
		create:      newEndpoint(rateCreate, share),
		imports:     newEndpoint(rateM, share),
		removals:    newEndpoint(rateM, share),
		job:         newEndpoint(rateM, share),
		jobs:        newEndpoint(rateM, share),
		jobLists:    newEndpoint(rateM, share),
		errors:      newEndpoint(rateM, share),
		accounts:    newEndpoint(rateXS, share),
		members:     newEndpoint(rateL, share),
		count:       newEndpoint(rateXS, share),
		memberIDs:   newEndpoint(rateL, share),
		profiles:    newEndpoint(rateL, share),
		memberships: newEndpoint(rateS, share),

		subscribes:   newEndpoint(rateL, share),
		unsubscribes: newEndpoint(rateL, share),
		campaign:     newEndpoint(rateM, share),
		campaigns:    newEndpoint(rateM, share),
		retarget:     newEndpoint(rateM, share),
		clone:        newEndpoint(rateM, share),
		template:     newEndpoint(rateM, share),
		sendJobs:     newEndpoint(rateM, share),
		sendJob:      newEndpoint(rateM, share),
		estimations:  newEndpoint(rateM, share),
		estimation:   newEndpoint(rateM, share),
		estimate:     newEndpoint(rateM, share),
	}
}
