package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	campaignsPath  = "/api/campaigns"
	messagesPath   = "/api/campaign-messages"
	sendJobsPath   = "/api/campaign-send-jobs"
	estimatingPath = "/api/campaign-recipient-estimation-jobs"
	estimatesPath  = "/api/campaign-recipient-estimations"
)

// noCampaign is the problem of an unknown id, in the words observed.
func noCampaign(id string) problem { return notFound("A campaign with id '%s' does not exist.", id) }

func (c *campaign) field(field string) (value string, at time.Time) {
	switch field {
	case "id":
		return c.ID, time.Time{}
	case "messages.channel":
		return c.Channel, time.Time{}
	}
	return c.Name, time.Time{}
}

// getCampaigns is GET /api/campaigns. Klaviyo asks for the channel in the filter. Without sort, the order is that of
// creation.
func (s *Simulator) getCampaigns(c *call) answer {
	if !slices.ContainsFunc(c.filter, func(t term) bool { return t.field == "messages.channel" }) {
		return badParameter("filter", "A channel filter is required to list campaigns.").answer()
	}
	s.lock()
	defer s.mu.Unlock()
	campaigns := slices.Clone(s.campaigns)
	name, _ := c.sorting()
	slices.SortStableFunc(campaigns, func(a, b *campaign) int {
		switch name {
		case "id":
			return cmp.Compare(a.ID, b.ID)
		case "name":
			return cmp.Compare(a.Name, b.Name)
		case "updated_at":
			return a.updated.Compare(b.updated)
		}
		return 0
	})
	at := func(i int) (*campaign, bool) { return campaigns[i], c.filter.holds(campaigns[i].field) }
	return collection(c, len(campaigns), at, func(b []byte, one *campaign) []byte { return s.appendCampaign(b, c, one) })
}

// getCampaign is GET /api/campaigns/{id}.
func (s *Simulator) getCampaign(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	found := s.campaign(c.id)
	if found == nil {
		return noCampaign(c.id).answer()
	}
	a := c.document(http.StatusOK, s.appendCampaign(nil, c, found))
	if c.include {
		a.body = append(a.body[:len(a.body)-1], `,"included":[`...)
		for i := range found.messages {
			if i > 0 {
				a.body = append(a.body, ',')
			}
			a.body = found.appendMessage(a.body, c, i)
		}
		a.body = append(a.body, "]}"...)
	}
	return a
}

// patchCampaign is PATCH /api/campaigns/{id} for name and audiences. Choices: only a draft can be changed, and a list
// that does not exist is refused.
func (s *Simulator) patchCampaign(c *call) answer {
	data, ps := resource(c.body, "campaign", "id")
	if ps != nil {
		return ps.answer()
	}
	if id := find(data, "id"); id == nil || string(id) != `"`+c.id+`"` {
		return invalid("/data/id", "The id must be that of the path.").answer()
	}
	const pointer = "/data/attributes"
	name, included, excluded := "", []string(nil), []string(nil)
	members(find(data, "attributes"), func(_, member, value []byte) {
		at := pointer + "/" + string(member)
		switch {
		case isNull(value):
		case string(member) == "name":
			given, ok := text(value)
			if name = string(given); !ok || name == "" {
				ps.add(wrongType(at, "name", "string"))
			}
		case string(member) == "audiences" && isObject(value):
			members(value, func(_, member, value []byte) {
				ids, ok := texts(value)
				switch at := at + "/" + string(member); {
				case isNull(value):
				case !ok:
					ps.add(wrongType(at, string(member), "array of strings"))
				case string(member) == "included":
					included = ids
				case string(member) == "excluded":
					excluded = ids
				default:
					ps.unknownField(pointer+"/audiences", member, "campaign")
				}
			})
		case slices.Contains(fieldNames["campaign"], string(member)):
			ps.invalid(at, "The simulator does not change '%s'.", member)
		default:
			ps.unknownField(pointer, member, "campaign")
		}
	})
	s.lock()
	defer s.mu.Unlock()
	found := s.campaign(c.id)
	if ps == nil && found == nil {
		return noCampaign(c.id).answer()
	}
	for _, id := range slices.Concat(included, excluded) {
		if s.list(id) == nil {
			ps.invalid(pointer+"/audiences", "A list or segment with id '%s' does not exist.", id)
		}
	}
	if ps == nil && (found.Status != draft || !found.sent.IsZero()) {
		ps.invalid("/data/id", "Only a draft can be changed.")
	}
	if ps != nil {
		return ps.answer()
	}
	found.Name, found.updated = cmp.Or(name, found.Name), s.options.Now()
	if included != nil {
		found.included = included
	}
	if excluded != nil {
		found.excluded = excluded
	}
	return c.document(http.StatusOK, s.appendCampaign(nil, c, found))
}

// texts returns the strings of a JSON array.
func texts(value []byte) (all []string, ok bool) {
	if !isArray(value) {
		return nil, false
	}
	all, ok = []string{}, true
	elements(value, func(_ int, element []byte) {
		one, isText := text(element)
		all, ok = append(all, string(one)), ok && isText
	})
	return all, ok
}

// postClone is POST /api/campaign-clone. The clone is a draft with the same audiences and options. A static time
// becomes the moment of cloning. Choice: the name without new_name.
func (s *Simulator) postClone(c *call) answer {
	data, ps := resource(c.body, "campaign", "id")
	if ps != nil {
		return ps.answer()
	}
	id, ok := identity(data)
	attributes := find(data, "attributes")
	if ps = onlyMembers(attributes, "/data/attributes", "campaign", "new_name"); ps != nil || !ok {
		return append(ps, invalid("/data/id", payloadInvalid)).answer()
	}
	name := ""
	if value := find(attributes, "new_name"); value != nil && !isNull(value) {
		given, ok := text(value)
		if name = string(given); !ok || strings.TrimSpace(name) == "" {
			return wrongType("/data/attributes/new_name", "new_name", "string").answer()
		}
	}
	s.lock()
	defer s.mu.Unlock()
	source := s.campaign(id)
	if source == nil {
		return noCampaign(id).answer()
	}
	p := source.Campaign
	p.ID, p.Status, p.Name, p.SendIn, p.Archived = "", draft, cmp.Or(name, "Clone of "+source.Name), 0, false
	p.Lists, p.Excluded = nil, nil
	clone := s.addCampaign(p)
	clone.included, clone.excluded = slices.Clone(source.included), slices.Clone(source.excluded)
	return c.document(http.StatusCreated, s.appendCampaign(nil, c, clone))
}

// identity returns the id of a resource in a request.
func identity(data []byte) (id string, ok bool) {
	value := find(data, "id")
	if value == nil || value[0] != '"' {
		return "", false
	}
	given, _ := text(value)
	return string(given), len(given) > 0
}

// getMessageTemplate is GET /api/campaign-messages/{id}/template. Choice: it is null for a message without a template.
func (s *Simulator) getMessageTemplate(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	for _, one := range s.campaigns {
		i := slices.Index(one.messages, c.id)
		switch {
		case i < 0:
		case slices.Contains(one.Lacks, "template"):
			return c.document(http.StatusOK, []byte("null"))
		default:
			return c.document(http.StatusOK, one.appendTemplate(nil, c, i))
		}
	}
	return notFound("A campaign message with id '%s' does not exist.", c.id).answer()
}
