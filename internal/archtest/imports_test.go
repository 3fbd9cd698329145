package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/bonghwa/bonghwa/"
)

// source is one Go file: its directory and the packages it imports, those of the module as their directories.
type source struct {
	dir, name string
	imports   []string
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

// rule forbids imports. A rule says where it looks and what it refuses there.
type rule struct {
	name, why string
	// from says whether the rule concerns the file.
	from func(s source) bool
	// refuse says whether the file may not import imp.
	refuse func(imp string) bool
	// broken is a file that the rule must refuse: a rule that can refuse nothing protects nothing.
	broken source
}

// The domains of a cell. A new domain is added here and is bound by the rules below.
var domains = []string{"internal/chat", "internal/people"}

var rules = []rule{
	{
		name:   "only internal/cluster imports etcd",
		why:    "the log can be judged again and replaced, and the simulation stands in for it everywhere",
		from:   func(s source) bool { return !within(s.dir, "internal/cluster") },
		refuse: func(imp string) bool { return within(imp, "go.etcd.io") },
		broken: source{"internal/kernel", "kernel.go", []string{"go.etcd.io/etcd/server/v3/embed"}},
	},
	{
		name:   "internal/cluster imports nothing else of the module",
		why:    "the log does not know what it carries; its tests make certificates",
		from:   func(s source) bool { return within(s.dir, "internal/cluster") },
		refuse: func(imp string) bool { return ours(imp) && !within(imp, "internal/cluster") && imp != "internal/pki" },
		broken: source{"internal/cluster", "etcd.go", []string{"internal/kernel"}},
	},
	{
		name:   "only internal/kernel imports pebble",
		why:    "domains see Tx and Reader, so that every view also runs in memory with crashes",
		from:   func(s source) bool { return !within(s.dir, "internal/kernel") },
		refuse: func(imp string) bool { return within(imp, "github.com/cockroachdb/pebble") },
		broken: source{"internal/chat", "view.go", []string{"github.com/cockroachdb/pebble/v2"}},
	},
	{
		name: "only internal/archive encrypts and speaks to S3",
		why:  "what leaves the cell goes one way, so that it can be judged in one place; tests bring a server of others",
		from: func(s source) bool { return !within(s.dir, "internal/archive") && !s.test() },
		refuse: func(imp string) bool {
			return oneOf(imp, "filippo.io/age", "github.com/minio/minio-go", "github.com/johannesboyne/gofakes3")
		},
		broken: source{"internal/server", "backup.go", []string{"github.com/minio/minio-go/v7"}},
	},
	{
		name:   "a program holds no server of tests",
		why:    "the S3 server that others wrote is for tests only",
		from:   func(s source) bool { return !s.test() },
		refuse: func(imp string) bool { return within(imp, "github.com/johannesboyne/gofakes3") },
		broken: source{"internal/archive", "s3.go", []string{"github.com/johannesboyne/gofakes3"}},
	},
	{
		name:   "the archive knows no domain and no server",
		why:    "it keeps what the log and the kernel's checkpoints are, whatever is in them",
		from:   func(s source) bool { return within(s.dir, "internal/archive") && !s.test() },
		refuse: func(imp string) bool { return ours(imp) && imp != "internal/kernel" },
		broken: source{"internal/archive", "plan.go", []string{"internal/chat"}},
	},
	{
		name: "internal/kernel imports no domain and no interface to the outside",
		why:  "the kernel carries any domain; its tests bring one of their own",
		from: func(s source) bool { return within(s.dir, "internal/kernel") },
		refuse: func(imp string) bool {
			return ours(imp) && !within(imp, "internal/kernel") && !within(imp, "internal/cluster") &&
				imp != "internal/ids" && imp != "internal/gen/bonghwa/log/v1"
		},
		broken: source{"internal/kernel", "apply.go", []string{"internal/chat"}},
	},
	{
		name: "a domain imports no other domain",
		why:  "one failing service never takes another down; what two domains share goes through the log",
		from: func(s source) bool { return domainOf(s.dir) != "" },
		refuse: func(imp string) bool {
			return domainOf(imp) != ""
		},
		broken: source{"internal/chat", "send.go", []string{"internal/people"}},
	},
	{
		name: "a domain imports neither log nor gateway",
		why:  "a domain is a pure state machine: it is given commands, a transaction and a time",
		from: func(s source) bool { return domainOf(s.dir) != "" && !s.test() },
		refuse: func(imp string) bool {
			return oneOf(imp, "internal/cluster", "internal/gateway", "internal/server", "client")
		},
		broken: source{"internal/people", "apply.go", []string{"internal/gateway"}},
	},
	{
		name: "a domain imports no public schema",
		why:  "commands are kept for ever and mapped by hand: a changed rule of the API must never change a replay",
		from: func(s source) bool { return domainOf(s.dir) != "" && !s.test() },
		refuse: func(imp string) bool {
			return oneOf(imp, "internal/gen/bonghwa/api", "internal/gen/bonghwa/live", "buf.build/go/protovalidate")
		},
		broken: source{"internal/chat", "decode.go", []string{"internal/gen/bonghwa/api/v1"}},
	},
	{
		name:   "a domain imports no randomness and no I/O",
		why:    "Apply gives the same view at every site",
		from:   func(s source) bool { return s.dir == domainOf(s.dir) && domainOf(s.dir) != "" && !s.test() },
		refuse: func(imp string) bool { return oneOf(imp, "math/rand", "os", "net", "syscall") },
		broken: source{"internal/chat", "apply.go", []string{"math/rand/v2"}},
	},
	{
		name: "the gateway is imported only by what puts a server together",
		why:  "the gateway calls every domain and nothing calls the gateway",
		from: func(s source) bool {
			return !s.test() && !oneOf(s.dir, "internal/gateway", "internal/server", "internal/sim", "cmd")
		},
		refuse: func(imp string) bool { return within(imp, "internal/gateway") },
		broken: source{"internal/chat", "events.go", []string{"internal/gateway"}},
	},
	{
		name: "the client imports its core, the public schema and the ids only",
		why:  "what a stranger can write from docs/protocol.md is all that our own client needs",
		from: func(s source) bool { return oneOf(s.dir, "client", "internal/clientcore") && !s.test() },
		refuse: func(imp string) bool {
			return ours(imp) && !oneOf(imp, "client", "internal/clientcore", "internal/ids", "internal/text",
				"internal/gen/bonghwa/api", "internal/gen/bonghwa/live")
		},
		broken: source{"client", "outbox.go", []string{"internal/kernel"}},
	},
	{
		name:   "the core of the client imports no I/O",
		why:    "the simulation drives the same core as the public client, with losses and restarts",
		from:   func(s source) bool { return within(s.dir, "internal/clientcore") && !s.test() },
		refuse: func(imp string) bool { return oneOf(imp, "os", "net", "syscall", "crypto/rand", "sync") },
		broken: source{"internal/clientcore", "core.go", []string{"net/http"}},
	},
	{
		name:   "the client and its tests never see commands of the log",
		why:    "the log's schema is private to the servers of a cell",
		from:   func(s source) bool { return oneOf(s.dir, "client", "internal/clientcore") },
		refuse: func(imp string) bool { return within(imp, "internal/gen/bonghwa/log") },
		broken: source{"client", "client_test.go", []string{"internal/gen/bonghwa/log/v1"}},
	},
	{
		name:   "a server is put together only by the command",
		why:    "parts are given what they need; none of them reaches for the whole",
		from:   func(s source) bool { return !s.test() && !oneOf(s.dir, "internal/server", "cmd", "bench", "drill") },
		refuse: func(imp string) bool { return within(imp, "internal/server") },
		broken: source{"internal/gateway", "ready.go", []string{"internal/server"}},
	},
	{
		name:   "the people of the demo are clients like any other",
		why:    "what they do, everybody can do; the operator's calls are handed to them",
		from:   func(s source) bool { return within(s.dir, "internal/demo") && !s.test() },
		refuse: func(imp string) bool { return ours(imp) && !within(imp, "client") },
		broken: source{"internal/demo", "run.go", []string{"internal/server"}},
	},
	{
		name:   "what serves the web client knows nothing of the system",
		why:    "pages are files; everything else goes through the public schema",
		from:   func(s source) bool { return within(s.dir, "web") && !s.test() },
		refuse: func(imp string) bool { return ours(imp) && !within(imp, "web") },
		broken: source{"web", "site.go", []string{"internal/gateway"}},
	},
	{
		name:   "the status page imports nothing else of the module",
		why:    "what it is not given it cannot tell the public; the server shows it what it may",
		from:   func(s source) bool { return within(s.dir, "internal/status") && !s.test() },
		refuse: ours,
		broken: source{"internal/status", "page.go", []string{"internal/kernel"}},
	},
	{
		name:   "internal/ids imports the standard library only",
		why:    "everything stands on it, the public client too",
		from:   func(s source) bool { return within(s.dir, "internal/ids") },
		refuse: func(imp string) bool { return ours(imp) || strings.Contains(strings.Split(imp, "/")[0], ".") },
		broken: source{"internal/ids", "ids.go", []string{"google.golang.org/protobuf/proto"}},
	},
	{
		name:   "internal/text imports nothing else of the module",
		why:    "server and client agree on what people may write",
		from:   func(s source) bool { return within(s.dir, "internal/text") && !s.test() },
		refuse: func(imp string) bool { return ours(imp) && !within(imp, "internal/text") },
		broken: source{"internal/text", "text.go", []string{"internal/chat"}},
	},
}

func TestImports(t *testing.T) {
	files := sources(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if len(broken(r, []source{r.broken})) == 0 {
				t.Errorf("the rule does not refuse its own example %v", r.broken)
			}
			for _, b := range broken(r, files) {
				t.Errorf("%s\n\tbecause %s", b, r.why)
			}
		})
	}
}

// Domain code takes time from the entry and the core of the client from its driver: a look at the clock would differ
// from site to site, and on every replay.
func TestPureCodeReadsNoClock(t *testing.T) {
	for _, dir := range append([]string{"internal/clientcore"}, domains...) {
		for _, f := range parse(t, dir, parser.SkipObjectResolution) {
			ast.Inspect(f.file, func(n ast.Node) bool {
				if call := clock(n); call != "" && !strings.HasSuffix(f.name, "_test.go") {
					t.Errorf("%s uses %s: time is given to it", f.name, call)
				}
				return true
			})
		}
	}
}

func clock(n ast.Node) string {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	pkg, ok := sel.X.(*ast.Ident)
	if !ok || pkg.Name != "time" {
		return ""
	}
	switch sel.Sel.Name {
	case "Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker":
		return "time." + sel.Sel.Name
	}
	return ""
}

// broken lists the imports that the rule refuses.
func broken(r rule, files []source) (found []string) {
	for _, s := range files {
		if !r.from(s) {
			continue
		}
		for _, imp := range s.imports {
			if r.refuse(imp) && !(domainOf(s.dir) != "" && domainOf(s.dir) == domainOf(imp)) {
				found = append(found, fmt.Sprintf("%s imports %s", path.Join(s.dir, s.name), imp))
			}
		}
	}
	return found
}

// ours says whether imp is a directory of the module. Outside packages have a dot in their first element, the
// standard library has none: neither begins with one of our top directories.
func ours(imp string) bool {
	return oneOf(imp, "internal", "client", "cmd", "bench", "drill", "e2e", "web")
}

func domainOf(dir string) string {
	for _, d := range domains {
		if within(dir, d) {
			return d
		}
	}
	return ""
}

func within(dir, top string) bool { return dir == top || strings.HasPrefix(dir, top+"/") }

func oneOf(dir string, tops ...string) bool {
	for _, top := range tops {
		if within(dir, top) {
			return true
		}
	}
	return false
}

// sources reads the imports of every hand-written Go file of the module.
func sources(t *testing.T) (files []source) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(p, root), string(filepath.Separator)))
		if strings.HasPrefix(d.Name(), ".") && rel != "" || d.Name() == "node_modules" || d.Name() == "testdata" || rel == "internal/gen" || rel == "tools" {
			return filepath.SkipDir
		}
		for _, f := range parse(t, rel, parser.ImportsOnly) {
			s := source{dir: rel, name: path.Base(f.name)}
			for _, spec := range f.file.Imports {
				imp, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				s.imports = append(s.imports, strings.TrimPrefix(imp, module))
			}
			files = append(files, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 5 {
		t.Fatalf("only %d Go files were found under %s", len(files), root)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].dir+files[i].name < files[j].dir+files[j].name })
	return files
}

type parsed struct {
	name string
	file *ast.File
}

func parse(t *testing.T, dir string, mode parser.Mode) (out []parsed) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, mode)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parsed{filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator))), f})
	}
	return out
}
