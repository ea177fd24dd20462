package simulator

// accountID is the id of the one account, which is its public key too.
const accountID = "SiMuL8"

// getAccounts is GET /api/accounts.
func (s *Simulator) getAccounts(c *call) answer {
	item := func(int) (string, bool) { return accountID, true }
	return collection(c, 1, item, func(b []byte, _ string) []byte { return appendAccount(b, c) })
}

// getAccount is GET /api/accounts/{id}.
func (s *Simulator) getAccount(c *call) answer {
	if c.id != accountID {
		return noSuch("account", c.id).answer()
	}
	return c.document(200, appendAccount(nil, c))
}

func appendAccount(b []byte, c *call) []byte {
	b = c.fields["account"].resource(b, "account", accountID, []attribute{
		{"test_account", []byte("true")},
		{"contact_information", []byte(`{"default_sender_name":"Simulator","default_sender_email":"sender@example.com","website_url":null,` +
			`"organization_name":"Simulator","street_address":{"address1":null,"address2":null,"city":null,"region":null,"country":null,"zip":null}}`)},
		{"industry", nil},
		{"timezone", []byte(`"UTC"`)},
		{"preferred_currency", []byte(`"USD"`)},
		{"public_api_key", quote(nil, accountID)},
		{"locale", []byte(`"en-US"`)},
	})
	return append(appendSelf(append(b, ','), c.base+"/api/accounts/"+accountID+"/"), '}')
}
