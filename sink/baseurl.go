package sink

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// checkBase reports whether requests to base go unencrypted to another machine. Its errors do not quote base, which
// may hold a password or even the key.
func checkBase(base string, insecure bool) (unencrypted bool, err error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false, errors.New("--base-url: expected the form https://HOST")
	}
	switch {
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return false, nil
	case u.Scheme == "http" && insecure && !IsKlaviyo(base):
		return true, nil
	}
	return false, errors.New("--base-url: the API key would go unencrypted: expected https, or http to a loopback " +
		"address; --allow-insecure permits http to other hosts, but never to klaviyo.com")
}

// IsKlaviyo reports whether a base URL is Klaviyo's own.
func IsKlaviyo(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	return host == "klaviyo.com" || strings.HasSuffix(host, ".klaviyo.com")
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
