package simulator

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// onlyLoopback answers 421 to requests whose Host is neither localhost nor a loopback address, with or without a port.
// Otherwise a web page could read the account in a browser on this machine, by making its own host name resolve to a
// loopback address. A request with a whole URL comes from a client whose proxy this is: no web page can set that.
func onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host == "" && !isLoopback(r.Host) {
			const form = "the simulator answers for localhost, 127.0.0.0/8 and [::1] only, got Host %.100q"
			http.Error(w, fmt.Sprintf(form, r.Host), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether the value of a Host header names this machine alone.
func isLoopback(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
		if inner, ok := strings.CutPrefix(host, "["); ok {
			name = strings.TrimSuffix(inner, "]")
		}
	}
	if strings.Trim(port, "0123456789") != "" {
		return false
	}
	if strings.EqualFold(strings.TrimSuffix(name, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}
