package docscheck

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
)

// browserTests is where vitest looks for what runs in real browsers (web/e2e/vitest.config.ts).
const browserTests = "web/e2e/*.test.ts"

// A test in TypeScript: test('name', ...), or test(`name, ${browser}`, ...) once for each browser.
var call = regexp.MustCompile("(?m)^\\s*(test|it)((?:\\.\\w+)*)(?:\\([^'\"`\n]*\\))?\\(\\s*(?:'([^'\n]*)'|\"([^\"\n]*)\"|`([^`\n]*)`)")

// browserRuns says why file:name is no browser test that runs. name is a test's name up to a value that is put into it.
func browserRuns(t *testing.T, file, name string) error {
	if ok, err := path.Match(browserTests, file); err != nil || !ok {
		return fmt.Errorf("%s is not one of %s", file, browserTests)
	}
	if !exists(file) {
		return fmt.Errorf("there is no %s", file)
	}
	return browserRunnable(file, string(read(t, file)), name)
}

func browserRunnable(file, src, name string) error {
	if m := regexp.MustCompile(`\b(describe|test|it)\.(skip|only|todo|runIf|skipIf)\b`).FindString(src); m != "" {
		return fmt.Errorf("%s uses %s: not all of it runs", file, m)
	}
	for _, m := range call.FindAllStringSubmatch(src, -1) {
		for _, found := range m[3:6] {
			if found != "" && (found == name || strings.HasPrefix(found, name+"${") || strings.HasPrefix(found, name+", ${") || strings.HasPrefix(found, name+" (${")) {
				return nil
			}
		}
	}
	return fmt.Errorf("there is no test %q in %s", name, file)
}

func TestNamedBrowserTestsAreChecked(t *testing.T) {
	good := "for (const b of browserNames) {\n  test(`two people talk (${b})`, async () => {\n  })\n}\ntest('alone', () => {})\n"
	for _, name := range []string{"two people talk", "alone"} {
		if err := browserRunnable("x.test.ts", good, name); err != nil {
			t.Error(err)
		}
	}
	for what, src := range map[string]string{
		"another name": "test('something else', () => {})",
		"a comment":    "// test('x', () => {})",
		"skipped":      "test.skip('x', () => {})",
		"one only":     "test('x', () => {})\ntest.only('y', () => {})",
		"conditional":  "test.skipIf(slow)('x', () => {})",
	} {
		if browserRunnable("x.test.ts", src, "x") == nil {
			t.Errorf("%s was taken for a test that runs", what)
		}
	}
}
