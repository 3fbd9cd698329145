package people

import (
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// everyCommand has one well-formed command of each operation.
func everyCommand() []*logv1.PeopleCommand {
	invited := cmdSignUp("mina")
	invited.GetSignUp().Invitation = secretBytes("door")
	return []*logv1.PeopleCommand{
		invited, cmdLogIn("mina", "2", "tablet", 1), cmdOneTime("mina", "2", 1), cmdAdmit("mina", "mina", "3", "watch"), cmdRenew("mina", "mina", "watch"),
		cmdRevokeDevices("mina", "phone", "watch"), cmdRevokeOthers("mina", "mina"), name(cmdRevokeAll("mina"), 7), cmdPassword("mina", "mina", "$new", 1),
		cmdProfile("mina", &logv1.SetProfile{DisplayName: proto.String("미나"), StatusMessage: proto.String(""), ProfileText: proto.String("봉화")}),
		cmdAdd("mina", "hana"), cmdRemove("mina", "hana"), cmdDelete("mina", 1), cmdReset("mina", "$code", start), cmdInvite("mina", "door", start, 3),
		cmdInvite("", "door", start, 3), cmdUninvite("mina", "door"), cmdUninvite("", "door"), cmdTouch("mina", "phone", 20000), cmdSkip(),
		cmdLabel("mina", "phone", "내 전화"), cmdEndAll(),
		cmdPhoto("mina", []byte("a jpeg")), cmdPhoto("mina", nil), cmdSimulated("mina"), cmdBefriend("mina", "hana", "dora"),
		cmdGrant("mina"), cmdTakeRole("mina"), cmdAct("mina", "drill_started", "seoul"), cmdAct("", "drained", "busan"), cmdDrill(aDrill()),
	}
}

func cmdSkip() *logv1.PeopleCommand {
	return name(&logv1.PeopleCommand{User: userBytes("mina"), Op: &logv1.PeopleCommand_Skip{Skip: &logv1.Skip{}}}, 3)
}

func TestDecodeKnowsEveryOperation(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range everyCommand() {
		c := newWorld(t).decode(m)
		what := opName(m)
		seen[what] = true
		if c.IsSkip() != (what == "skip") {
			t.Errorf("%s: skip %v", what, c.IsSkip())
		}
		scope, n := c.Named()
		if (n != nil) != (m.Name != nil) || n != nil && string(scope) != string(m.User) {
			t.Errorf("%s: scope %x, name %v", what, scope, n)
		}
	}
	fields := (&logv1.PeopleCommand{}).ProtoReflect().Descriptor().Oneofs().ByName("op").Fields()
	for i := range fields.Len() {
		if name := string(fields.Get(i).Name()); !seen[name] {
			t.Errorf("%s has no command in this test", name)
		}
	}
}

// Commands lie in logs and archives: the bytes in the file were written once and must decode to the same for ever. New
// operations are added to the file with -update.
func TestGoldenCommands(t *testing.T) {
	const file = "testdata/commands.golden"
	if *update {
		var b strings.Builder
		b.WriteString("# operation, bytes: one command of each kind, in the order of everyCommand. Decoded by TestGoldenCommands.\n")
		for _, m := range everyCommand() {
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %x\n", opName(m), raw)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")[1:]
	all := everyCommand()
	if len(lines) != len(all) {
		t.Fatalf("%d commands in the file, %d here", len(lines), len(all))
	}
	w := newWorld(t)
	for i, line := range lines {
		what, text, _ := strings.Cut(line, " ")
		raw, err := hex.DecodeString(text)
		if err != nil || what != opName(all[i]) {
			t.Fatalf("line %d: %s, %v", i+2, what, err)
		}
		got, err := w.d.Decode(raw)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if want := w.decode(all[i]); !reflect.DeepEqual(got, want) {
			t.Errorf("%s decodes to %+v, want %+v", what, got, want)
		}
	}
}

func opName(m *logv1.PeopleCommand) string {
	return string(m.ProtoReflect().WhichOneof(m.ProtoReflect().Descriptor().Oneofs().ByName("op")).Name())
}

func TestDecodeName(t *testing.T) {
	m := cmdAdd("mina", "hana")
	m.Name = &logv1.Name{Device: deviceBytes("phone"), N: 9, Tag: []byte("abcdefgh"), Base: 4}
	_, n := newWorld(t).decode(m).Named()
	if want := (kernel.Name{Device: deviceOf("phone"), N: 9, Tag: [8]byte([]byte("abcdefgh")), Base: 4}); *n != want {
		t.Fatalf("%+v, want %+v", *n, want)
	}
}

func TestMalformed(t *testing.T) {
	long := func(n int) string { return strings.Repeat("가", n) }
	for what, change := range map[string]func() *logv1.PeopleCommand{
		"no operation": func() *logv1.PeopleCommand { return &logv1.PeopleCommand{User: userBytes("mina")} },
		"no user":      func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.User = nil; return m },
		"short user":   func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.User = m.User[:9]; return m },
		"the zero user": func() *logv1.PeopleCommand {
			m := cmdInvite("mina", "x", start, 1)
			m.User = make([]byte, 10)
			return m
		},
		"operator, named":    func() *logv1.PeopleCommand { return name(cmdInvite("", "x", start, 1), 1) },
		"user, unnamed":      func() *logv1.PeopleCommand { m := cmdUninvite("mina", "x"); m.Name = nil; return m },
		"friend, unnamed":    func() *logv1.PeopleCommand { m := cmdAdd("mina", "hana"); m.Name = nil; return m },
		"skip, unnamed":      func() *logv1.PeopleCommand { m := cmdSkip(); m.Name = nil; return m },
		"sign-up, named":     func() *logv1.PeopleCommand { return name(cmdSignUp("mina"), 1) },
		"touch, named":       func() *logv1.PeopleCommand { return name(cmdTouch("mina", "phone", 1), 1) },
		"end all, with user": func() *logv1.PeopleCommand { m := cmdEndAll(); m.User = userBytes("mina"); return m },
		"end all, named":     func() *logv1.PeopleCommand { return name(cmdEndAll(), 1) },
		"short device":       func() *logv1.PeopleCommand { m := cmdAdd("mina", "hana"); m.Name.Device = m.Name.Device[:15]; return m },
		"photo, unnamed":     func() *logv1.PeopleCommand { m := cmdPhoto("mina", nil); m.Name = nil; return m },
		"a large photo":      func() *logv1.PeopleCommand { return cmdPhoto("mina", make([]byte, MaxPhoto+1)) },
		"simulated, named":   func() *logv1.PeopleCommand { return name(cmdSimulated("mina"), 1) },
		"befriend, named":    func() *logv1.PeopleCommand { return name(cmdBefriend("mina", "hana"), 1) },
		"befriend nobody":    func() *logv1.PeopleCommand { return cmdBefriend("mina") },
		"befriend too many":  func() *logv1.PeopleCommand { return cmdBefriend("mina", make([]string, MaxBefriend+1)...) },
		"grant with a user":  func() *logv1.PeopleCommand { m := cmdGrant("mina"); m.User = userBytes("hana"); return m },
		"grant to nobody":    func() *logv1.PeopleCommand { m := cmdGrant("mina"); m.GetGrantRole().Whom = nil; return m },
		"grant of nothing":   func() *logv1.PeopleCommand { m := cmdGrant("mina"); m.GetGrantRole().Role = ""; return m },
		"revoke, named":      func() *logv1.PeopleCommand { return name(cmdTakeRole("mina"), 1) },
		"act, named":         func() *logv1.PeopleCommand { return name(cmdAct("mina", "drained", ""), 1) },
		"act without a word": func() *logv1.PeopleCommand { return cmdAct("", "", "busan") },
		"act on too much":    func() *logv1.PeopleCommand { return cmdAct("", "drained", long(121)) },
		"drill by a person":  func() *logv1.PeopleCommand { m := cmdDrill(aDrill()); m.User = userBytes("mina"); return m },
		"drill of nothing":   func() *logv1.PeopleCommand { m := cmdDrill(aDrill()); m.GetRecordDrill().Scenario = ""; return m },
		"short tag":          func() *logv1.PeopleCommand { m := cmdAdd("mina", "hana"); m.Name.Tag = m.Name.Tag[:7]; return m },
		"long tag":           func() *logv1.PeopleCommand { m := cmdAdd("mina", "hana"); m.Name.Tag = []byte("123456789"); return m },
		"n 0":                func() *logv1.PeopleCommand { m := cmdAdd("mina", "hana"); m.Name.N, m.Name.Base = 0, 0; return m },
		"base 0":             func() *logv1.PeopleCommand { m := cmdAdd("mina", "hana"); m.Name.Base = 0; return m },
		"base above n":       func() *logv1.PeopleCommand { m := cmdAdd("mina", "hana"); m.Name.Base = 2; return m },
		"upper-case handle":  func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.GetSignUp().Handle = "Mina"; return m },
		"short handle":       func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.GetSignUp().Handle = "min"; return m },
		"long handle": func() *logv1.PeopleCommand {
			m := cmdSignUp("mina")
			m.GetSignUp().Handle = strings.Repeat("m", 21)
			return m
		},
		"handle with a dash": func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.GetSignUp().Handle = "mi-na"; return m },
		"no name":            func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.GetSignUp().DisplayName = ""; return m },
		"long name":          func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.GetSignUp().DisplayName = long(31); return m },
		"no phc":             func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.GetSignUp().Phc = ""; return m },
		"long phc": func() *logv1.PeopleCommand {
			m := cmdSignUp("mina")
			m.GetSignUp().Phc = strings.Repeat("$", 513)
			return m
		},
		"short token": func() *logv1.PeopleCommand {
			m := cmdSignUp("mina")
			m.GetSignUp().TokenHash = make([]byte, 31)
			return m
		},
		"long sign-up device": func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.GetSignUp().Device = make([]byte, 17); return m },
		"long label":          func() *logv1.PeopleCommand { m := cmdSignUp("mina"); m.GetSignUp().DeviceLabel = long(41); return m },
		"short invitation": func() *logv1.PeopleCommand {
			m := cmdSignUp("mina")
			m.GetSignUp().Invitation = make([]byte, 31)
			return m
		},
		"no confirming token": func() *logv1.PeopleCommand {
			m := cmdAdmit("mina", "a", "b", "c")
			m.GetAdmitDevice().By = nil
			return m
		},
		"short spared token": func() *logv1.PeopleCommand {
			m := cmdRevokeOthers("mina", "a")
			m.GetRevokeSessions().AllBut = make([]byte, 1)
			return m
		},
		"short revoked": func() *logv1.PeopleCommand {
			m := cmdRevokeDevices("mina", "a")
			m.GetRevokeSessions().Devices[0] = make([]byte, 1)
			return m
		},
		"nothing kept": func() *logv1.PeopleCommand {
			m := cmdPassword("mina", "a", "$", 1)
			m.GetChangePassword().Keep = nil
			return m
		},
		"empty name": func() *logv1.PeopleCommand {
			return cmdProfile("mina", &logv1.SetProfile{DisplayName: proto.String("")})
		},
		"long status": func() *logv1.PeopleCommand {
			return cmdProfile("mina", &logv1.SetProfile{StatusMessage: proto.String(long(61))})
		},
		"long text": func() *logv1.PeopleCommand {
			return cmdProfile("mina", &logv1.SetProfile{ProfileText: proto.String(long(2001))})
		},
		"short friend": func() *logv1.PeopleCommand {
			m := cmdAdd("mina", "hana")
			m.GetAddFriend().Other = make([]byte, 9)
			return m
		},
		"short ex-friend": func() *logv1.PeopleCommand { m := cmdRemove("mina", "hana"); m.GetRemoveFriend().Other = nil; return m },
		"no code":         func() *logv1.PeopleCommand { return cmdReset("mina", "", start) },
		"short secret": func() *logv1.PeopleCommand {
			m := cmdInvite("mina", "x", start, 1)
			m.GetCreateInvitation().SecretHash = make([]byte, 31)
			return m
		},
		"no secret": func() *logv1.PeopleCommand {
			m := cmdUninvite("mina", "x")
			m.GetRevokeInvitation().SecretHash = nil
			return m
		},
		"short touched": func() *logv1.PeopleCommand {
			m := cmdTouch("mina", "x", 1)
			m.GetTouch().Device = make([]byte, 15)
			return m
		},
		"empty new label": func() *logv1.PeopleCommand { return cmdLabel("mina", "phone", "") },
	} {
		b, err := proto.Marshal(change())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(testCell).Decode(b); err == nil {
			t.Errorf("%s: decoded", what)
		}
	}

	// An operation of a newer binary: replay must stop, not skip it.
	newer := protowire.AppendTag(nil, 2, protowire.BytesType)
	newer = protowire.AppendBytes(newer, userBytes("mina"))
	newer = protowire.AppendTag(newer, 99, protowire.BytesType)
	newer = protowire.AppendBytes(newer, nil)
	if _, err := New(testCell).Decode(newer); err == nil {
		t.Error("an unknown operation is decoded")
	}
	if _, err := New(testCell).Decode([]byte{0xff}); err == nil {
		t.Error("noise is decoded")
	}
}

// The largest texts that are taken; a limit that shrinks would stop the replay of a log that has them.
func TestLargestTexts(t *testing.T) {
	long := func(n int) string { return strings.Repeat("\U0001F525", n) }
	w := newWorld(t)
	m := cmdSignUp("mina")
	p := m.GetSignUp()
	p.Handle, p.DisplayName, p.DeviceLabel, p.Phc = "abcdefghij0123456._z", long(30), long(40), strings.Repeat("$", 512)
	w.want(kernel.OK, m)
	w.want(kernel.OK, cmdProfile("mina", &logv1.SetProfile{DisplayName: proto.String(long(30)), StatusMessage: proto.String(long(60)), ProfileText: proto.String(long(2000))}))
	w.want(kernel.OK, cmdLabel("mina", "phone", long(40)))
	for _, key := range w.tx.keys {
		if err := w.d.CheckRow([]byte(key), w.tx.rows[key]); err != nil {
			t.Errorf("row %c: %v", key[0], err)
		}
	}
}

// Errors reach logs: they name a field and repeat nothing.
func TestErrorsKeepSecrets(t *testing.T) {
	m := cmdSignUp("mina")
	m.GetSignUp().Handle, m.GetSignUp().Phc = "SECRET", strings.Repeat("SECRET", 100)
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = New(testCell).Decode(b); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Fatalf("%v", err)
	}
}

// FuzzDecode: whatever decodes can be applied.
func FuzzDecode(f *testing.F) {
	for _, m := range everyCommand() {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWorld(t)
		c, err := w.d.Decode(b)
		if err != nil {
			return
		}
		w.want(kernel.OK, cmdSignUp("mina"))
		w.want(kernel.OK, cmdSignUp("hana"))
		v := w.d.Apply(&kernel.Apply{Tx: w.tx, Time: start}, c)
		if strings.HasPrefix(v.Code.String(), "code ") {
			t.Fatalf("a verdict outside the list: %v", v.Code)
		}
		checkInvariants(t, w)
	})
}

// A command of another domain is refused, not dereferenced.
func TestForeignCommand(t *testing.T) {
	w := newWorld(t)
	if v := w.d.Apply(&kernel.Apply{Tx: w.tx, Time: start}, foreign{}); v.Code != kernel.Invalid {
		t.Fatalf("%v", v)
	}
	if u := (ids.User{}); len(Friends(w.tx, u)) != 0 {
		t.Fatal("the zero user has friends")
	}
}

type foreign struct{}

func (foreign) Named() ([]byte, *kernel.Name) { return nil, nil }
func (foreign) IsSkip() bool                  { return false }
