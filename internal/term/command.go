package term

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/client"
)

// commands by their Korean and English names.
var commands = map[string]func(a *app, ctx context.Context, rest string){
	"도움": (*app).help, "도움말": (*app).help, "help": (*app).help,
	"목록": (*app).listCmd, "list": (*app).listCmd,
	"열기": (*app).open, "open": (*app).open,
	"친구": (*app).friends, "friends": (*app).friends,
	"추가": (*app).add, "add": (*app).add,
	"이전": (*app).more, "more": (*app).more,
	"답장": (*app).reply, "reply": (*app).reply,
	"수정": (*app).edit, "edit": (*app).edit,
	"삭제": (*app).remove, "delete": (*app).remove,
	"공감": (*app).react, "react": (*app).react,
	"사람": (*app).people, "members": (*app).people,
	"그룹": (*app).group, "group": (*app).group,
	"초대": (*app).invite, "invite": (*app).invite,
	"이름": (*app).rename, "rename": (*app).rename,
	"방나가기": (*app).leave, "leave": (*app).leave,
	"알림": (*app).alerts, "mute": (*app).mute,
	"고정": (*app).pin, "pin": (*app).pin,
	"차단": (*app).block, "block": (*app).block,
	"차단해제": (*app).unblock, "unblock": (*app).unblock,
	"보낼글": (*app).outbox, "outbox": (*app).outbox,
	"취소": (*app).cancel, "cancel": (*app).cancel,
	"상태": (*app).status, "status": (*app).status,
	"비밀번호": (*app).password, "password": (*app).password,
	"기기": (*app).devices, "devices": (*app).devices,
	"초대장": (*app).invitation, "invitation": (*app).invitation,
}

// patience bounds how long a command waits; what it has put into the outbox goes on afterwards.
const patience = 15 * time.Second

// command carries out one line that begins with a slash.
func (a *app) command(ctx context.Context, text string) (quit bool) {
	word, rest, _ := strings.Cut(strings.TrimPrefix(text, "/"), " ")
	word, rest = strings.ToLower(word), strings.TrimSpace(rest)
	switch word {
	case "나가기", "quit", "exit":
		return true
	case "로그아웃", "logout":
		if err := a.c.LogOut(ctx); err != nil {
			a.failed(err)
			return false
		}
		return true
	}
	f := commands[word]
	if f == nil {
		a.s.Print(a.l.say("unknown", "/"+line(word)))
		return false
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f(a, short, rest)
	return false
}

func (a *app) failed(err error) { a.s.Print(a.l.say("failed", a.why(err))) }

// did reports a change.
func (a *app) did(_ client.Receipt, err error) {
	if err != nil {
		a.failed(err)
		return
	}
	a.s.Print(a.l.say("done"))
}

func (a *app) help(context.Context, string) { a.s.Print(a.l.say("help")) }

func (a *app) listCmd(ctx context.Context, _ string) { a.list(ctx) }

// list prints the chats with numbers.
func (a *app) list(ctx context.Context) {
	rooms, err := a.c.ListRooms(ctx)
	if err != nil {
		a.failed(err)
		return
	}
	var people []string
	for _, r := range rooms {
		people = append(people, r.Peer)
		if r.LastMessage != nil {
			people = append(people, r.LastMessage.Author)
		}
	}
	a.learn(ctx, people...)
	sort.SliceStable(rooms, func(i, j int) bool { return rooms[i].Pinned && !rooms[j].Pinned })
	a.mu.Lock()
	a.listed = nil
	for _, r := range rooms {
		a.rooms[r.ID] = r
		if !r.Left {
			a.listed = append(a.listed, r.ID)
		}
	}
	listed := a.listed
	a.mu.Unlock()
	if len(listed) == 0 {
		a.s.Print(a.l.say("norooms"))
		return
	}
	for i, id := range listed {
		a.s.Print(a.roomLine(i+1, id))
	}
}

func (a *app) roomLine(number int, id string) string {
	a.mu.Lock()
	r := a.rooms[id]
	a.mu.Unlock()
	marks := ""
	if r.Pinned {
		marks += "📌"
	}
	if r.Muted {
		marks += "🔕"
	}
	if r.Kind == client.Group {
		marks += fmt.Sprintf(" %d", r.Members)
	}
	s := fmt.Sprintf("%3d  %s", number, pad(a.title(id)+marks, 24))
	if r.Unread > 0 {
		s += fmt.Sprintf(" (%d)", min(r.Unread, 999))
	}
	if m := r.LastMessage; m != nil {
		text := line(m.Text)
		if m.Deleted {
			text = a.l.say("deleted")
		}
		if rs := []rune(text); len(rs) > 30 {
			text = string(rs[:30]) + "…"
		}
		s += "  " + a.l.clock(m.Time.Local()) + "  " + text
	}
	return s
}

// person finds somebody by handle.
func (a *app) person(ctx context.Context, handle string) (client.User, bool) {
	u, found, err := a.c.FindUser(ctx, handle)
	if err != nil {
		a.failed(err)
		return u, false
	}
	if !found {
		a.s.Print(a.l.say("nobody", line(handle)))
		return u, false
	}
	a.mu.Lock()
	a.names[u.ID] = u
	a.mu.Unlock()
	return u, true
}

func (a *app) persons(ctx context.Context, words []string) (list []string, ok bool) {
	for _, w := range words {
		u, ok := a.person(ctx, w)
		if !ok {
			return nil, false
		}
		list = append(list, u.ID)
	}
	return list, true
}

// open shows a room: by its number in the list, or a person by handle.
func (a *app) open(ctx context.Context, rest string) {
	if n, err := strconv.Atoi(rest); err == nil {
		a.mu.Lock()
		ok := n >= 1 && n <= len(a.listed)
		id := ""
		if ok {
			id = a.listed[n-1]
		}
		a.mu.Unlock()
		if ok {
			a.openRoom(ctx, id, "")
			return
		}
	}
	if rest == "" {
		a.s.Print(a.l.say("noroom", ""))
		return
	}
	u, ok := a.person(ctx, rest)
	if !ok {
		return
	}
	id, err := a.c.DirectRoom(u.ID)
	if err != nil {
		a.failed(err)
		return
	}
	a.openRoom(ctx, id, u.ID)
}

// openRoom makes a room the open one and shows its end.
func (a *app) openRoom(ctx context.Context, id, peer string) {
	a.mu.Lock()
	a.room, a.peer, a.oldest, a.newest, a.day = id, peer, 0, 0, ""
	a.ownLast, a.members = client.Message{}, map[string]client.Member{}
	a.mu.Unlock()
	a.s.Print(a.l.say("opened", a.title(id)))
	a.loadMembers(ctx, id)
	a.c.View(id)
	page, err := a.c.History(ctx, id, 0, true, 30)
	if err != nil {
		if r := client.ReasonOf(err); r != client.ReasonUnknownRoom && r != client.ReasonNotMember {
			a.failed(err)
		}
		return // a 1:1 that does not exist yet
	}
	a.mu.Lock()
	a.peer = ""
	if r, ok := a.rooms[id]; ok {
		r.Unread = 0
		a.rooms[id] = r
	} else if peer != "" {
		a.rooms[id] = client.Room{ID: id, Kind: client.Direct, Peer: peer, LastSeq: page.LastSeq, JoinedSeq: page.JoinedSeq}
	}
	a.mu.Unlock()
	a.page(ctx, page)
	if page.LastSeq > 0 {
		a.c.MarkRead(id, page.LastSeq)
	}
}

// loadMembers notes who is in the open room and how far each has read.
func (a *app) loadMembers(ctx context.Context, room string) {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := a.c.ListMembers(short, room)
	if err != nil {
		return // not a member, or a 1:1 that does not exist yet: no numbers are shown
	}
	var people []string
	members := map[string]client.Member{}
	a.mu.Lock()
	for _, m := range list {
		if m.User == a.me.ID {
			m.ReadSeq = 1 << 62 // what is shown here is read
		}
		members[m.User] = m
		people = append(people, m.User)
	}
	if a.room == room {
		a.members = members
	}
	a.mu.Unlock()
	a.learn(ctx, people...)
}

// page shows rows of the open room that are not shown yet.
func (a *app) page(ctx context.Context, page client.Page) {
	var people []string
	for _, m := range page.Messages {
		people = append(append(people, m.Author), m.Users...)
	}
	a.learn(ctx, people...)
	if len(page.Messages) > 0 && page.Messages[0].Seq > max(page.JoinedSeq, 1) {
		a.s.Print(a.l.say("more"))
	}
	for _, m := range page.Messages {
		a.mu.Lock()
		if a.oldest == 0 || m.Seq < a.oldest {
			a.oldest = m.Seq
		}
		a.newest = max(a.newest, m.Seq)
		if m.Kind == client.KindText && m.Author == a.me.ID && m.Seq > a.ownLast.Seq {
			a.ownLast = m
		}
		a.mu.Unlock()
		a.show(m)
	}
}

// current is the open room; ok is false, and the user told, if there is none.
func (a *app) current() (string, bool) {
	a.mu.Lock()
	room := a.room
	a.mu.Unlock()
	if room == "" {
		a.s.Print(a.l.say("notopen"))
	}
	return room, room != ""
}

func (a *app) more(ctx context.Context, _ string) {
	room, ok := a.current()
	if !ok {
		return
	}
	a.mu.Lock()
	from := a.oldest
	a.day = ""
	a.mu.Unlock()
	if from <= 1 {
		a.s.Print(a.l.say("nomore"))
		return
	}
	page, err := a.c.History(ctx, room, from-1, true, 30)
	switch {
	case err != nil:
		a.failed(err)
	case len(page.Messages) == 0 || page.Messages[len(page.Messages)-1].Seq >= from:
		a.s.Print(a.l.say("nomore"))
	default:
		a.page(ctx, page)
	}
}

func (a *app) friends(ctx context.Context, _ string) {
	list, err := a.c.Friends(ctx)
	if err != nil {
		a.failed(err)
		return
	}
	added, err := a.c.AddedMe(ctx)
	if err != nil {
		a.failed(err)
		return
	}
	if len(list) == 0 {
		a.s.Print(a.l.say("nofriends"))
	}
	show := func(u client.User) {
		a.s.Print("  " + pad(line(u.Name), 20) + " @" + pad(u.Handle, 20) + "  " + line(u.Status))
	}
	for _, u := range list {
		show(u)
	}
	if len(added) > 0 {
		a.s.Print(a.l.say("addedme"))
		for _, u := range added {
			show(u)
		}
	}
}

func (a *app) add(ctx context.Context, rest string) {
	u, ok := a.person(ctx, rest)
	if !ok {
		return
	}
	if _, err := a.c.AddFriend(ctx, u.ID); err != nil {
		a.failed(err)
		return
	}
	a.s.Print(a.l.say("added", a.l.josa(line(u.Name), "을", "를")))
}

// people shows who is in the open room and how far each has read.
func (a *app) people(ctx context.Context, _ string) {
	room, ok := a.current()
	if !ok {
		return
	}
	list, err := a.c.ListMembers(ctx, room)
	if err != nil {
		a.failed(err)
		return
	}
	var ids []string
	for _, m := range list {
		ids = append(ids, m.User)
	}
	a.learn(ctx, ids...)
	for _, m := range list {
		a.mu.Lock()
		handle := a.names[m.User].Handle
		a.mu.Unlock()
		a.s.Print(fmt.Sprintf("  %s @%s %d", pad(a.name(m.User), 20), pad(handle, 20), m.ReadSeq))
	}
}
