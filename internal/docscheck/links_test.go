package docscheck

import (
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	heading = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*\s*$`)
	code    = regexp.MustCompile("`[^`]*`")
)

func TestLinks(t *testing.T) {
	count := 0
	for _, name := range files(t) {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, line := range prose(string(read(t, name))) {
			for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
				count++
				if why := broken(t, name, m[1]); why != "" {
					t.Errorf("%s: link %s: %s", name, m[1], why)
				}
			}
		}
	}
	if count == 0 {
		t.Error("no link was found in any document")
	}
}

// broken says what is wrong with a relative link, "" when nothing is. Links to other places are not followed.
func broken(t *testing.T, from, target string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	to := from
	if file != "" {
		to = path.Join(path.Dir(from), file)
		if strings.HasPrefix(file, "/") || strings.HasPrefix(to, "../") {
			return "leads out of the repository"
		}
		if !exists(to) {
			return "there is no " + to
		}
	}
	if anchor == "" || path.Ext(to) != ".md" {
		return ""
	}
	for _, line := range prose(string(read(t, to))) {
		if m := heading.FindStringSubmatch(line); m != nil && slug(m[1]) == anchor {
			return ""
		}
	}
	return "there is no such heading in " + to
}

// prose are the lines outside of fenced code.
func prose(text string) (lines []string) {
	fenced := false
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if !fenced {
			lines = append(lines, line)
		}
	}
	return lines
}

// slug is how a heading is addressed: lower case, spaces to hyphens, no punctuation.
func slug(h string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(h) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			b.WriteRune(r)
		}
	}
	return b.String()
}
