package docscheck

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// files lists the files of the repository, slash-separated and relative to its root. What tools put there and git
// ignores is left out.
func files(t *testing.T) (names []string) {
	t.Helper()
	ignored := map[string]bool{".git": true, "node_modules": true, "bin": true, "bonghwa-data": true, "bonghwa-demo-data": true}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && ignored[d.Name()]:
			return fs.SkipDir
		case d.Name() == ".git": // a file in a linked worktree
			return nil
		case d.Type().IsRegular():
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 20 {
		t.Fatalf("only %d files were found", len(names))
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, name))
	return err == nil
}

// One comment says what a package is and guarantees; two would drift apart.
func TestOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	for _, name := range files(t) {
		dir := path.Dir(name)
		if path.Ext(name) != ".go" || strings.HasPrefix(dir, "internal/gen/") || strings.Contains(dir, "testdata") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, read(t, name), parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		if strings.HasSuffix(f.Name.Name, "_test") {
			if f.Doc.Text() != "" {
				t.Errorf("%s comments on package %s: the package's comment belongs to the package", name, f.Name.Name)
			}
			continue
		}
		if _, ok := comments[dir]; !ok && (!strings.HasSuffix(name, "_test.go") || f.Doc.Text() != "") {
			comments[dir] = nil
		}
		if f.Doc.Text() == "" {
			continue
		}
		comments[dir] = append(comments[dir], name)
		begin := "Package " + f.Name.Name + " "
		if f.Name.Name == "main" {
			begin = "Command " + path.Base(dir) + " "
		}
		if !strings.HasPrefix(f.Doc.Text(), begin) {
			t.Errorf("%s: the package comment does not begin with %q", name, begin)
		}
	}
	for dir, names := range comments {
		if len(names) != 1 {
			t.Errorf("%s has %d package comments %v, not one", dir, len(names), names)
		}
	}
}

// A newcomer finds every package in ARCHITECTURE.md.
func TestArchitectureNamesThePackages(t *testing.T) {
	text := string(read(t, "ARCHITECTURE.md"))
	have := map[string]bool{}
	for _, name := range files(t) {
		parts := strings.Split(name, "/")
		if path.Ext(name) != ".go" || parts[0] == "tools" {
			continue
		}
		switch {
		case len(parts) > 2 && (parts[0] == "internal" || parts[0] == "cmd"):
			have[parts[0]+"/"+parts[1]] = true
		case len(parts) > 1:
			have[parts[0]] = true
		}
	}
	for dir := range have {
		if !strings.Contains(text, "`"+dir+"`") {
			t.Errorf("ARCHITECTURE.md does not name `%s`", dir)
		}
	}
}

// What a repository says about the machine of whoever wrote it is of use to nobody else.
func TestNoMachinePaths(t *testing.T) {
	// Put together here so that this file does not contain them.
	patterns := []*regexp.Regexp{
		regexp.MustCompile("/wo" + `rk/[a-z.]`),
		regexp.MustCompile("/ro" + `ot/`),
		regexp.MustCompile("/ho" + `me/[a-z]`),
		regexp.MustCompile("/Us" + `ers/[A-Za-z]`),
		regexp.MustCompile("/tm" + `p/[A-Za-z0-9_.]`),
		regexp.MustCompile(`"res` + `olved":`),
	}
	for _, name := range files(t) {
		b := read(t, name)
		if bytes.IndexByte(b[:min(len(b), 8000)], 0) >= 0 {
			continue // not text
		}
		for i, line := range bytes.Split(b, []byte("\n")) {
			for _, p := range patterns {
				if m := p.Find(line); m != nil {
					t.Errorf("%s:%d contains %q", name, i+1, m)
				}
			}
		}
	}
}
