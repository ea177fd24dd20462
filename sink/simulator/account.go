package simulator

// accountID is the id of the one account, and its public key.
const accountID = "SiMuL8"

// contactInformation is the account's contact_information.
const contactInformation = `{"default_sender_name":"Simulator","default_sender_email":"sender@example.com",` +
	`"website_url":null,"organization_name":"Simulator","street_address":{"address1":null,"address2":null,` +
	`"city":null,"region":null,"country":null,"zip":null}}`

// getAccounts is GET /api/accounts.
func (s *Simulator) getAccounts(c *call) answer {
	at := func(int) (string, bool) { return accountID, true }
	return collection(c, 1, at, func(b []byte, _ string) []byte { return appendAccount(b, c) })
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
		{"contact_information", []byte(contactInformation)},
		{"industry", nil},
		{"timezone", []byte(`"UTC"`)},
		{"preferred_currency", []byte(`"USD"`)},
		{"public_api_key", quote(nil, accountID)},
		{"locale", []byte(`"en-US"`)},
	})
	return append(appendSelf(append(b, ','), c.base+"/api/accounts/"+accountID+"/"), '}')
}
