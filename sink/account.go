package sink

import (
	"context"
	"fmt"
)

// Account is the Klaviyo account of an API key.
type Account struct {
	ID, Name string // Name is of any characters, at most 1,000 bytes
	test     bool
}

// simulatorAccount is the id that the simulator gives to its account.
const simulatorAccount = "SiMuL8"

// Simulated reports whether the account is the simulator's.
func (a *Account) Simulated() bool { return a.ID == simulatorAccount && a.test }

// String writes an account for people.
func (a *Account) String() string {
	switch {
	case a == nil:
		return ""
	case a.test:
		return fmt.Sprintf("account %s, %q, a test account", a.ID, a.Name)
	}
	return fmt.Sprintf("account %s, %q", a.ID, a.Name)
}

// Account returns the account of the key. It returns nil when the key lacks the scope accounts:read, when the quota of
// this call (1 a second, 15 a minute) is used up, or when no usable answer comes: a run goes on without it. It sends
// at most two requests and takes at most ten seconds. Its only error is that ctx ended.
func (c *Client) Account(ctx context.Context) (*Account, error) {
	var account *Account
	err := c.optional(ctx, c.endpoints.accounts, func(ctx context.Context, r *request) (err error) {
		account, err = c.account(ctx, r)
		return err
	})
	switch {
	case err == nil:
		return account, nil
	case ctx.Err() != nil:
		return nil, &Error{Kind: Stopped, err: fmt.Errorf("read the account: %w", context.Cause(ctx))}
	}
	return nil, nil
}

// ReadAccount is like Account, but waits for the quota and retries as long as other requests do, so that it returns nil
// only for a key that lacks the scope accounts:read. Its errors are those of any request.
func (c *Client) ReadAccount(ctx context.Context) (*Account, error) {
	account, err := c.account(ctx, &request{})
	if forbidden(err) {
		return nil, nil
	}
	return account, err
}

// account reads the account by a request that has its options set.
func (c *Client) account(ctx context.Context, r *request) (*Account, error) {
	var doc struct {
		Data []struct {
			ID         string `json:"id"`
			Attributes struct {
				Contact struct {
					Name foreign `json:"organization_name"`
				} `json:"contact_information"`
				Test bool `json:"test_account"`
			} `json:"attributes"`
		} `json:"data"`
	}
	r.doing, r.path, r.endpoint = "read the account", "/api/accounts", c.endpoints.accounts
	err := c.page(ctx, r, &doc, func() bool { return len(doc.Data) > 0 && c.usable(doc.Data[0].ID) == nil })
	if err != nil {
		return nil, err
	}
	a := &doc.Data[0]
	return &Account{ID: a.ID, Name: c.name(a.Attributes.Contact.Name), test: a.Attributes.Test}, nil
}
