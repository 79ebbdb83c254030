// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"cmp"
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What a newcomer can still survey.
const (
	maxFiles       = 12
	maxMethods     = 25 // of a Reconciler
	maxTypeMethods = 35 // of any other type
	maxLines       = 80
	maxComplexity  = 20
)

// Exceptions, each with its reason. One that is not needed any more fails the tests.
var (
	// largePackages: package to reason.
	largePackages = map[string]string{}
	// largeTypes: package.Type to reason.
	largeTypes = map[string]string{}
	// largeFunctions: package.function, or package.Type.method, to reason.
	largeFunctions = map[string]string{}
)

// TestPackagesAreSmall counts the files of shipped packages, without tests and generated ones.
func TestPackagesAreSmall(t *testing.T) {
	files := map[string]int{}
	for _, file := range project(t).code {
		if file.shipped() && !file.generated {
			files[file.dir]++
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		t.Logf("%3d files in %s", files[dir], dir)
	}
	check(t, files, maxFiles, "files", largePackages)
}

// TestTypesAreSmall counts the methods of shipped types, those of each Reconciler above all.
func TestTypesAreSmall(t *testing.T) {
	methods := map[string]int{}
	for _, file := range project(t).code {
		if !file.shipped() || file.generated {
			continue
		}
		for _, declaration := range file.syntax.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv != nil {
				methods[file.dir+"."+receiver(f)]++
			}
		}
	}
	for name, count := range methods {
		if count > maxMethods/2 {
			t.Logf("%3d methods of %s", count, name)
		}
	}
	reconcilers, others := map[string]int{}, map[string]int{}
	for name, count := range methods {
		if strings.HasSuffix(name, ".Reconciler") {
			reconcilers[name] = count
		} else {
			others[name] = count
		}
	}
	if len(reconcilers) != 3 {
		t.Errorf("found the reconcilers %v, want one for each kind", reconcilers)
	}
	check(t, reconcilers, maxMethods, "methods", nil)
	check(t, others, maxTypeMethods, "methods", largeTypes)
}

// TestFunctionsAreSmall measures shipped functions: their lines, and their paths as gocyclo counts them.
func TestFunctionsAreSmall(t *testing.T) {
	lines, paths := map[string]int{}, map[string]int{}
	for _, file := range project(t).code {
		if !file.shipped() || file.generated {
			continue
		}
		for _, declaration := range file.syntax.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := file.dir + "." + f.Name.Name
			if f.Recv != nil {
				name = file.dir + "." + receiver(f) + "." + f.Name.Name
			}
			lines[name] = max(lines[name], file.fset.Position(f.End()).Line-file.fset.Position(f.Pos()).Line+1)
			paths[name] = max(paths[name], complexity(f))
		}
	}
	report(t, "lines", lines)
	report(t, "cyclomatic complexity", paths)
	allowed := maps.Clone(largeFunctions)
	for name := range largeFunctions {
		if lines[name] <= maxLines && paths[name] <= maxComplexity {
			t.Errorf("%s is not too large any more: take it out of the exceptions", name)
		}
	}
	checkMax(t, lines, maxLines, "lines", allowed)
	checkMax(t, paths, maxComplexity, "paths (gocyclo)", allowed)
}

// TestComplexity: the count is that of gocyclo.
func TestComplexity(t *testing.T) {
	if got, want := complexity(complexityOf(t)), 8; got != want {
		t.Errorf("the function has %d paths, gocyclo counts %d", got, want)
	}
}

// complexityOf gives the syntax of counted, below.
func complexityOf(t *testing.T) *ast.FuncDecl {
	t.Helper()
	for _, file := range project(t).code {
		for _, declaration := range file.syntax.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Name.Name == "counted" && file.dir == "hack/tools/structure" {
				return f
			}
		}
	}
	t.Fatal("the function is missing")
	return nil
}

// counted has 1 path, and 1 each for: if, &&, for, range, two cases that are not the default, and
// an if in a function literal.
func counted(numbers []int, done chan bool) (sum int) {
	if len(numbers) > 1 && numbers[0] > 0 {
		sum++
	}
	for sum < 3 {
		sum++
	}
	for range numbers {
		switch sum {
		case 1, 2:
			sum--
		default:
			sum++
		}
	}
	select {
	case <-done:
	default:
	}
	func() {
		if sum > 0 {
			sum--
		}
	}()
	return sum
}

var _ = counted

// complexity is the cyclomatic complexity of a function, counted as gocyclo does.
func complexity(f *ast.FuncDecl) int {
	count := 1
	ast.Inspect(f, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			count++
		case *ast.CaseClause:
			if n.List != nil {
				count++
			}
		case *ast.CommClause:
			if n.Comm != nil {
				count++
			}
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				count++
			}
		}
		return true
	})
	return count
}

// receiver is the name of the type that a method has.
func receiver(f *ast.FuncDecl) string {
	expression := f.Recv.List[0].Type
	for {
		switch e := expression.(type) {
		case *ast.StarExpr:
			expression = e.X
		case *ast.IndexExpr:
			expression = e.X
		case *ast.IndexListExpr:
			expression = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// check fails for what is over the maximum without being an exception, and for an exception that
// is not needed.
func check(t *testing.T, counts map[string]int, most int, what string, exceptions map[string]string) {
	t.Helper()
	for name := range exceptions {
		if counts[name] <= most {
			t.Errorf("%s has only %d %s: take it out of the exceptions", name, counts[name], what)
		}
	}
	checkMax(t, counts, most, what, exceptions)
}

func checkMax(t *testing.T, counts map[string]int, most int, what string, exceptions map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > most && exceptions[name] == "" {
			t.Errorf("%s has %d %s, more than %d", name, counts[name], what, most)
		}
	}
}

// report logs the 95th percentile and the three largest.
func report(t *testing.T, what string, counts map[string]int) {
	t.Helper()
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	if len(names) == 0 {
		t.Fatal("there are no functions")
	}
	t.Logf("%s: %d functions, 95th percentile %d", what, len(names), counts[names[len(names)/20]])
	for _, name := range names[:min(3, len(names))] {
		t.Logf("%4d %s", counts[name], name)
	}
}
