package term

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// screen is where the conversation takes place. It has two implementations: a terminal in raw mode and plain lines.
// Print may be called from any goroutine; Read from one.
type screen interface {
	Print(text string)
	// Read asks for a line. secret: it is not shown. io.EOF ends the conversation.
	Read(prompt string, secret bool) (string, error)
	Close()
}

// newScreen takes a terminal if there is one.
func newScreen(in, out *os.File) (screen, error) {
	if term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd())) {
		return newRaw(in, out)
	}
	return &plain{in: bufio.NewReaderSize(in, 64<<10), out: out}, nil
}

// plain reads lines from a pipe or file.
type plain struct {
	in  *bufio.Reader
	mu  sync.Mutex
	out io.Writer
}

func (p *plain) Print(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintln(p.out, text)
}

func (p *plain) Read(prompt string, _ bool) (string, error) {
	p.mu.Lock()
	_, _ = fmt.Fprint(p.out, prompt)
	p.mu.Unlock()
	s, err := p.in.ReadString('\n')
	if err != nil && s == "" {
		return "", err
	}
	return strings.TrimRight(s, "\r\n"), nil
}

func (p *plain) Close() {}

// raw is a terminal in raw mode with a line editor of its own at the bottom: what arrives is printed above it.
type raw struct {
	in, out *os.File
	old     *term.State
	ready   []byte // read, not taken yet

	mu      sync.Mutex
	edit    editor
	prompt  string
	reading bool
}

const (
	eraseLine = "\r\x1b[K"
	pasteOn   = "\x1b[?2004h"
	pasteOff  = "\x1b[?2004l"
)

func newRaw(in, out *os.File) (*raw, error) {
	old, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	r := &raw{in: in, out: out, old: old}
	r.write(pasteOn)
	return r, nil
}

func (r *raw) write(s string) { _, _ = io.WriteString(r.out, s) }

// Close gives the terminal back as it was.
func (r *raw) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write(eraseLine + pasteOff)
	_ = term.Restore(int(r.in.Fd()), r.old)
}

func (r *raw) Print(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
	if r.reading {
		s = eraseLine + s + r.line()
	}
	r.write(s)
}

// line draws the line being typed.
func (r *raw) line() string { return drawLine(&r.edit, r.prompt, r.columns()) }

func (r *raw) columns() int {
	columns, _, err := term.GetSize(int(r.out.Fd()))
	if err != nil || columns <= 0 {
		return 80
	}
	return columns
}

// drawLine is the prompt, the visible part of the text, and the way back to the cursor.
func drawLine(e *editor, prompt string, columns int) string {
	p := runesWidth([]rune(prompt))
	if p > columns/2 {
		prompt, p = "> ", 2
	}
	text, column := e.view(columns - p)
	s := eraseLine + prompt + text + "\r"
	if right := p + column; right > 0 {
		s += fmt.Sprintf("\x1b[%dC", right)
	}
	return s
}

func (r *raw) Read(prompt string, secret bool) (string, error) {
	r.mu.Lock()
	// A question that would leave no room to answer beside it stands on a line of its own.
	if columns := r.columns(); runesWidth([]rune(prompt)) > columns/2 {
		r.write(eraseLine + strings.ReplaceAll(strings.TrimSpace(prompt), "\n", "\r\n") + "\r\n")
		prompt = "> "
	}
	r.prompt, r.edit.secret, r.reading = prompt, secret, true
	r.write(r.line())
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.reading = false
		r.mu.Unlock()
	}()
	buf := make([]byte, 4096)
	for {
		if len(r.ready) == 0 {
			n, err := r.in.Read(buf)
			if err != nil {
				if errors.Is(err, os.ErrClosed) {
					err = io.EOF
				}
				return "", err
			}
			r.ready = append(r.ready, buf[:n]...)
		}
		r.mu.Lock()
		a, rest := r.edit.feed(r.ready)
		r.ready = append([]byte(nil), rest...)
		text, done, err := r.act(a)
		if !done {
			r.write(r.line())
		}
		r.mu.Unlock()
		if done {
			return text, err
		}
	}
}

func (r *raw) act(a action) (text string, done bool, err error) {
	switch a {
	case submit:
		r.write(eraseLine)
		return r.edit.take(), true, nil
	case cancel:
		if len(r.edit.text) == 0 {
			r.write(eraseLine)
			return "", true, io.EOF
		}
		r.edit.clear()
	case eof:
		r.write(eraseLine)
		return "", true, io.EOF
	case redraw:
		r.write("\x1b[2J\x1b[H")
	}
	return "", false, nil
}
