// Rows and lines of rooms: each row is told once and in order. Rows that are missing in a room that a model holds rows of
// are read from history, up to maxGap; elsewhere, and after a longer absence, the line tells how far the room is and rows go
// on after it.
import type { Message, Position, Room } from '../inner.ts'
import { end } from './conn.ts'
import type { Failure, HistoryPage, HistoryRequest } from './frames.ts'
import { failure, less } from './frames.ts'
import type { Fetch, Inside, Open, Track } from './inside.ts'
import { historyPage, linesEvery, maxFetches, maxFindPages, maxGap, maxPending, ownRowWait, refusalOf } from './inside.ts'
import { advance, isText, read } from './lines.ts'
import { nothing, settle } from './outbox.ts'
import { renew } from './renew.ts'
import type { Answered } from './send.ts'
import { later, markRead } from './send.ts'

const watched = (s: Inside, id: string): boolean => s.watches.has(id) || s.views.includes(id)

/** trackOf begins where the line known here ends. */
export function trackOf(s: Inside, id: string): Track {
  let t = s.tracks.get(id)
  if (t) return t
  const l = s.lines.get(id)
  t = {
    id, rebase: !l, delivered: l?.lastSeq ?? 0, head: l?.lastSeq ?? 0, joined: l?.joinedSeq ?? 0, ord: 0, ordKnown: false,
    changed: l?.changed ?? null, queued: false, fetching: false, attempts: 0, retryAt: 0, pending: [],
  }
  if (l) countAt(t, l)
  s.tracks.set(id, t)
  return t
}

/** countAt takes the count of messages by people from a line that ends where the rows told end. */
function countAt(t: Track, l: Room): void {
  if (t.delivered !== l.lastSeq || (!l.last && l.joinedSeq > 1)) return
  t.ord = l.last?.ord ?? 0
  t.ordKnown = !l.last || l.last.ord > 0
}

/** watch says that a model holds the rows of a room up to seq and wants each that follows. seq counts if nothing has been
    told of the room so far; else rows go on where they are, and the model reads the rest itself. */
export function watch(s: Inside, now: number, id: string, seq: number): void {
  s.watches.add(id)
  const known = s.tracks.has(id)
  const t = trackOf(s, id)
  if (known || seq <= 0) return
  t.rebase = false
  t.delivered = seq
  t.ordKnown = false
  head(s, now, t, t.head)
  pumpFetches(s, now)
}

/** takeLines takes lines of the list from the server. */
export function takeLines(s: Inside, now: number, rooms: readonly Room[]): void {
  const fresh = rooms.filter((l) => !outdated(l, s.lines.get(l.id))).map((l) => {
    // An own read mark may be on its way: what was read here stays read.
    const known = s.lines.get(l.id)
    const seq = known?.joinedSeq === l.joinedSeq ? Math.min(known.readSeq, l.lastSeq) : 0
    if (seq <= l.readSeq) return l
    // Or it never got there.
    markRead(s, l.id, seq)
    return { ...read(l, seq), owed: true as const }
  })
  s.tell({ t: 'rooms', rooms: fresh })
  for (const l of fresh) takeLine(s, now, l)
  pumpFetches(s, now)
}

/** outdated: a line that was read before what is known came by another way, as while two connections are open. */
function outdated(l: Room, known: Room | undefined): boolean {
  if (!known) return false
  return less(l.changed, known.changed) || (l.lastSeq < known.lastSeq && !(l.group && l.left))
}

function takeLine(s: Inside, now: number, l: Room): void {
  s.lines.set(l.id, l)
  soil(s, now, l.id)
  const t = s.tracks.get(l.id)
  if (!t) return // begins at this line when something happens there
  t.joined = l.joinedSeq
  if (l.changed) t.changed = l.changed
  if (l.left && l.group) {
    t.head = t.delivered // nothing more may be read
    t.pending = []
    return
  }
  head(s, now, t, l.lastSeq)
  countAt(t, l)
}

/** soil notes a line that is not stored as it is. */
export function soil(s: Inside, now: number, id: string): void {
  s.stale.add(id)
  if (s.linesAt === 0) s.linesAt = now + linesEvery
}

/** storeLines stores the lines that changed. */
export function storeLines(s: Inside): void {
  s.linesAt = 0
  for (const id of s.stale) {
    const room = s.lines.get(id)
    s.persist(room ? { t: 'line', room } : { t: 'lineGone', id }, false)
  }
  s.stale.clear()
}

/** headAt notes the head of a room in view. */
export function headAt(s: Inside, now: number, id: string, seq: number): void {
  head(s, now, trackOf(s, id), seq)
}

/** head notes how far a room is. */
function head(s: Inside, now: number, t: Track, seq: number): void {
  if (t.rebase) {
    t.rebase = false
    t.delivered = t.head = seq
    return
  }
  if (t.joined > 0 && t.delivered + 1 < t.joined) {
    t.delivered = t.joined - 1
    t.ordKnown = false
  }
  t.head = Math.max(t.head, seq)
  if (t.head > t.delivered) close(s, now, t)
}

/** close has the rows read that are missing, or leaves them out where no model holds rows. */
function close(s: Inside, now: number, t: Track): void {
  if (watched(s, t.id) && t.head - t.delivered <= maxGap) {
    queue(s, t)
    return
  }
  for (const m of t.pending) if (m.seq > t.delivered) deliver(s, now, t, m)
  t.pending = []
  if (t.delivered < t.head) {
    t.delivered = t.head
    t.ordKnown = false
  }
}

function queue(s: Inside, t: Track): void {
  if (t.queued || t.fetching) return
  t.queued = true
  s.behind.push(t)
}

/** takeMessage takes a new row. It is told if it is the next one; if not, the gap is closed first. */
export function takeMessage(s: Inside, now: number, m: Message, at: Position | null): void {
  const t = trackOf(s, m.room)
  changedBy(t, at)
  if (t.rebase) {
    t.rebase = false
    t.delivered = m.seq - 1
    t.ordKnown = m.seq === 1
  }
  if (m.seq <= t.delivered) return
  t.head = Math.max(t.head, m.seq)
  wait(t, m)
  drain(s, now, t)
  if (t.delivered >= t.head) return
  if ((s.scopes.get(t.id)?.inflight ?? 0) > 0) {
    // The rows that are missing may be one's own: no event tells of them, only the answers on their way. The wait is from the
    // first row after the gap: in a lively room the next one always comes within it.
    if (!t.queued) t.retryAt = Math.max(t.retryAt, now + ownRowWait)
    queue(s, t)
  } else {
    close(s, now, t)
  }
}

/** ownRow takes the row of an own message from its answer: the session that sends a message is not told of it again. */
export function ownRow(s: Inside, now: number, it: Open, a: Answered): void {
  const id = a.room || it.op.room || ''
  if (a.repeated) {
    // The answer's time is not the row's: history has it.
    const t = trackOf(s, id)
    changedBy(t, a.position)
    head(s, now, t, a.seq)
    pumpFetches(s, now)
    return
  }
  takeMessage(s, now, {
    room: id, seq: a.seq, kind: 'text', author: s.user, time: a.time, ord: 0, text: it.op.text ?? '', replyTo: it.op.replyTo ?? 0,
    edited: 0, deleted: false, target: 0, reaction: 0, users: [], reactions: [], myReaction: 0, changed: null,
    n: it.device === s.device ? it.n : 0,
  }, a.position)
}

/** changedBy notes that what is known of the room is as of a position: history is asked for nothing older. */
function changedBy(t: Track, at: Position | null): void {
  if (at && less(t.changed, at)) t.changed = at
}

/** wait keeps a row until those before it are there. What does not fit is read from history. */
function wait(t: Track, m: Message): void {
  let i = t.pending.length
  while (i > 0 && (t.pending[i - 1]?.seq ?? 0) >= m.seq) i--
  if (t.pending[i]?.seq === m.seq || i >= maxPending) return
  t.pending.splice(i, 0, m)
  t.pending.length = Math.min(t.pending.length, maxPending)
}

function deliver(s: Inside, now: number, t: Track, m: Message): void {
  const next = m.seq === t.delivered + 1
  const ord = m.ord > 0 ? m.ord : next && t.ordKnown ? t.ord + (isText(m) ? 1 : 0) : 0
  t.delivered = m.seq
  t.head = Math.max(t.head, m.seq)
  t.ord = ord
  t.ordKnown = m.ord > 0 || (next && t.ordKnown)
  const told = ord === m.ord ? m : { ...m, ord }
  const l = s.lines.get(t.id)
  if (l) {
    const after = advance(l, told, s.user)
    if (after !== l) {
      s.lines.set(t.id, after)
      soil(s, now, t.id)
    }
  }
  s.tell({ t: 'message', message: told })
}

/** drain tells what is next among the rows that wait. */
function drain(s: Inside, now: number, t: Track): void {
  while (t.pending[0] && t.pending[0].seq <= t.delivered + 1) {
    const m = t.pending.shift()
    if (m?.seq === t.delivered + 1) deliver(s, now, t, m)
  }
}

/** pumpFetches asks for what is missing. */
export function pumpFetches(s: Inside, now: number): void {
  s.wakeFetch = 0
  if (!s.cur) return
  const rest: Track[] = []
  for (const t of s.behind) {
    if (t.delivered >= t.head) {
      t.queued = false
    } else if (t.retryAt > now) {
      if (s.wakeFetch === 0 || t.retryAt < s.wakeFetch) s.wakeFetch = t.retryAt
      rest.push(t)
    } else if (!watched(s, t.id) || t.head - t.delivered > maxGap) {
      t.queued = false
      close(s, now, t)
    } else if (s.fetches.size >= maxFetches) {
      rest.push(t)
    } else {
      t.queued = false
      t.fetching = true
      // Another site than the one that told of the change may be asked: it must have got as far as that.
      ask(s, { track: t, item: null, page: 0 }, { room: t.id, from: t.delivered + 1, backward: false, limit: historyPage, atLeast: t.changed })
    }
  }
  s.behind = rest
}

function ask(s: Inside, f: Omit<Fetch, 'site'>, request: HistoryRequest): void {
  const atLeast = !request.atLeast || less(request.atLeast, s.seen) ? s.seen : request.atLeast
  const id = ++s.nextFetch
  s.fetches.set(id, { ...f, site: s.httpSite })
  s.emit({ t: 'fetch', id, site: s.httpSite, request: { ...request, atLeast } })
}

/** retryFetches: a new connection, a new chance. What was asked of the site before, which may never answer, is asked here. */
export function retryFetches(s: Inside, now: number): void {
  for (const [id, f] of [...s.fetches]) {
    if (f.site === s.httpSite) continue
    s.fetches.delete(id)
    if (f.item) found(s, now, f.item, f.page, null, null)
    else if (f.track) filled(s, now, f.track, null, null)
  }
  for (const t of s.behind) t.retryAt = t.attempts = 0
}

/** fetched takes an answer of history: the page, or a failure, or neither if no answer came. */
export function fetched(s: Inside, now: number, id: number, page: HistoryPage | null, f: Failure | null): void {
  const ft = s.fetches.get(id)
  if (!ft) return
  s.fetches.delete(id)
  if (!page && !f) s.httpSite = s.after(s.httpSite)
  if (f && (f.reason === 'unauthenticated' || f.reason === 'session_revoked')) end(s, now, refusalOf(f))
  else if (ft.item) found(s, now, ft.item, ft.page, page, f)
  else if (ft.track) filled(s, now, ft.track, page, f)
}

function filled(s: Inside, now: number, t: Track, page: HistoryPage | null, f: Failure | null): void {
  t.fetching = false
  if (s.tracks.get(t.id) !== t) return // dropped by a restore meanwhile
  if (!page) {
    if (f && !f.again && (f.reason === 'not_member' || f.reason === 'unknown_room')) {
      t.head = t.delivered
      t.pending = []
      return
    }
    t.attempts++
    t.retryAt = now + (f?.retryAfterMs ?? 0) + s.jitter(t.attempts)
    if (t.head > t.delivered) queue(s, t)
    return
  }
  if (page.joinedSeq > t.delivered + 1) {
    t.delivered = page.joinedSeq - 1
    t.ordKnown = false
  }
  changedBy(t, page.position)
  const before = t.delivered
  for (const m of page.messages) if (m.seq === t.delivered + 1) deliver(s, now, t, m)
  drain(s, now, t)
  t.head = Math.max(t.head, page.lastSeq)
  if (t.head <= t.delivered) {
    t.attempts = t.retryAt = 0
    return
  }
  if (t.delivered === before) {
    // The site does not have it yet.
    t.attempts++
    t.retryAt = now + s.jitter(t.attempts)
  }
  queue(s, t)
}

/** dropRooms forgets all rooms: the server was restored. */
export function dropRooms(s: Inside): void {
  for (const id of s.lines.keys()) s.stale.add(id)
  s.lines.clear()
  s.tracks.clear()
  s.marks = []
  s.behind = []
  for (const id of [...s.views, ...s.watches]) trackOf(s, id)
  s.tell({ t: 'rolledBack', cut: null })
}

/** readUp notes an own read mark in the line. owed: the server does not know of it yet. */
export function readUp(s: Inside, now: number, id: string, seq: number, owed: boolean): void {
  const l = s.lines.get(id)
  if (!l || seq <= l.readSeq) return
  const { owed: _owed, ...after } = read(l, seq)
  putLine(s, now, owed ? { ...after, owed } : after)
}

/** confirmed: the server has the own mark of a room, or will not have it. */
export function confirmed(s: Inside, now: number, id: string): void {
  const l = s.lines.get(id)
  if (!l?.owed) return
  const { owed: _owed, ...rest } = l
  putLine(s, now, rest)
}

export function putLine(s: Inside, now: number, l: Room): void {
  s.lines.set(l.id, l)
  soil(s, now, l.id)
}

/** find looks for the row of an item that is known to be decided, by its own (device, n): the author sees it on the device
    that sent it. Names and sequence numbers grow together, so an own lower name ends the search. */
export function find(s: Inside, it: Open): void {
  it.finding = true
  ask(s, { track: null, item: it, page: 0 }, { room: it.op.room ?? '', from: 0, backward: true, limit: historyPage, atLeast: null })
}

/** isItem: a row under the name of an item is that item; otherwise a copy of this profile has used the name. */
function isItem(m: Message, it: Open): boolean {
  if (it.op.kind !== 'send' || m.edited > 0 || m.deleted) return true
  return m.kind === 'text' && m.text === (it.op.text ?? '').normalize('NFC')
}

function found(s: Inside, now: number, it: Open, at: number, page: HistoryPage | null, f: Failure | null): void {
  if (s.items.get(it.id) !== it) return
  it.finding = false
  const lost = refusalOf(failure('already_in', { subject: it.op.room ?? '' }))
  if (!page) {
    if (f && !f.again) settle(s, now, it, { ...nothing, refusal: lost })
    else later(s, now, it.scope, f?.retryAfterMs ?? 0) // the item itself asks again
    return
  }
  let ended = page.messages.length === 0 || at >= maxFindPages
  for (const m of [...page.messages].reverse()) {
    if (m.n === it.n) {
      if (!isItem(m, it)) return renew(s, now, failure('id_reused'))
      settle(s, now, it, { ...nothing, seq: m.seq, time: m.time, room: m.room })
      return
    }
    if ((m.n !== 0 && m.n < it.n) || m.seq <= page.joinedSeq || m.seq <= 1) ended = true
  }
  const first = page.messages[0]
  if (ended || !first) {
    settle(s, now, it, { ...nothing, refusal: lost })
    return
  }
  it.finding = true
  ask(s, { track: null, item: it, page: at + 1 }, { room: it.op.room ?? '', from: first.seq - 1, backward: true, limit: historyPage, atLeast: null })
}
