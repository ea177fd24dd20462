//go:build unix

package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// mutant is one small fault.
type mutant struct {
	ID     string `json:"mutant"` // FILE:LINE:COLUMN:KIND, and a number where these are the same
	File   string `json:"file"`
	Line   int    `json:"line"`
	Func   string `json:"func"` // empty outside functions
	Kind   string `json:"kind"`
	Before string `json:"before"`
	After  string `json:"after"`

	number int // what is in the file that says which mutant is on
}

// site is a stretch of code and the way in which it is written so that a mutant can be on. rewrite gets the mutant's
// number and the code of the site, in which other mutants are already written.
type site struct {
	from, to token.Pos
	mutant   mutant
	rewrite  func(number int, code string) string
}

// finder collects the sites of one file.
type finder struct {
	fset  *token.FileSet
	info  *types.Info
	name  string
	text  string
	sites []site
	stack []ast.Node // from the file to the node's parent
}

// find returns the sites of a file in the order of its nodes: those around before those inside.
func find(fset *token.FileSet, info *types.Info, name, text string, file *ast.File) []site {
	f := &finder{fset: fset, info: info, name: name, text: text}
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			f.stack = f.stack[:len(f.stack)-1]
			return true
		}
		f.node(n)
		if d, ok := n.(*ast.GenDecl); ok && d.Tok != token.VAR || n == file.Name {
			return false // constants have no code
		}
		f.stack = append(f.stack, n)
		return true
	})
	return f.sites
}

// add notes a mutant of the stretch from..to.
func (f *finder) add(kind string, from, to token.Pos, after string, rewrite func(int, string) string) {
	at := f.fset.Position(from)
	f.sites = append(f.sites, site{from, to, mutant{
		ID:   fmt.Sprintf("%s:%d:%d:%s", f.name, at.Line, at.Column, kind),
		File: f.name, Line: at.Line, Func: f.function(), Kind: kind,
		Before: short(f.raw(from, to)), After: short(after),
	}, rewrite})
}

// short returns the beginning of the code on one line.
func short(code string) string {
	code = strings.Join(strings.Fields(code), " ")
	if r := []rune(code); len(r) > 90 {
		code = string(r[:89]) + "…"
	}
	return code
}

// function returns the name of the function around the node.
func (f *finder) function() string {
	for _, n := range f.stack {
		if d, ok := n.(*ast.FuncDecl); ok {
			if d.Recv == nil {
				return d.Name.Name
			}
			kind, _, _ := strings.Cut(strings.TrimLeft(f.raw(d.Recv.List[0].Type.Pos(), d.Recv.End()-1), "*"), "[")
			return kind + "." + d.Name.Name
		}
	}
	return ""
}

// raw returns the code of a stretch without mutants.
func (f *finder) raw(from, to token.Pos) string {
	return f.text[f.fset.Position(from).Offset:f.fset.Position(to).Offset]
}

func (f *finder) parent() ast.Node { return f.stack[len(f.stack)-1] }

// node adds the mutants of one node.
func (f *finder) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.CaseClause:
		f.statements(n.Body)
	case *ast.CommClause:
		f.statements(n.Body)
	case ast.Expr:
		value := f.info.Types[n]
		truth := value.Type == types.Typ[types.Bool] || value.Type == types.Typ[types.UntypedBool]
		if value.Value == nil && value.IsValue() && truth {
			f.condition(n)
		} else if value.Value != nil {
			f.constant(n, value)
		}
	}
}

var swapped = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
}

// condition adds the mutant of a truth value: another operator, or its opposite where a condition ends in it.
func (f *finder) condition(n ast.Expr) {
	either := func(after string) func(int, string) string {
		return func(number int, code string) string {
			return fmt.Sprintf("(mutant_.On(%d) && (%s) || mutant_.Cur != %[1]d && (%[3]s))", number, after, code)
		}
	}
	if b, ok := n.(*ast.BinaryExpr); ok {
		operator := swapped[b.Op]
		x, y := f.raw(b.X.Pos(), b.X.End()), f.raw(b.Y.Pos(), b.Y.End())
		shown := fmt.Sprintf("%s %s %s", x, operator, y)
		f.add("swap", b.Pos(), b.End(), shown, either(fmt.Sprintf("(%s) %s (%s)", x, operator, y)))
		return
	}
	switch p := f.parent().(type) {
	case *ast.IfStmt, *ast.ForStmt, *ast.ReturnStmt:
	case *ast.BinaryExpr:
		if p.Op != token.LAND && p.Op != token.LOR {
			return
		}
	case *ast.CaseClause:
		if f.stack[len(f.stack)-3].(*ast.SwitchStmt).Tag != nil {
			return
		}
	default:
		return
	}
	switch u := n.(type) {
	case *ast.UnaryExpr:
		shown := f.raw(u.X.Pos(), u.X.End())
		f.add("negate", n.Pos(), n.End(), shown, either(shown))
	case *ast.Ident, *ast.SelectorExpr, *ast.CallExpr, *ast.IndexExpr:
		shown := "!" + f.raw(n.Pos(), n.End())
		f.add("negate", n.Pos(), n.End(), shown, either(shown))
	}
}

// constant adds the mutant of true, false, an integer or a duration.
func (f *finder) constant(n ast.Expr, value types.TypeAndValue) {
	id, isName := n.(*ast.Ident)
	code := f.raw(n.Pos(), n.End())
	if value.Type == types.Typ[types.Bool] && isName && (code == "true" || code == "false") {
		not, after := "!", "false"
		if code == "false" {
			not, after = "", "true"
		}
		f.add("flip", n.Pos(), n.End(), after, func(number int, _ string) string {
			return fmt.Sprintf("%smutant_.On(%d)", not, number)
		})
	}
	basic, ok := value.Type.Underlying().(*types.Basic)
	if !ok || basic.Info()&(types.IsInteger|types.IsUntyped) != types.IsInteger || f.fixed(n) ||
		value.Value.Kind() != constant.Int {
		return
	}
	_, isLiteral := n.(*ast.BasicLit)
	duration := value.Type.String() == "time.Duration"
	if _, named := types.Unalias(value.Type).(*types.Named); named && !duration {
		return // one of several, such as a colour
	}
	if isName {
		if c, ok := f.info.Uses[id].(*types.Const); !ok || c.Pkg() == nil {
			return
		}
	} else if lit, ok := n.(*ast.BasicLit); !ok || lit.Kind != token.INT {
		return
	}
	after, kind := code+" + 1", "more"
	more := constant.BinaryOp(value.Value, token.ADD, constant.MakeInt64(1))
	if isLiteral {
		after = more.String()
	}
	if duration {
		product, ok := f.parent().(*ast.BinaryExpr)
		if isLiteral && (!ok || product.Op != token.MUL) {
			return
		}
		if isName {
			more, after, kind = constant.BinaryOp(value.Value, token.MUL, constant.MakeInt64(2)), "2 * "+code, "double"
		}
	}
	if !fits(more, basic) {
		return
	}
	typ := types.TypeString(value.Type, func(p *types.Package) string { return p.Name() })
	f.add(kind, n.Pos(), n.End(), after, func(number int, _ string) string {
		return fmt.Sprintf("mutant_.Pick(%d, %s(%s), %s(%s))", number, typ, code, typ, more)
	})
}

// fits reports whether a value of the type can be v.
func fits(v constant.Value, basic *types.Basic) bool {
	bits := types.SizesFor("gc", "amd64").Sizeof(basic) * 8
	if basic.Info()&types.IsUnsigned != 0 {
		return constant.Sign(v) >= 0 && constant.BitLen(v) <= int(bits)
	}
	return constant.BitLen(v) < int(bits)
}

// fixed reports whether the compiler needs a constant at this place, or whether it only sizes a buffer.
func (f *finder) fixed(n ast.Expr) bool {
	for i := len(f.stack) - 1; i >= 0; i-- {
		switch p := f.stack[i].(type) {
		case *ast.ArrayType:
			return true
		case *ast.CallExpr:
			name, ok := p.Fun.(*ast.Ident)
			return ok && name.Name == "make" && (n == p.Args[len(p.Args)-1] && len(p.Args) == 3)
		case *ast.KeyValueExpr:
			kind := f.info.Types[f.stack[i-1].(ast.Expr)].Type.Underlying()
			_, isMap := kind.(*types.Map)
			return n.End() <= p.Colon && !isMap
		case ast.Stmt:
			return false
		}
	}
	return false
}

// statements adds the mutants of the statements of a block: a statement left out, or one that returns something else.
func (f *finder) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok {
				if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "panic" {
					continue
				}
			}
			f.drop(s)
		case *ast.AssignStmt:
			name, ok := s.Lhs[0].(*ast.Ident)
			if s.Tok != token.DEFINE && !(ok && len(s.Lhs) == 1 && name.Name == "_") {
				f.drop(s)
			}
		case *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
			f.drop(s)
		case *ast.BranchStmt:
			if s.Tok == token.BREAK || s.Tok == token.CONTINUE {
				f.drop(s)
			}
		case *ast.ReturnStmt:
			f.returned(s)
		case *ast.SwitchStmt:
			if s.Init == nil || s.Tag != nil {
				f.cases(s, s.Body)
			}
		case *ast.TypeSwitchStmt:
			if _, ok := s.Assign.(*ast.ExprStmt); ok {
				f.cases(s, s.Body)
			}
		case *ast.SelectStmt:
			f.cases(s, s.Body)
		}
	}
}

func (f *finder) drop(s ast.Stmt) {
	f.add("drop", s.Pos(), s.End(), "", func(number int, code string) string {
		return fmt.Sprintf("if !mutant_.On(%d) { %s }", number, code)
	})
}

// returned adds a mutant for each string and slice that s returns, which is then empty, and one for the error, which
// is then nil.
func (f *finder) returned(s *ast.ReturnStmt) {
	var results *types.Tuple
	for _, n := range f.stack {
		switch n := n.(type) {
		case *ast.FuncDecl:
			results = f.info.Defs[n.Name].Type().(*types.Signature).Results()
		case *ast.FuncLit:
			results = f.info.Types[n].Type.(*types.Signature).Results()
		}
	}
	if results.Len() != len(s.Results) {
		return // all results of another call
	}
	for i, e := range s.Results {
		empty, kind := "nil", "empty"
		switch t := results.At(i).Type(); u := t.Underlying().(type) {
		case *types.Basic:
			if v := f.info.Types[e].Value; u.Kind() != types.String || v != nil && constant.StringVal(v) == "" {
				continue
			}
			empty = `""`
		case *types.Slice:
		case *types.Interface:
			if t != types.Universe.Lookup("error").Type() {
				continue
			}
			kind = "no error"
		default:
			continue
		}
		if f.info.Types[e].IsNil() {
			continue
		}
		var values []string
		for _, e := range s.Results {
			values = append(values, f.raw(e.Pos(), e.End()))
		}
		before := ""
		if _, isCall := e.(*ast.CallExpr); isCall {
			before = "_ = " + values[i] + ";" // what the call does is still done
		}
		values[i] = empty
		after := "return " + strings.Join(values, ", ")
		f.add(kind, s.Pos(), s.End(), after, func(number int, code string) string {
			return fmt.Sprintf("if mutant_.On(%d) { %s %s }; %s", number, before, after, code)
		})
		f.sites[len(f.sites)-1].mutant.ID += fmt.Sprint(i)
	}
}

// cases adds a mutant for each case of s, which is then left out.
func (f *finder) cases(s ast.Stmt, body *ast.BlockStmt) {
	whole := true
	ast.Inspect(s, func(n ast.Node) bool {
		branch, ok := n.(*ast.BranchStmt)
		_, label := n.(*ast.LabeledStmt)
		whole = whole && !label && !(ok && branch.Tok == token.FALLTHROUGH)
		return true
	})
	if !whole || len(body.List) < 2 {
		return
	}
	for _, clause := range body.List {
		if c, ok := clause.(*ast.CaseClause); ok && c.List == nil {
			continue
		}
		if c, ok := clause.(*ast.CommClause); ok && c.Comm == nil {
			continue
		}
		without := f.raw(s.Pos(), clause.Pos()) + f.raw(clause.End(), s.End())
		f.add("case", s.Pos(), s.End(), "", func(number int, code string) string {
			return fmt.Sprintf("if mutant_.On(%d) { %s } else { %s }", number, without, code)
		})
		at := f.fset.Position(clause.Pos())
		m := &f.sites[len(f.sites)-1].mutant
		m.ID, m.Line = fmt.Sprintf("%s:%d:%d:case", f.name, at.Line, at.Column), at.Line
		m.Before = short(f.raw(clause.Pos(), clause.End()))
	}
}
