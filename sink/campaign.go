package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// campaignRevision is the API revision of all requests about campaigns: a later one has other shapes (klaviyo-more.md
// §5.3).
const campaignRevision = "2026-07-15"

// campaignScopes is what to do about a key that may not do what a request about campaigns asks for.
const campaignScopes = "give the key the scopes campaigns:read, campaigns:write and templates:read"

// Draft is the status of a campaign that was not sent, in Klaviyo's words.
const Draft = "Draft"

// Campaign is a campaign as Klaviyo shows it (klaviyo-more.md §5.1). Name and Status are of any characters, at most
// 1,000 bytes.
type Campaign struct {
	ID, Name, Status   string
	Archived           bool
	Included, Excluded []string  // ids of lists and segments
	Method             string    // of its send strategy
	At                 time.Time // when a static one is sent, zero where that is not known
	IgnoresUnsubscribe bool      // it goes to people who have unsubscribed too
	Messages           []Message
}

// Message is one of a campaign's messages.
type Message struct{ ID, Channel, Subject, From string }

// campaignResource is a campaign in an answer.
type campaignResource struct {
	ID         string `json:"id"`
	Attributes struct {
		Name      foreign `json:"name"`
		Status    foreign `json:"status"`
		Archived  bool    `json:"archived"`
		Audiences struct {
			Included []string `json:"included"`
			Excluded []string `json:"excluded"`
		} `json:"audiences"`
		Options struct {
			IgnoreUnsubscribes bool `json:"ignore_unsubscribes"`
		} `json:"send_options"`
		Strategy struct {
			Method   foreign `json:"method"`
			Datetime string  `json:"datetime"`
		} `json:"send_strategy"`
	} `json:"attributes"`
}

// messageResource is a message in an answer.
type messageResource struct {
	Type       string `json:"type"`
	ID         string `json:"id"`
	Attributes struct {
		Definition struct {
			Channel foreign `json:"channel"`
			Content struct {
				Subject foreign `json:"subject"`
				From    foreign `json:"from_email"`
			} `json:"content"`
		} `json:"definition"`
	} `json:"attributes"`
}

// campaign returns the campaign of a resource, without its messages.
func (c *Client) campaign(r *campaignResource) *Campaign {
	at, _ := time.Parse(time.RFC3339, r.Attributes.Strategy.Datetime) // stays zero
	return &Campaign{
		ID: r.ID, Name: c.name(r.Attributes.Name), Status: c.name(r.Attributes.Status), Archived: r.Attributes.Archived,
		Included: r.Attributes.Audiences.Included, Excluded: r.Attributes.Audiences.Excluded,
		Method: c.text(r.Attributes.Strategy.Method), At: at,
		IgnoresUnsubscribe: r.Attributes.Options.IgnoreUnsubscribes,
	}
}

// Campaign reads a campaign with its messages. An id that Klaviyo does not know is an error of the kind Setup.
func (c *Client) Campaign(ctx context.Context, id string) (*Campaign, error) {
	doing := fmt.Sprintf("look up campaign %q", c.hidden(foreign(id)))
	if id == "" || c.hide(id) != id {
		return nil, setupError("pass the id of a campaign", "%s: this is no id", doing)
	}
	return c.readCampaign(ctx, id, &request{doing: doing})
}

// readCampaign reads a campaign by a request that has its options set.
func (c *Client) readCampaign(ctx context.Context, id string, r *request) (*Campaign, error) {
	var doc struct {
		Data     campaignResource  `json:"data"`
		Included []messageResource `json:"included"`
	}
	r.method, r.endpoint = http.MethodGet, c.endpoints.campaign
	r.path = "/api/campaigns/" + url.PathEscape(id) + "?include=campaign-messages"
	r.accept = func(a *answer) error { return c.aboutCampaign(a, &doc, &doc.Data.ID, id) }
	a, err := c.campaignCall(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case a.missing():
		return nil, notFound("copy the id from the campaign's address in Klaviyo",
			"%s: no campaign in this account has this id", r.doing)
	case a.status >= 300:
		return nil, a.refused(r.doing)
	}
	campaign := c.campaign(&doc.Data)
	for i := range doc.Included {
		if m := &doc.Included[i]; m.Type == "campaign-message" {
			d := &m.Attributes.Definition
			campaign.Messages = append(campaign.Messages, Message{
				ID: m.ID, Channel: c.text(d.Channel), Subject: c.name(d.Content.Subject), From: c.name(d.Content.From),
			})
		}
	}
	return campaign, nil
}

var errOtherCampaign = errors.New("the answer is about another campaign")

// aboutCampaign reads an answer into doc, which has to be about one campaign.
func (c *Client) aboutCampaign(a *answer, doc any, got *string, id string) error {
	if err := c.decodeID(a, doc, got); err != nil {
		return err
	}
	if *got != id {
		return errOtherCampaign
	}
	return nil
}

// campaignCall is call for a request about campaigns.
func (c *Client) campaignCall(ctx context.Context, r *request) (*answer, error) {
	r.revision = campaignRevision
	a, err := c.call(ctx, r)
	if forbidden(err) {
		var failed *Error
		errors.As(err, &failed)
		failed.Hint = campaignScopes
	}
	return a, err
}

// HasTemplate reports whether a message has a template. The answer to one that has none is not documented: a 404 and
// an empty one are taken for it.
func (c *Client) HasTemplate(ctx context.Context, message string) (bool, error) {
	var doc struct {
		Data *struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	doing := fmt.Sprintf("look up the template of message %q", foreign(message))
	a, err := c.campaignCall(ctx, &request{
		doing: doing, method: http.MethodGet, endpoint: c.endpoints.template,
		path:   "/api/campaign-messages/" + url.PathEscape(message) + "/template?fields%5Btemplate%5D=name",
		accept: func(a *answer) error { return decode(a.body, &doc) },
	})
	switch {
	case err != nil:
		return false, err
	case a.missing():
		return false, nil
	case a.status >= 300:
		return false, a.refused(doing)
	}
	return doc.Data != nil && doc.Data.ID != "", nil
}
