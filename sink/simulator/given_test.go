package simulator_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// givenPeople is a plan with each kind of profile that a list can have.
const givenPeople = `profiles:
  - {email: Ann@example.org, also: [ann@work.example, Smith@example.net], external_id: a-1, lists: [News, VIP]}
  - {phone_number: "+4915112345678", external_id: p-1, lists: [News], joined: 48h}
  - {email: bob@example.org, phone_number: "+4915112345678", old_id: true, lists: [News], joined: 24h}
  - {email: off@example.org, properties: {plan: 'a "b"', n: "1"}}
`

// The account has a plan's profiles from the start, on their lists in the order of joining.
func TestGivenProfiles(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Plan: readPlan(t, givenPeople)})
	lists := c.want(200, "GET", "/api/lists", "")
	same(t, "lists", lists.each("name"), []any{"News", "VIP"})
	news, vip := lists.resources[0].ID, lists.resources[1].ID
	members := c.want(200, "GET", "/api/lists/"+news+"/profiles", "")
	same(t, "emails", members.each("email"), []any{nil, "bob@example.org", "Ann@example.org"})
	same(t, "phones", members.each("phone_number"), []any{"+4915112345678", "+4915112345678", nil})
	same(t, "joined", members.each("joined_group_at"),
		[]any{"2026-09-02T13:40:00+00:00", "2026-09-03T13:40:00+00:00", "2026-09-04T13:40:00+00:00"})
	phone, bob, ann := members.resources[0].ID, members.resources[1].ID, members.resources[2].ID
	same(t, "an old id", regexp.MustCompile(`^[A-Za-z0-9]{6}$`).MatchString(bob), true)
	same(t, "the other list", c.Members(vip), []string{"Ann@example.org"})
	off := c.want(200, "GET", "/api/profiles"+query("filter", `equals(email,"off@example.org")`), "")
	same(t, "properties", off.each("properties"), []any{map[string]any{"n": "1", "plan": `a "b"`}})

	path := "/api/lists/" + news + "/profiles"
	for filter, want := range map[string][]any{
		`any(phone_number,["+4915112345678","+4915112345679"])`: {phone, bob},
		`equals(phone_number,["+4915112345678"])`:               {phone, bob},
		`any(phone_number,["4915112345678"])`:                   nil,
		`any(email,["off@example.org"])`:                        nil,
	} {
		same(t, filter, c.want(200, "GET", path+query("filter", filter), "").each("id"), want)
	}
	for filter, want := range map[string][]any{
		`any(external_id,["p-1","a-1","A-1"])`:    {phone, ann},
		`equals(external_id,"a-1")`:               {ann},
		`any(id,["` + bob + `","nope"])`:          {bob},
		`any(phone_number,["+4915112345678"])`:    {phone, bob},
		`any(email,["OFF@example.org","x@y.zz"])`: {c.AddProfile("off@example.org")},
	} {
		same(t, filter, c.want(200, "GET", "/api/profiles"+query("filter", filter, "sort", "created"), "").each("id"), want)
	}

	// One of two people with a number gets another. The number still finds the second, and then nobody.
	number := path + query("filter", `any(phone_number,["+4915112345678"])`)
	c.submit("", `{"external_id":"p-1","phone_number":"+4915112345679"}`)
	now.pass(time.Minute)
	same(t, "the number's owner", c.want(200, "GET", number, "").each("id"), []any{bob})
	c.submit("", `{"email":"bob@example.org","phone_number":"+4915112345677"}`)
	now.pass(time.Minute)
	same(t, "no owner", c.want(200, "GET", number, "").each("id"), []any(nil))

	want := []string{`{"phone_number":"+4915112345679","external_id":"p-1"}`,
		`{"email":"bob@example.org","phone_number":"+4915112345677"}`, `{"email":"Ann@example.org","external_id":"a-1"}`,
		`{"email":"off@example.org","properties":{"n":"1","plan":"a \"b\""}}`}
	same(t, "all", c.storedAt("/simulator/profiles"), want)
	same(t, "on the list", c.storedAt("/simulator/lists/"+news+"/profiles"), want[:3])
}

// A profile with several addresses is found by each of them as also_found says, and always shows the first. An import
// under any address writes that profile and leaves the first address as it is.
func TestSeveralAddresses(t *testing.T) {
	for found, operators := range map[string][]string{
		"": {"any", "equals"}, "also_found: any": {"any", "equals"}, "also_found: equals": {"equals"},
		"also_found: never": nil,
	} {
		t.Run(found, func(t *testing.T) {
			c := start(t, simulator.Options{JobTime: time.Nanosecond, Plan: readPlan(t, givenPeople+found)})
			list := c.want(200, "GET", "/api/lists", "").resources[0].ID
			for _, operator := range []string{"any", "equals"} {
				for _, path := range []string{"/api/lists/" + list + "/profiles", "/api/profiles"} {
					for address, want := range map[string]bool{
						"ann@EXAMPLE.org": true, "ANN@work.example": strings.Contains(fmt.Sprint(operators), operator),
						"smith@example.net": strings.Contains(fmt.Sprint(operators), operator), "ann@example.net": false,
					} {
						var emails []any
						if want {
							emails = []any{"Ann@example.org"}
						}
						filter := fmt.Sprintf(`%s(email,["%s"])`, operator, address)
						same(t, path+" "+filter, c.want(200, "GET", path+query("filter", filter), "").each("email"), emails)
					}
				}
			}
			c.submit("", `{"email":"smith@example.net","first_name":"Ann"}`, `{"email":"new@example.net"}`)
			same(t, "written", c.storedAt("/simulator/profiles")[2:], []string{
				`{"email":"Ann@example.org","external_id":"a-1","first_name":"Ann"}`,
				`{"email":"off@example.org","properties":{"n":"1","plan":"a \"b\""}}`,
				`{"email":"new@example.net"}`})
			same(t, "still the first", c.want(200, "GET",
				"/api/profiles"+query("filter", `equals(email,"ann@example.org")`), "").each("email"), []any{"Ann@example.org"})
		})
	}
}

// Add is for tests: it makes a profile at the account's time, and panics for one that is wrong or has the address of
// another.
func TestAdd(t *testing.T) {
	s := simulator.New(simulator.Options{})
	list := s.AddList("News", "double_opt_in")
	id := s.Add(simulator.Profile{External: "x-1", Lists: []string{"News"}})
	s.Add(simulator.Profile{Email: "a@example.org", Also: []string{"b@example.org"}, Lists: []string{"News"}})
	same(t, "members", s.Members(list), []string{id, "a@example.org"})
	for want, p := range map[string]simulator.Profile{
		"expected email, phone_number or external_id": {},
		`another profile has "B@example.org"`:         {Email: "B@example.org"},
		`another profile has "a@example.org"`:         {Email: "c@example.org", Also: []string{"a@example.org"}},
		"joined: expected 0s or more, got -1s":        {Email: "c@example.org", Joined: -time.Second},
	} {
		func() {
			defer func() { same(t, "panic", recover(), any("add a profile to a simulator: "+want)) }()
			s.Add(p)
		}()
	}
}
