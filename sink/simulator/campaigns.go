package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
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

// postClone is POST /api/campaign-clone. The clone is a draft with the same audiences and options. A static time becomes
// the moment of cloning. Choice: the name without new_name.
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
	p.ID, p.Status, p.Name, p.SendIn = "", draft, cmp.Or(name, "Clone of "+source.Name), 0
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

// templateID returns the id of a message's template.
func (c *campaign) templateID(i int) string { return "T" + c.messages[i][20:25] }

func (c *campaign) appendTemplate(b []byte, call *call, i int) []byte {
	b = call.fields["template"].resource(b, "template", c.templateID(i), []attribute{
		{"name", quote(nil, c.Name)}, {"editor_type", []byte(`"CODE"`)}, {"html", []byte(`"<html></html>"`)},
		{"text", nil}, {"amp", nil}, {"created", timeJSON(c.created)}, {"updated", timeJSON(c.updated)},
	})
	return append(appendSelf(append(b, ','), call.base+"/api/templates/"+c.templateID(i)+"/"), '}')
}

// appendCampaign appends the resource object of a campaign.
func (s *Simulator) appendCampaign(b []byte, c *call, one *campaign) []byte {
	status, _ := s.status(one)
	scheduled := []byte(nil)
	if !one.sent.IsZero() {
		scheduled = timeJSON(one.sent)
	}
	options := `{"use_smart_sending":true}`
	if one.IgnoreUnsubscribes {
		options = `{"use_smart_sending":true,"ignore_unsubscribes":true}`
	}
	tracking := `{"add_tracking_params":true,"custom_tracking_params":null}`
	if one.Channel == "email" {
		tracking = `{"add_tracking_params":true,"custom_tracking_params":null,"is_tracking_clicks":true,` +
			`"is_tracking_opens":true}`
	}
	attributes := []attribute{
		{"name", quote(nil, one.Name)},
		{"status", quote(nil, status)},
		{"archived", []byte("false")},
		{"audiences", one.appendAudiences(nil)},
		{"send_options", []byte(options)},
		{"tracking_options", []byte(tracking)},
		{"send_strategy", one.appendStrategy(nil)},
		{"created_at", microTimeJSON(one.created)},
		{"scheduled_at", scheduled},
		{"updated_at", microTimeJSON(one.updated)},
		{"send_time", nil},
	}
	fields := c.fields["campaign"]
	for i := range attributes {
		if a := &attributes[i]; a.value != nil {
			a.value = fields.prune(nil, a.name, a.value)
		}
	}
	self := c.base + campaignsPath + "/" + one.ID + "/"
	b = fields.resource(b, "campaign", one.ID, attributes)
	ids := []byte{'['}
	for i, id := range one.messages {
		if i > 0 {
			ids = append(ids, ',')
		}
		ids = appendIdentifier(ids, "campaign-message", id)
	}
	b = appendRelationship(append(b, `,"relationships":{`...), self, "campaign-messages", append(ids, ']'))
	b = appendRelationship(append(b, ','), self, "tags", nil)
	return append(appendSelf(append(b, "},"...), self), '}')
}

func (c *campaign) appendAudiences(b []byte) []byte {
	b = append(b, `{"included":`...)
	b = appendTexts(b, c.included)
	b = append(b, `,"excluded":`...)
	return append(appendTexts(b, c.excluded), '}')
}

func appendTexts(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, one := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = quote(b, one)
	}
	return append(b, ']')
}

func (c *campaign) appendStrategy(b []byte) []byte {
	b = quote(append(b, `{"method":`...), c.Strategy)
	switch c.Strategy {
	case "static":
		b = append(append(append(b, `,"datetime":`...), timeJSON(c.at)...), `,"options":{"is_local":false}`...)
	case "throttled":
		b = append(append(append(b, `,"datetime":`...), timeJSON(c.at)...), `,"throttle_percentage":50`...)
	case "smart_send_time":
		b = quote(append(b, `,"date":`...), c.at.UTC().Format(time.DateOnly))
	}
	return append(b, '}')
}

// appendMessage appends the resource object of a message.
func (c *campaign) appendMessage(b []byte, call *call, i int) []byte {
	fields := call.fields["campaign-message"]
	attributes := []attribute{
		{"definition", c.appendDefinition(nil, i)}, {"send_times", nil},
		{"created_at", timeJSON(c.created)}, {"updated_at", timeJSON(c.updated)},
	}
	attributes[0].value = fields.prune(nil, "definition", attributes[0].value)
	self := call.base + messagesPath + "/" + c.messages[i] + "/"
	b = fields.resource(b, "campaign-message", c.messages[i], attributes)
	b = appendRelationship(append(b, `,"relationships":{`...), self, "campaign",
		appendIdentifier(nil, "campaign", c.ID))
	b = appendRelationship(append(b, ','), self, "template", nil)
	b = appendRelationship(append(b, ','), self, "image", nil)
	return append(appendSelf(append(b, "},"...), self), '}')
}

func (c *campaign) appendDefinition(b []byte, i int) []byte {
	switch c.Channel {
	case "sms":
		return append(b, `{"channel":"sms","content":{"body":"Hello","media_url":null}}`...)
	case "mobile_push":
		return append(b, `{"channel":"mobile_push","notification_type":"silent","kv_pairs":null}`...)
	}
	given := func(name, value string) []byte {
		if slices.Contains(c.Lacks, name) {
			return []byte("null")
		}
		return quote(nil, value)
	}
	b = quote(append(b, `{"channel":"email","label":`...), c.Name+" "+strconv.Itoa(i+1))
	b = append(append(b, `,"content":{"subject":`...), given("subject", "About "+c.Name)...)
	b = append(append(b, `,"preview_text":null,"from_email":`...), given("from_email", "sender@example.com")...)
	return append(b, `,"from_label":"Simulator","reply_to_email":null,"cc_email":null,"bcc_email":null}}`...)
}
