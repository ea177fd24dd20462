package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"runtime"
	"strings"

	"klaviyo-export/pipeline"
	"klaviyo-export/sink"
)

// settingsKey is what run hands over beside its command line: the key never appears in that.
type settingsKey struct {
	key   string   // "" where the settings have none
	files []string // that may hold the key
}

// key reads the API key. Its errors never hold the key. A file that holds the key and is open to others is noted.
func (f *klaviyoFlags) key(c *console) (string, error) {
	key, from := os.Getenv("KLAVIYO_API_KEY"), "the environment variable KLAVIYO_API_KEY"
	var files []string
	if c.settings != nil {
		files = c.settings.files
		if c.settings.key != "" {
			key, from = c.settings.key, "the settings"
		} else if key == "" {
			from = "api_token in the settings and KLAVIYO_API_KEY in the environment"
		}
	}
	if f.APIKeyFile != "" {
		text, err := within(c, func() (string, error) { return readKey(f.APIKeyFile) })
		if err != nil {
			return "", err
		}
		key, from, files = text, "the file "+f.APIKeyFile, append(files, f.APIKeyFile)
	}
	key, err := alone(key, from, sink.IsKlaviyo(f.BaseURL))
	if err != nil {
		return "", err
	}
	for _, name := range files {
		if isOpen(name) && holds(name, key) {
			c.note(fmt.Sprintf("other users can read or change %s, which holds the API key: chmod 600 %s", name, name))
		}
	}
	return key, nil
}

var (
	assignment  = regexp.MustCompile(`^(export\s+|set\s+|\$env:)?(\w+\s*[=:]|[\w.-]+\s*=)`)
	inHeader    = regexp.MustCompile(`(?i)^(authorization:\s*)?(klaviyo-api-key|bearer)\s`)
	quotesOfKey = "'\"`‘’“”"
)

const maxKey = 200 // characters; a private key has about 40

const hintNoKey = "set KLAVIYO_API_KEY or pass --api-key-file FILE"

// orSimulate extends the hint of a missing key, for commands with --simulate.
func orSimulate(err error) error {
	var missing *pipeline.Error
	if errors.As(err, &missing) && missing.Hint == hintNoKey {
		missing.Hint += "; --simulate needs no key"
	}
	return err
}

// alone returns a key without what editors put around it: blanks, line ends and a byte order mark. It refuses anything
// else and does not show it. Servers other than Klaviyo may have keys of another form.
func alone(text, from string, klaviyo bool) (string, error) {
	key := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	odd := func(what, hint string) (string, error) {
		return "", &pipeline.Error{Text: "the API key in " + from + " " + what, Hint: hint}
	}
	const onlyKey = "write the private API key alone, on one line"
	switch {
	case key == "":
		return "", &pipeline.Error{
			Text: "no API key: " + from + " is empty or not set",
			Hint: hintNoKey,
		}
	case strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff"):
		return odd("is in UTF-16", "save the file as UTF-8")
	case inHeader.MatchString(key):
		return odd("has the name of a header in front", onlyKey+", without the header")
	case assignment.MatchString(key):
		return odd("has a name in front, as in NAME=KEY", onlyKey+", without NAME=")
	case strings.ContainsAny(key, quotesOfKey):
		return odd("has quotes", onlyKey+", without quotes; docker run --env-file keeps quotes too")
	case strings.ContainsAny(key, "\r\n"):
		return odd("has several lines", onlyKey)
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return odd("has blanks or other characters that no key has", onlyKey)
	case len(key) > maxKey:
		return odd(fmt.Sprintf("has more than %d characters", maxKey), onlyKey)
	case klaviyo && !strings.HasPrefix(key, "pk_"):
		return odd("does not begin with pk_, as Klaviyo's private keys do",
			"create a private API key in the account's settings; the public key, or site ID, cannot be used")
	}
	return key, nil
}

// readKey reads the file of --api-key-file.
func readKey(name string) (string, error) {
	text, err := readSmall(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, "pk_"):
		return "", &pipeline.Error{
			Text: "read the API key: the value of --api-key-file is not a file and looks like a key",
			Hint: "pass the name of a file that holds the key, or set KLAVIYO_API_KEY",
		}
	case err != nil:
		return "", &pipeline.Error{
			Text: "read the API key: " + err.Error(),
			Hint: "pass the name of a file that holds only the key",
		}
	}
	return string(text), nil
}

// isOpen reports whether users other than the owner may read or write a file.
func isOpen(name string) bool {
	state, err := os.Stat(name)
	return err == nil && state.Mode().IsRegular() && state.Mode().Perm()&0o066 != 0 && runtime.GOOS != "windows"
}

func holds(name, key string) bool {
	text, err := readSmall(name)
	return err == nil && strings.Contains(string(text), key)
}

// readSmall reads the first 1 MiB of a file. No file with a key is longer, and /dev/zero has no end.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}
