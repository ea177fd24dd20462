//go:build unix

package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// goPackage is what go list says about a package.
type goPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	DepOnly                 bool
	Module                  *struct{ Path, Dir string }
}

// instrument finds the mutants in the packages of the module in dir and returns them with the files' new text, by
// path.
func instrument(dir string, patterns []string) ([]mutant, map[string]string, error) {
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,DepOnly,Module"}
	list := exec.Command("go", append(args, patterns...)...)
	list.Dir, list.Stderr = dir, os.Stderr
	said, err := list.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w", err)
	}
	exports := map[string]string{}
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(said)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, nil, err
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			packages = append(packages, p)
		}
	}
	var mutants []mutant
	files := map[string]string{}
	for _, p := range packages {
		sites, err := p.instrument(exports, len(mutants)+1, files)
		if err != nil {
			return nil, nil, err
		}
		mutants = append(mutants, sites...)
	}
	if len(packages) > 0 {
		module := packages[0].Module
		files[filepath.Join(module.Dir, "mutant", "mutant.go")] = chooser
	}
	seen := map[string]int{}
	for i := range mutants {
		m := &mutants[i]
		if seen[m.ID]++; seen[m.ID] > 1 {
			m.ID += fmt.Sprint("-", seen[m.ID])
		}
	}
	return mutants, files, nil
}

// chooser is the package that the new text imports.
//
//go:embed chooser.go.txt
var chooser string

// instrument adds the package's files to files. Its mutants are numbered from first.
func (p goPackage) instrument(exports map[string]string, first int, files map[string]string) ([]mutant, error) {
	fset := token.NewFileSet()
	var parsed []*ast.File
	var texts []string
	for _, name := range p.GoFiles {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed, texts = append(parsed, file), append(texts, string(text))
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
	}
	checker := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})}
	if _, err := checker.Check(p.ImportPath, fset, parsed, info); err != nil {
		return nil, err
	}
	var mutants []mutant
	for i, file := range parsed {
		path := filepath.Join(p.Dir, p.GoFiles[i])
		name, err := filepath.Rel(p.Module.Dir, path)
		if err != nil {
			return nil, err
		}
		sites := find(fset, info, name, texts[i], file)
		if len(sites) == 0 {
			continue
		}
		for j := range sites {
			sites[j].mutant.number = first + len(mutants)
			mutants = append(mutants, sites[j].mutant)
		}
		slices.SortStableFunc(sites, func(a, b site) int {
			return int(a.from-b.from)*2 + min(1, max(-1, int(b.to-a.to)))
		})
		w := writer{text: texts[i], base: token.Pos(fset.File(file.Pos()).Base()), sites: sites}
		after := int(file.Name.End() - w.base)
		w.copied = after
		files[path] = texts[i][:after] + fmt.Sprintf("; import mutant_ %q", p.Module.Path+"/mutant") + w.write(len(texts[i]))
	}
	return mutants, nil
}

// writer writes a file's text with its mutants.
type writer struct {
	text   string
	base   token.Pos
	sites  []site // those that are not written yet: by place, the outer ones first
	copied int    // bytes of text that are written
}

// write returns the text up to the offset end, and the sites in it.
func (w *writer) write(end int) string {
	var b strings.Builder
	for len(w.sites) > 0 && int(w.sites[0].from-w.base) < end {
		s := w.sites[0]
		w.sites = w.sites[1:]
		b.WriteString(w.text[w.copied:int(s.from-w.base)])
		w.copied = int(s.from - w.base)
		b.WriteString(s.rewrite(s.mutant.number, w.write(int(s.to-w.base))))
	}
	b.WriteString(w.text[w.copied:end])
	w.copied = end
	return b.String()
}
