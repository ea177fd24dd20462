package cli

import (
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/sink"
)

// klaviyoFlags say where Klaviyo is and whose key is used.
type klaviyoFlags struct {
	APIKeyFile    string `name:"api-key-file" placeholder:"FILE" help:"${help_api_key_file}"`
	BaseURL       string `name:"base-url" default:"${base_url}" placeholder:"URL" help:"Address of the API."`
	AllowInsecure bool   `help:"${help_allow_insecure}"`
	Revision      string `default:"${revision}" placeholder:"DATE" help:"API revision."`
}

var klaviyoHelp = kong.Vars{
	"help_api_key_file": "Read the private API key from this file. " +
		"Without this flag the key is the environment variable KLAVIYO_API_KEY.",
	"help_allow_insecure": "Allow a --base-url with http on another machine. The key and the rows go there unencrypted. " +
		"The certificates of https are checked all the same.",
	"help_simulate": "Send to a simulated Klaviyo inside this process: no key, no account, nothing leaves the machine.",
}

func (f *klaviyoFlags) check(g given) error { return g.needs("base-url", "allow-insecure") }

// options are what all clients have in common, without the key.
func (f *klaviyoFlags) options() sink.Options {
	return sink.Options{
		BaseURL: f.BaseURL, AllowInsecure: f.AllowInsecure, Revision: f.Revision, UserAgent: "klaviyo-export/" + version(),
	}
}

// asking returns the client of a command that only asks Klaviyo, and what is wrong with its key.
func (f *klaviyoFlags) asking(c *console, retryFor time.Duration) (client *sink.Client, badKey, err error) {
	o := f.options()
	o.Concurrency, o.RateShare, o.RetryFor, o.Notice = 1, 100, retryFor, c.note
	o.Key, badKey = f.key(c)
	client, err = sink.New(o)
	return client, badKey, err
}
