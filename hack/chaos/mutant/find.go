// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// Finder finds nodes of a function.
type Finder struct {
	// what is found, for messages.
	what string
	find func(*ast.FuncDecl) []ast.Node
}

// nodes is a Finder of all nodes that are wanted.
func nodes(wanted func(ast.Node) bool, format string, args ...any) Finder {
	return Finder{what: fmt.Sprintf(format, args...), find: func(fn *ast.FuncDecl) (found []ast.Node) {
		var visit func(n ast.Node) bool
		visit = func(n ast.Node) bool {
			if n != nil && wanted(n) {
				found = append(found, n)
			}
			if selector, ok := n.(*ast.SelectorExpr); ok {
				// A qualified name is one node: its last part is not another.
				ast.Inspect(selector.X, visit)
				return false
			}
			return true
		}
		ast.Inspect(fn.Body, visit)
		return found
	}}
}

// Call finds a call of a function or method with this name.
func Call(name string) Finder {
	return nodes(func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		return ok && lastName(call.Fun) == name
	}, "call of %s", name)
}

// Argument finds the n-th argument, from 1, of a call of a function or method with this name.
func Argument(name string, n int) Finder {
	call := Call(name)
	return Finder{what: fmt.Sprintf("argument %d of a call of %s", n, name), find: func(fn *ast.FuncDecl) (found []ast.Node) {
		for _, node := range call.find(fn) {
			if args := node.(*ast.CallExpr).Args; len(args) >= n {
				found = append(found, args[n-1])
			}
		}
		return found
	}}
}

// Mention finds an identifier with this name, together with the package or the value that it
// belongs to.
func Mention(name string) Finder {
	return nodes(func(n ast.Node) bool { return isMention(n, name) }, "mention of %s", name)
}

// Comparison finds a comparison in which a name is mentioned.
func Comparison(name string) Finder {
	return nodes(func(n ast.Node) bool {
		binary, ok := n.(*ast.BinaryExpr)
		return ok && slices.Contains([]token.Token{token.EQL, token.NEQ, token.LSS, token.GTR, token.LEQ, token.GEQ}, binary.Op) && mentions(binary, name)
	}, "comparison with %s", name)
}

// Key finds the key with this name in a composite literal: that of a field, or of a map.
func Key(name string) Finder {
	return nodes(func(n ast.Node) bool { return isMention(n, name) }, "key %s", name).within(func(pair *ast.KeyValueExpr) ast.Node { return pair.Key })
}

// Value finds the value of the key with this name in a composite literal.
func Value(name string) Finder {
	return nodes(func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		return ok && lastName(pair.Key) == name
	}, "value of %s", name).to(func(n ast.Node) ast.Node { return n.(*ast.KeyValueExpr).Value })
}

// Assignment finds an assignment to a variable or field with this name.
func Assignment(name string) Finder {
	return nodes(func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		return ok && slices.ContainsFunc(assign.Lhs, func(left ast.Expr) bool { return lastName(left) == name })
	}, "assignment to %s", name)
}

// FirstStatement finds the first statement of the function.
func FirstStatement() Finder {
	return Finder{what: "first statement", find: func(fn *ast.FuncDecl) []ast.Node {
		if len(fn.Body.List) == 0 {
			return nil
		}
		return []ast.Node{fn.Body.List[0]}
	}}
}

// Statement finds the smallest statements of a block that have what another Finder finds.
func Statement(with Finder) Finder {
	return Finder{what: "statement with a " + with.what, find: func(fn *ast.FuncDecl) (found []ast.Node) {
		for _, inner := range with.find(fn) {
			if s := statementOf(fn, inner); !slices.Contains(found, s) {
				found = append(found, s)
			}
		}
		return found
	}}
}

// to replaces each node that is found by one that belongs to it.
func (f Finder) to(other func(ast.Node) ast.Node) Finder {
	find := f.find
	f.find = func(fn *ast.FuncDecl) (found []ast.Node) {
		for _, n := range find(fn) {
			found = append(found, other(n))
		}
		return found
	}
	return f
}

// within keeps the nodes that are a part of a key-value pair.
func (f Finder) within(part func(*ast.KeyValueExpr) ast.Node) Finder {
	pairs := nodes(func(n ast.Node) bool { _, ok := n.(*ast.KeyValueExpr); return ok }, "")
	find := f.find
	f.find = func(fn *ast.FuncDecl) (found []ast.Node) {
		for _, n := range find(fn) {
			if slices.ContainsFunc(pairs.find(fn), func(pair ast.Node) bool { return part(pair.(*ast.KeyValueExpr)) == n }) {
				found = append(found, n)
			}
		}
		return found
	}
	return f
}

// statementOf is the smallest statement of a block that contains a node.
func statementOf(fn *ast.FuncDecl, inner ast.Node) (smallest ast.Node) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		for _, s := range statementsOf(n) {
			if s.Pos() <= inner.Pos() && inner.End() <= s.End() {
				smallest = s
			}
		}
		return true
	})
	return smallest
}

// statementsOf are the statements directly in a block.
func statementsOf(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	default:
		return nil
	}
}

// isMention reports whether a node is a name alone, or qualified.
func isMention(n ast.Node, name string) bool {
	expr, ok := n.(ast.Expr)
	return ok && lastName(expr) == name
}

func mentions(n ast.Node, name string) (found bool) {
	ast.Inspect(n, func(inner ast.Node) bool {
		found = found || inner != nil && isMention(inner, name)
		return !found
	})
	return found
}

// lastName is the name of an identifier or selector, "" for any other expression.
func lastName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr.Name
	case *ast.SelectorExpr:
		return expr.Sel.Name
	default:
		return ""
	}
}
