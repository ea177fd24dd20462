package sink

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// checkBase returns a base URL with its host as it is looked up, and reports whether requests to it go unencrypted to
// another machine. Its errors do not quote base, which may hold a password or even the key.
func checkBase(base string, insecure bool) (checked string, unencrypted bool, err error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", false, errors.New("--base-url: expected the form https://HOST")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", false, errors.New("--base-url: expected a port from 1 to 65535")
		}
	}
	host, ok := lookedUpAs(u.Hostname())
	if !ok {
		return "", false, errors.New("--base-url: expected a host that can be looked up: a name such as a.klaviyo.com, " +
			"or an IP address; write a name of another alphabet in its xn-- form")
	}
	u.Host = strings.TrimSuffix(net.JoinHostPort(host, u.Port()), ":")
	switch {
	case u.Scheme == "https" || u.Scheme == "http" && loopback(host):
		return u.String(), false, nil
	case u.Scheme == "http" && insecure && !klaviyos(host):
		return u.String(), true, nil
	}
	return "", false, errors.New("--base-url: the API key would go unencrypted: expected https, or http to a loopback " +
		"address; --allow-insecure permits http to other hosts, but never to klaviyo.com")
}

// IsKlaviyo reports whether a base URL is Klaviyo's own, however its host is written. It is false for one that New
// refuses.
func IsKlaviyo(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host, ok := lookedUpAs(u.Hostname())
	return ok && klaviyos(host)
}

// klaviyos reports whether a host is Klaviyo's, as it is looked up.
func klaviyos(host string) bool {
	host = strings.TrimSuffix(host, ".")
	return host == "klaviyo.com" || strings.HasSuffix(host, ".klaviyo.com")
}

// plainHost matches the names that are looked up. Names of containers may have underscores.
var plainHost = regexp.MustCompile(`^([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$`)

// lookedUpAs returns the host that is looked up for one of a URL: in lower case. It is false for one that cannot be
// looked up, and for one that is not ASCII: a.klaviyo。com would be looked up as a.klaviyo.com.
func lookedUpAs(host string) (string, bool) {
	if _, err := netip.ParseAddr(host); err == nil {
		return host, true
	}
	return strings.ToLower(host), len(host) <= 254 && plainHost.MatchString(host)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
