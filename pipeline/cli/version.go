package cli

import "runtime/debug"

// release is the newest version in CHANGELOG.md.
const release = "1.0.0"

// commit is what .ci/build was called on: 12 digits, and .changed behind them when files were not committed. Go's own
// record of it also depends on the tags of the clone, and so would the bytes of a release.
var commit string

// version is the release and, where the build knows it, the commit: 1.0.0+5a97d926d1cb. One of files that
// were not committed ends in .changed.
func version() string {
	at, changed := commit, ""
	if info, ok := debug.ReadBuildInfo(); ok && at == "" { // go build in a clone
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				at = s.Value[:min(len(s.Value), 12)]
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = ".changed"
			}
		}
	}
	if at == "" {
		return release
	}
	return release + "+" + at + changed
}
