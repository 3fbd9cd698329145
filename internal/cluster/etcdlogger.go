package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// etcdLogger gives etcd a logger of ours: errors go to slog, one record each, and what etcd wants to die of goes to fatal.
// Below error level etcd speaks of every restart and election, which Stats shows better; once stopped it only reports
// that its listeners are closed.
func etcdLogger(to *slog.Logger, stopped <-chan struct{}, fatal func(sentence string)) *zap.Logger {
	h := fatalHook{fatal}
	return zap.New(slogCore{to, stopped}, zap.WithFatalHook(h), zap.WithPanicHook(h))
}

// firstVersion is what etcd may say of a database that has no entry yet. It tries again by itself.
const firstVersion = "failed to update storage version"

// slogCore writes zap's entries to a slog.Logger.
type slogCore struct {
	to      *slog.Logger
	stopped <-chan struct{}
}

func (c slogCore) Enabled(l zapcore.Level) bool { return l >= zapcore.ErrorLevel }

func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	return slogCore{c.to.With(attrs(fields)...), c.stopped}
}

func (c slogCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c slogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if e.Message == firstVersion {
		return nil
	}
	select {
	case <-c.stopped:
	default:
		c.to.Log(context.Background(), slog.LevelError, "etcd: "+e.Message, attrs(fields)...)
	}
	return nil
}

func (c slogCore) Sync() error { return nil }

// attrs keeps errors, paths and numbers. Keys and values of the log are left out: etcd adds them as binary or byte
// strings, and entries hold what people wrote.
func attrs(fields []zapcore.Field) (out []any) {
	for _, f := range fields {
		switch f.Type {
		case zapcore.ErrorType:
			out = append(out, slog.String(f.Key, fmt.Sprint(f.Interface)))
		case zapcore.StringType:
			if f.Key != "key" && f.Key != "value" && f.Key != "request" && f.Key != "content" {
				out = append(out, slog.String(f.Key, f.String))
			}
		case zapcore.Int64Type, zapcore.Int32Type, zapcore.Uint64Type, zapcore.Uint32Type:
			out = append(out, slog.Int64(f.Key, f.Integer))
		}
	}
	return out
}

// fatalHook takes the place of os.Exit and panic. etcd's code must not run on after what it holds to be fatal: it may
// acknowledge what is not on disk. So the goroutine ends here, for good, with its locks held; the member is dead.
type fatalHook struct{ fatal func(string) }

func (h fatalHook) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	h.fatal(fatalSentence(e.Message, fields))
	select {}
}

func fatalSentence(message string, fields []zapcore.Field) string {
	var b strings.Builder
	b.WriteString("the log's storage failed: ")
	b.WriteString(strings.TrimSuffix(message, "."))
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok && f.Type == zapcore.ErrorType {
			b.WriteString(": ")
			b.WriteString(err.Error())
		}
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}
