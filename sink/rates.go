package sink

// rates are the limits of one endpoint: requests a second, a minute and, if not 0, a day (klaviyo-api.md §2).
type rates struct{ burst, steady, daily int }

var (
	rateXS     = rates{burst: 1, steady: 15}
	rateM      = rates{burst: 10, steady: 150}
	rateL      = rates{burst: 75, steady: 750}
	rateCreate = rates{burst: 10, steady: 150, daily: 150}
)

// endpoints are the endpoints in use, each with its own quota.
type endpoints struct{ list, lists, create, imports, removals, job, jobs, errors, accounts *endpoint }

// newEndpoints leaves (100 - share) percent of each limit to others.
func newEndpoints(share int) endpoints {
	return endpoints{
		list:     newEndpoint(rateL, share),
		lists:    newEndpoint(rateL, share),
		create:   newEndpoint(rateCreate, share),
		imports:  newEndpoint(rateM, share),
		removals: newEndpoint(rateM, share),
		job:      newEndpoint(rateM, share),
		jobs:     newEndpoint(rateM, share),
		errors:   newEndpoint(rateM, share),
		accounts: newEndpoint(rateXS, share),
	}
}
