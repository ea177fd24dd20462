package cli

import (
	"github.com/alecthomas/kong"

	"klaviyo-export/sink/simulator"
)

// simulateFlags put a simulator in Klaviyo's place.
type simulateFlags struct {
	Simulate bool `help:"${help_simulate}"`
}

var simulateHelp = kong.Vars{
	"help_simulate": "Send to a simulated Klaviyo inside this process. No key and no account is needed, " +
		"and nothing leaves the machine.",
}

func (f *simulateFlags) check(g given) error {
	const why = "the simulator needs neither a key nor an address"
	return g.apart("simulate", why, "base-url", "api-key-file", "allow-insecure")
}

// simulate starts a simulator for a run. It has the list already, unless the run creates it.
func (t *transfer) simulate(c *console) (*simulator.Simulator, error) {
	lists := t.options.Lists
	sim := simulator.New(simulator.Options{
		RateLimits: !t.NoRateLimit, AnyProfile: true, AnyList: lists != nil && lists.Create == 0, Wrap: c.AroundSimulator,
	})
	list := t.options.List
	earlier := t.options.Resume
	if lists != nil && earlier != nil && earlier.Report != nil {
		for i := range earlier.Report.Lists {
			sim.AddListAs(earlier.Report.Lists[i].ID, earlier.Report.Lists[i].Name)
		}
	}
	switch {
	case list.ID != "":
		sim.AddListAs(list.ID, "Simulated")
	case earlier != nil && earlier.Report != nil && earlier.Report.List != nil &&
		earlier.Report.List.Name == list.Name && earlier.Report.List.ID != "":
		sim.AddListAs(earlier.Report.List.ID, list.Name)
	case list.Name != "" && !list.Create:
		sim.AddList(list.Name, "single_opt_in")
	}
	var err error
	if t.client.BaseURL, err = sim.Start("127.0.0.1:0"); err != nil {
		return nil, err
	}
	t.client.Key, t.client.Alone = "simulated", true
	c.note("simulating Klaviyo: nothing leaves this machine")
	return sim, nil
}
