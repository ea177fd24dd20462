package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"
)

// Campaign is a campaign that the account has from the start.
type Campaign struct {
	ID       string `yaml:"id"` // "" draws one
	Name     string `yaml:"name"`
	Status   string `yaml:"status"` // "" is Draft
	Archived bool   `yaml:"archived"`
	Channel  string `yaml:"channel"` // of its messages: email, sms or mobile_push; "" is email
	// Lists are the names or ids of the lists that it goes to, Excluded those whose members it leaves out. A name without
	// a list makes one.
	Lists    []string `yaml:"lists"`
	Excluded []string `yaml:"excluded"`
	Messages int      `yaml:"messages"` // 0 is one
	Lacks    []string `yaml:"lacks"`    // what its messages do not have: template, subject or from_email
	Strategy string   `yaml:"strategy"` // the method of its send_strategy; "" is immediate
	// SendIn is when it is sent, counted from the start, with the strategies static and throttled. It may be negative.
	SendIn             time.Duration `yaml:"send_in"`
	IgnoreUnsubscribes bool          `yaml:"ignore_unsubscribes"` // as a send option, which Klaviyo was seen to show

	EstimateAfter time.Duration `yaml:"estimate_after"` // how long an estimation takes; 0 is Options.JobTime
	NoEstimate    bool          `yaml:"no_estimate"`    // no estimation ever ends
	Recipients    *int          `yaml:"recipients"`     // what an estimation says; nil: whoever can be sent mail
	// Becomes are its statuses after it is sent, each for Options.JobTime. Nil: as its strategy and recipients say.
	Becomes []string `yaml:"becomes"`
}

const draft = "Draft"

// The texts that Klaviyo knows.
var (
	campaignStatuses = []string{
		draft, "Scheduled", "Queued without Recipients", "Preparing to schedule", "Preparing to send", "Adding Recipients",
		"Sending", "Sending Segments", "Sent", "Variations Sent", "Cancelled", "Cancelled: Account Disabled",
		"Cancelled: Billing Limit", "Cancelled: Internal Error", "Cancelled: Misconfigured", "Cancelled: No Recipients",
		"Cancelled: Smart Sending", "Unknown",
	}
	campaignChannels   = []string{"email", "sms", "mobile_push"}
	campaignStrategies = []string{
		"immediate", "static", "throttled", "smart_send_time", "ab_test_campaign", "unsupported",
	}
	campaignParts = []string{"template", "subject", "from_email"}
)

// wrong returns what is wrong with a campaign, or "".
func (p *Campaign) wrong() string {
	one := func(name, value string, known []string) string {
		if value == "" || slices.Contains(known, value) {
			return ""
		}
		return fmt.Sprintf("%s: expected one of %s, got %q", name, strings.Join(known, ", "), value)
	}
	wrong := cmp.Or(one("status", p.Status, campaignStatuses), one("channel", p.Channel, campaignChannels),
		one("strategy", p.Strategy, campaignStrategies))
	for _, part := range p.Lacks {
		wrong = cmp.Or(wrong, one("lacks", part, campaignParts))
	}
	for _, status := range p.Becomes {
		wrong = cmp.Or(wrong, one("becomes", status, campaignStatuses))
	}
	switch {
	case p.Name == "":
		return "name is missing"
	case wrong != "":
		return wrong
	case p.Messages < 0:
		return fmt.Sprintf("messages: expected 0 or more, got %d", p.Messages)
	case p.EstimateAfter < 0:
		return fmt.Sprintf("estimate_after: expected 0s or more, got %v", p.EstimateAfter)
	case p.Recipients != nil && *p.Recipients < 0:
		return fmt.Sprintf("recipients: expected 0 or more, got %d", *p.Recipients)
	case p.SendIn != 0 && p.Strategy != "static" && p.Strategy != "throttled":
		return "send_in needs the strategy static or throttled"
	}
	return ""
}

// campaign is one campaign with its send job and its last estimation.
type campaign struct {
	Campaign                              // with ID and Status
	included, excluded, messages []string // ids
	at                           time.Time
	created, updated             time.Time
	sent                         time.Time // of the send job; zero without one
	recipients                   []string  // emails of those who could be sent mail then
	estimated                    time.Time // when the last estimation began; zero: never
	posts                        int       // send jobs that were asked for, with those that were refused
}

// AddCampaign adds a campaign and returns its id. It panics if the campaign is wrong.
func (s *Simulator) AddCampaign(p Campaign) (id string) {
	if wrong := p.wrong(); wrong != "" {
		panic("add a campaign to a simulator: " + wrong)
	}
	s.lock()
	defer s.mu.Unlock()
	return s.addCampaign(p).ID
}

func (s *Simulator) addCampaign(p Campaign) *campaign {
	now := s.options.Now()
	p.ID, p.Status = cmp.Or(p.ID, s.newULID(now)), cmp.Or(p.Status, draft)
	p.Channel, p.Strategy = cmp.Or(p.Channel, "email"), cmp.Or(p.Strategy, "immediate")
	c := &campaign{
		Campaign: p, included: s.listIDs(p.Lists), excluded: s.listIDs(p.Excluded), at: now.Add(p.SendIn),
		created: now, updated: now,
	}
	for range max(1, p.Messages) {
		c.messages = append(c.messages, s.newULID(now))
	}
	s.campaigns = append(s.campaigns, c)
	return c
}

// newULID returns an id of the form that campaigns and their messages have.
func (s *Simulator) newULID(now time.Time) string {
	s.drawnULIDs++
	return ulid(now, uint32(1<<30+s.drawnULIDs))
}

// listIDs returns the ids of lists that are named by id or name. It makes those that are not there.
func (s *Simulator) listIDs(names []string) []string {
	ids := []string{}
	for _, name := range names {
		i := slices.IndexFunc(s.lists, func(l *list) bool { return l.id == name || l.name == name })
		if i < 0 {
			i = len(s.lists)
			s.addList(name, "single_opt_in", s.options.Now().Add(-24*time.Hour))
		}
		ids = append(ids, s.lists[i].id)
	}
	return ids
}

func (s *Simulator) campaign(id string) *campaign {
	i := slices.IndexFunc(s.campaigns, func(c *campaign) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return s.campaigns[i]
}

// audience returns the emails of those who would be sent a campaign: each member of its lists once, without the members
// of the excluded ones and whoever cannot be sent marketing.
func (s *Simulator) audience(c *campaign) []string {
	emails := []string{}
	seen := map[uint32]bool{}
	for _, id := range c.excluded {
		if l := s.list(id); l != nil {
			for n := range l.at {
				seen[n] = true
			}
		}
	}
	for _, id := range c.included {
		if l := s.list(id); l != nil {
			for _, m := range l.order {
				if !m.left && !seen[m.profile] && s.mailable(m.profile) {
					emails = append(emails, s.email(m.profile))
				}
				seen[m.profile] = true
			}
		}
	}
	return emails
}

// statuses are those of a campaign after it is sent, one after the other.
func (s *Simulator) statuses(c *campaign) []string {
	switch {
	case c.Becomes != nil:
		return c.Becomes
	case c.Strategy == "static" && c.at.After(c.sent):
		return []string{"Preparing to schedule", "Scheduled"}
	case len(c.recipients) == 0:
		return []string{"Preparing to send", "Cancelled: No Recipients"}
	}
	return []string{"Preparing to send", "Sending", "Sent"}
}

// status returns the status of a campaign, and that of its send job, "" without one.
func (s *Simulator) status(c *campaign) (status, job string) {
	if c.sent.IsZero() {
		return c.Status, ""
	}
	all := s.statuses(c)
	step := min(int(s.options.Now().Sub(c.sent)/s.options.JobTime), len(all)-1)
	switch {
	case step == 0 && len(all) > 1:
		job = "queued"
	case step < len(all)-1:
		job = "processing"
	case strings.HasPrefix(all[step], "Cancelled"):
		job = "cancelled"
	default:
		job = "complete"
	}
	return all[step], job
}

// CampaignState is a campaign as it is now.
type CampaignState struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Status   string   `json:"status"`
	Included []string `json:"included"` // ids of lists
	Excluded []string `json:"excluded"`
	// Sends is how often it was sent, Posts how often that was asked for. More posts than sends were refused.
	Sends      int      `json:"sends"`
	Posts      int      `json:"posts"`
	Recipients []string `json:"recipients"` // emails of those who were sent it, or are to be
}

// Campaigns returns the campaigns in the order of creation.
func (s *Simulator) Campaigns() []CampaignState {
	s.lock()
	defer s.mu.Unlock()
	states := []CampaignState{}
	for _, c := range s.campaigns {
		state := CampaignState{
			ID: c.ID, Name: c.Name, Included: c.included, Excluded: c.excluded, Posts: c.posts, Recipients: c.recipients,
		}
		if state.Status, _ = s.status(c); !c.sent.IsZero() {
			state.Sends = 1
		}
		states = append(states, state)
	}
	return states
}

// appendCampaigns appends the campaigns as a JSON array, one a line.
func appendCampaigns(b []byte, states []CampaignState) []byte {
	b = append(b, '[')
	for i, c := range states {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = json.Append(append(b, '\n'), c, 0) // never fails for this struct
	}
	return append(b, "\n]\n"...)
}
