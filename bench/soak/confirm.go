package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"klaviyo-export/sink/simulator"
)

// confirm lets people confirm what they were asked to confirm. It returns how many subscriptions that were.
func (a *actor) confirm(people []*person) (n int) {
	if len(people) > 0 {
		a.account.read("lists") // all requests have their effect before
	}
	for _, p := range people {
		for _, identifier := range []string{p.email, p.also, p.phone} {
			n += a.account.sim.Confirm(identifier)
		}
	}
	return n
}

// confirmSome lets half of the people confirm whose rows say that they have to. The others do before the next step.
func (a *actor) confirmSome(s *step) string {
	if s.verb != "subscribe" {
		return ""
	}
	confirmed := map[*person]bool{}
	for _, r := range s.rows {
		if r.got.Code != "confirmation_pending" || r.person == nil {
			continue
		}
		if _, met := confirmed[r.person]; !met {
			confirmed[r.person] = a.dice.IntN(2) == 0
			if confirmed[r.person] && a.confirm([]*person{r.person}) == 0 {
				return fmt.Sprintf("%s has to confirm, and was not asked: %s", r.person.email, r.text)
			}
		}
		r.confirmed = confirmed[r.person]
	}
	return ""
}

// asks notes who may still have to confirm after a step, also after one that was ended early.
func (a *actor) asks(s *step) {
	for _, r := range s.rows {
		if s.verb == "subscribe" && r.person != nil && !r.confirmed {
			a.asked = append(a.asked, r.person)
		}
	}
}

// send lets send send a campaign after a step, once for each actor. It judges whether all rows were proved.
func (a *actor) send(s *step) string {
	proved := !slices.ContainsFunc(s.rows, func(r *row) bool {
		return r.got.Status != "applied" && r.got.Code != "duplicate" && r.got.Code != "unchanged"
	})
	if a.mailed || s.kills > 0 || s.unfinished || s.report == nil || s.plan || s.dry || s.column || s.global ||
		s.listless() || !proved && a.dice.IntN(3) > 0 ||
		!slices.Contains([]string{"add", "mirror", "subscribe"}, s.verb) {
		return ""
	}
	a.mailed = true
	recipients, most := 50, 49+a.dice.IntN(2)
	id := a.account.sim.AddCampaign(simulator.Campaign{
		Name: "Campaign " + a.tag, Lists: []string{a.lists[s.list].id}, Recipients: &recipients,
		Becomes: []string{"Sending", "Sent"},
	})
	in, err := os.ReadFile(s.results)
	if err != nil {
		return err.Error()
	}
	e, err := a.start(&process{in: in, args: []string{
		"send", "--base-url", a.door.url, "--quiet", "--campaign", id, "--max-recipients", fmt.Sprint(most),
	}})
	if err != nil {
		return err.Error()
	}
	want := 1
	if proved && s.exit == 0 && most == recipients {
		want = 0
	}
	for _, c := range a.account.sim.Campaigns() {
		if c.ID == id && (c.Sends != 1-want || c.Posts != c.Sends || e.exit != want) {
			return fmt.Sprintf("send: exit %d, %d sends, %d posts, expected exit %d: %s", e.exit, c.Sends, c.Posts, want, e.said)
		}
	}
	rows, _, _ := bytes.Cut(in, []byte(`{"type":"report"`))
	if !bytes.HasPrefix(e.out, rows) {
		return "send does not pass the results on"
	}
	a.totals.count(&step{verb: "send", listed: len(s.rows)})
	return ""
}
