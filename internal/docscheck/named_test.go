package docscheck

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const lastService = 54

var row = regexp.MustCompile(`^\|\s*(\d+)\s*\|`)

// A service that "works" names where it is and the test that shows it; the rows are all there.
func TestServices(t *testing.T) {
	next := 1
	for _, line := range strings.Split(string(read(t, "docs/services.md")), "\n") {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if n, _ := strconv.Atoi(m[1]); n != next {
			t.Fatalf("row %s comes where row %d is expected", m[1], next)
		}
		next++
		for _, why := range checkService(t, line) {
			t.Errorf("row %s: %s", m[1], why)
		}
	}
	if next != lastService+1 {
		t.Errorf("the table ends at row %d, not %d", next-1, lastService)
	}
}

// checkService says what is wrong with a row: # | service | in the interface | state | where | test.
func checkService(t *testing.T, line string) (wrong []string) {
	c := cells(line)
	if len(c) != 6 {
		return []string{fmt.Sprintf("%d columns, not 6", len(c))}
	}
	where, tests := c[4], c[5]
	switch c[3] {
	case "not yet":
		if where != "" || tests != "" {
			wrong = append(wrong, "says not yet, but where it is or what shows it")
		}
	case "works":
		for _, p := range quoted(where) {
			if !exists(p) {
				wrong = append(wrong, "there is no "+p)
			}
		}
		if len(quoted(where)) == 0 {
			wrong = append(wrong, "works, but does not say where")
		}
		if len(quoted(tests)) == 0 {
			wrong = append(wrong, "works, but names no test")
		}
		for _, name := range quoted(tests) {
			if err := runs(t, name); err != nil {
				wrong = append(wrong, err.Error())
			}
		}
	default:
		wrong = append(wrong, fmt.Sprintf("state %q: works or not yet", c[3]))
	}
	return wrong
}

// A golden file and its test go together: both are there, or neither is.
func TestGoldenFilesAreTested(t *testing.T) {
	_, table, ok := strings.Cut(string(read(t, "docs/formats.md")), "| format | golden file | test |")
	if !ok {
		t.Fatal("docs/formats.md has no table of golden files")
	}
	for _, line := range strings.Split(table, "\n") {
		c := cells(line)
		if len(c) != 3 || strings.HasPrefix(c[0], "---") {
			continue
		}
		if (c[1] == "") != (c[2] == "") {
			t.Errorf("%s: golden file and test go together", c[0])
		}
		for _, name := range quoted(c[2]) {
			if err := runs(t, name); err != nil {
				t.Errorf("%s: %v", c[0], err)
			}
		}
	}
}

func TestNamedTestsAreChecked(t *testing.T) {
	bad := map[string]string{
		"no colon":        "internal/docscheck/named_test.go",
		"no such file":    "internal/docscheck/nothing_test.go:TestServices",
		"no such test":    "internal/docscheck/named_test.go:TestNothing",
		"not a test file": "internal/docscheck/doc.go:TestServices",
		"not a test":      "internal/docscheck/named_test.go:runs",
	}
	for why, name := range bad {
		if runs(t, name) == nil {
			t.Errorf("%s: %s is taken for a test that runs", why, name)
		}
	}
	sources := map[string]string{
		"skips":            "package p\nfunc TestX(t *testing.T) { if cond { t.Skipf(\"\") } }",
		"skips by Short":   "package p\nfunc TestX(t *testing.T) { t.Run(\"a\", func(t *testing.T) { t.SkipNow() }) }",
		"build constraint": "//go:build slow\n\npackage p\nfunc TestX(t *testing.T) {}",
		"a method":         "package p\nfunc (s S) TestX(t *testing.T) {}",
		"an empty body":    "package p\nfunc TestX(t *testing.T) {}",
	}
	for why, src := range sources {
		if runnable("x_test.go", []byte(src), "TestX") == nil {
			t.Errorf("%s: taken for a test that runs", why)
		}
	}
	if err := runnable("x_test.go", []byte("package p\nfunc TestX(t *testing.T) { t.Log() }"), "TestX"); err != nil {
		t.Errorf("a plain test: %v", err)
	}
	if err := runs(t, "internal/docscheck/named_test.go:TestServices"); err != nil {
		t.Error(err)
	}
}

// runs says why name, "file:TestName" or "file.test.ts:name of the test", is no test that runs.
func runs(t *testing.T, name string) error {
	file, test, ok := strings.Cut(name, ":")
	if ok && strings.HasSuffix(file, ".test.ts") {
		return browserRuns(t, file, test)
	}
	if !ok || !strings.HasSuffix(file, "_test.go") || !strings.HasPrefix(test, "Test") {
		return fmt.Errorf("%q is not of the form file_test.go:TestName", name)
	}
	if !exists(file) {
		return fmt.Errorf("there is no %s", file)
	}
	return runnable(file, read(t, file), test)
}

func runnable(file string, src []byte, test string) error {
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if constraint.IsGoBuild(c.Text) {
				return fmt.Errorf("%s is built only under %q", file, c.Text)
			}
		}
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != test || fn.Recv != nil || fn.Body == nil || len(fn.Body.List) == 0 {
			continue
		}
		var skip string
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				switch sel.Sel.Name {
				case "Skip", "Skipf", "SkipNow":
					skip = sel.Sel.Name
				}
			}
			return true
		})
		if skip != "" {
			return fmt.Errorf("%s:%s calls %s", file, test, skip)
		}
		return nil
	}
	return fmt.Errorf("there is no test %s in %s", test, file)
}

// cells are the trimmed columns of a table's row.
func cells(line string) (c []string) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	for _, s := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|") {
		c = append(c, strings.TrimSpace(s))
	}
	return c
}

// quoted are the parts of a cell between backquotes.
func quoted(cell string) (q []string) {
	for i, s := range strings.Split(cell, "`") {
		if i%2 == 1 {
			q = append(q, s)
		}
	}
	return q
}
