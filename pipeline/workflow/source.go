package workflow

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxBytes      = 1 << 20 // of a file and all that it includes
	maxDirectives = 100     // of a file: the YAML package compares each with all others
)

// source is a YAML file with the files that it includes in place.
type source struct {
	faults
	file string

	files    map[*yaml.Node]string // the files of nodes that come from includes
	cache    map[*yaml.Node][]pair
	bytes    int
	includes int
	merged   int
}

func newSource(file string) *source {
	return &source{file: file, files: map[*yaml.Node]string{}, cache: map[*yaml.Node][]pair{}}
}

// at returns the place of a node as FILE:LINE.
func (s *source) at(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d", cmp.Or(s.files[n], s.file), n.Line)
}

// load returns the mapping that a file holds, nil after a fault. The chain has the files that include it.
func (s *source) load(file string, chain []string) *yaml.Node {
	text := s.read(file)
	if text == nil {
		return nil
	}
	var doc, second yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err == nil {
		err = loader.Load(&doc)
	}
	if err == io.EOF || err == nil && kindOf(doc.Content[0]) == Nothing {
		s.add(file, "", "expected a mapping, got an empty file")
		return nil
	}
	if err == nil {
		if err = loader.Load(&second); err == nil {
			s.add(fmt.Sprintf("%s:%d", file, second.Line), "", "expected one document in the file, got a second one")
			return nil
		}
	}
	if err != nil && err != io.EOF {
		s.explain(file, text, err)
		return nil
	}
	root := doc.Content[0]
	s.check(root, file, append(slices.Clip(chain), filepath.Clean(file)))
	if root.Kind != yaml.MappingNode {
		s.add(s.at(root), "", "expected a mapping, got %s", kindOf(root))
		return nil
	}
	return root
}

// read returns the text of a file, nil after a fault.
func (s *source) read(file string) []byte {
	f, err := os.Open(file)
	var text []byte
	if err == nil {
		defer func() { _ = f.Close() }()
		text, err = io.ReadAll(io.LimitReader(f, int64(maxBytes-s.bytes+1)))
	}
	if err != nil {
		if path := (*os.PathError)(nil); errors.As(err, &path) {
			err = path.Err
		}
		s.add(file, "", "cannot read the file: %v", err)
		return nil
	}
	s.bytes += len(text)
	if s.bytes > maxBytes {
		s.add(file, "", "expected at most 1 MiB with all includes, got more")
		return nil
	}
	if n := bytes.Count(text, []byte("\n%")); n > maxDirectives {
		s.add(file, "", "expected at most %d lines that begin with %%, got %d", maxDirectives, n)
		return nil
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			line := 1 + bytes.Count(text[:i], []byte{'\n'})
			s.add(fmt.Sprintf("%s:%d", file, line), "", "expected UTF-8 text, got the byte 0x%02x", text[i])
			return nil
		}
		i += n
	}
	return text
}
