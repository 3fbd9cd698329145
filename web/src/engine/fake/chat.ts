// Rooms of the imitated server: what a change does, what a line and a row look like to a person.
import { directRoom, groupRoom, isDirect } from '../core/ids.ts'
import type { Message, Op, Room } from '../inner.ts'
import type { Data, MemberRow, RoomRow, Row, Verdict } from './data.ts'
import { blankMessage } from './data.ts'

/** Told is who must be told of what after a change. */
export interface Told {
  row(room: RoomRow, row: Row): void
  line(user: string, room: RoomRow): void
  read(room: RoomRow, user: string, seq: number): void
}

export interface Caller {
  readonly user: string
  readonly device: string
}

const ok = (seq: number, refused: string[] = []): Verdict => ({ reason: '', seq, time: 0, refused })
const no = (reason: string): Verdict => ({ reason, seq: 0, time: 0, refused: [] })

const member = (joinedSeq: number, changed: number): MemberRow => ({ joinedSeq, readSeq: joinedSeq - 1, left: false, muted: false, pinned: false, changed })

export const roomOf = (op: Op, user: string): string => op.room || directRoom(user, op.peer ?? '')

function direct(d: Data, id: string, user: string, peer: string): RoomRow {
  let r = d.rooms.get(id)
  if (!r) {
    r = { id, group: false, title: '', rows: [], ord: 0, changed: d.n, members: new Map() }
    for (const u of [user, peer]) r.members.set(u, member(1, d.n))
    d.rooms.set(id, r)
  }
  return r
}

/** add appends a row. */
function add(d: Data, r: RoomRow, who: Caller, n: number, told: Told, m: Message): number {
  if (m.kind === 'text') r.ord++
  const row: Row = { message: { ...m, room: r.id, seq: r.rows.length + 1, author: who.user, time: d.n, ord: r.ord }, device: who.device, n, by: new Map() }
  r.rows.push(row)
  r.changed = d.n
  told.row(r, row)
  return row.message.seq
}

/** change applies one change of a room and says what became of it. */
export function change(d: Data, who: Caller, n: number, op: Op, told: Told): Verdict {
  const id = roomOf(op, who.user)
  const here = d.rooms.get(id)
  const me = here?.members.get(who.user)
  if (op.kind === 'send' && isDirect(id)) return sendDirect(d, who, n, op, id, told)
  if (!here) return no('unknown_room')
  if (!me || (me.left && here.group)) return no('not_member')
  const target = op.seq ? here.rows[op.seq - 1] : undefined
  switch (op.kind) {
    case 'send':
      return ok(text(d, here, who, n, op, told))
    case 'edit':
    case 'delete':
      if (target?.message.kind !== 'text') return no('unknown_message')
      if (target.message.author !== who.user) return no('not_author')
      if (target.message.deleted) return no('deleted')
      target.message = op.kind === 'edit'
        ? { ...target.message, text: op.text ?? '', edited: d.n }
        : { ...target.message, text: '', deleted: true, reactions: [] }
      return ok(add(d, here, who, n, told, blankMessage(op.kind, { target: op.seq ?? 0, text: op.kind === 'edit' ? op.text ?? '' : '', changed: target.message })))
    case 'react': {
      if (target?.message.kind !== 'text') return no('unknown_message')
      const reaction = target.by.get(who.user) === op.reaction ? 0 : op.reaction ?? 0
      if (reaction === 0) target.by.delete(who.user)
      else target.by.set(who.user, reaction)
      const counts = [0, 0, 0, 0, 0, 0]
      for (const k of target.by.values()) counts[k - 1] = (counts[k - 1] ?? 0) + 1
      target.message = { ...target.message, reactions: target.by.size > 0 ? counts : [] }
      return ok(add(d, here, who, n, told, blankMessage('reaction', { target: op.seq ?? 0, reaction, changed: target.message })))
    }
    case 'rename':
      if (!here.group) return no('wrong_room_kind')
      here.title = op.text ?? ''
      return ok(add(d, here, who, n, told, blankMessage('renamed', { text: here.title })))
    case 'invite': {
      if (!here.group) return no('wrong_room_kind')
      const { users, refused } = sort(d, who.user, op.list ?? [])
      const fresh = users.filter((u) => here.members.get(u)?.left ?? true)
      if (fresh.length === 0) return ok(0, refused)
      const seq = here.rows.length + 1
      for (const u of fresh) here.members.set(u, member(seq, d.n))
      add(d, here, who, n, told, blankMessage('invited', { users: fresh }))
      for (const u of fresh) told.line(u, here)
      return ok(seq, refused)
    }
    case 'leave': {
      me.left = true
      me.pinned = false
      me.changed = d.n
      if (!here.group) {
        me.joinedSeq = here.rows.length + 1
        me.readSeq = here.rows.length
        told.line(who.user, here)
        return ok(0)
      }
      const seq = add(d, here, who, n, told, blankMessage('left', {}))
      told.line(who.user, here)
      return ok(seq)
    }
    case 'mute':
    case 'pin':
      if (op.kind === 'mute') me.muted = op.on ?? false
      else me.pinned = op.on ?? false
      me.changed = d.n
      told.line(who.user, here)
      return ok(0)
    default:
      return no('invalid')
  }
}

function sendDirect(d: Data, who: Caller, n: number, op: Op, id: string, told: Told): Verdict {
  const known = d.rooms.get(id)
  const peer = op.peer || [...(known?.members.keys() ?? [])].find((u) => u !== who.user) || (known ? who.user : '')
  const account = d.accounts.get(peer)
  if (!peer || !account || directRoom(who.user, peer) !== id) return no('unknown_room')
  if (account.closed || account.blocked.has(who.user) || d.accounts.get(who.user)?.blocked.has(peer)) return no('cannot_receive')
  const r = direct(d, id, who.user, peer)
  const shown = [...r.members].filter(([, m]) => m.left || r.rows.length === 0)
  for (const [, m] of shown) m.left = false
  const seq = text(d, r, who, n, op, told)
  for (const [u] of shown) told.line(u, r)
  return ok(seq)
}

function text(d: Data, r: RoomRow, who: Caller, n: number, op: Op, told: Told): number {
  const me = r.members.get(who.user)
  const lastText = r.rows.findLast((row) => row.message.kind === 'text')?.message.seq ?? 0
  if (me) {
    const mark = Math.max(me.readSeq, Math.min(op.readSeq ?? 0, r.rows.length))
    me.readSeq = mark >= lastText ? r.rows.length + 1 : mark
  }
  return add(d, r, who, n, told, blankMessage('text', { text: op.text ?? '', replyTo: op.replyTo ?? 0 }))
}

/** sort parts people who can be added from those who refuse. */
function sort(d: Data, by: string, list: readonly string[]): { users: string[]; refused: string[] } {
  const users: string[] = [], refused: string[] = []
  for (const u of list) {
    const a = d.accounts.get(u)
    if (!a || a.closed || a.blocked.has(by)) refused.push(u)
    else if (u !== by) users.push(u)
  }
  return { users, refused }
}

/** create makes a group; the same random again is the same group. */
export function create(d: Data, who: Caller, op: Op, told: Told): Verdict & { room: string } {
  const id = groupRoom(who.user, op.bytes ?? new Uint8Array(16))
  if (d.rooms.has(id)) return { ...ok(1), room: id }
  d.n++
  const { users, refused } = sort(d, who.user, op.list ?? [])
  const r: RoomRow = { id, group: true, title: op.text ?? '', rows: [], ord: 0, changed: d.n, members: new Map() }
  for (const u of [who.user, ...users]) r.members.set(u, member(1, d.n))
  d.rooms.set(id, r)
  add(d, r, who, 0, told, blankMessage('created', { text: r.title, users }))
  for (const u of r.members.keys()) told.line(u, r)
  return { ...ok(1, refused), room: id }
}

/** markRead moves a read mark forward. */
export function markRead(d: Data, user: string, room: string, seq: number, told: Told): void {
  const r = d.rooms.get(room)
  const m = r?.members.get(user)
  if (!r || !m || seq <= m.readSeq || seq > r.rows.length) return
  d.n++
  m.readSeq = seq
  m.changed = d.n
  told.read(r, user, seq)
}

/** show is a row as one device sees it. */
export function show(row: Row, who: Caller, history: boolean): Message {
  const own = row.device === who.device && row.message.author === who.user
  return { ...row.message, n: own ? row.n : 0, myReaction: history ? row.by.get(who.user) ?? 0 : 0 }
}

/** lineOf is a line of a person's list; null for a stranger. */
export function lineOf(d: Data, r: RoomRow, who: Caller, epoch: number): Room | null {
  const m = r.members.get(who.user)
  if (!m) return null
  const peer = r.group ? '' : [...r.members.keys()].find((u) => u !== who.user) ?? who.user
  const gone = r.group && m.left
  const texts = gone ? [] : r.rows.filter((row) => row.message.kind === 'text' && row.message.seq >= m.joinedSeq)
  const last = texts.at(-1)
  return {
    id: r.id, group: r.group, title: gone ? '' : r.title, peer, lastSeq: gone ? 0 : r.rows.length, joinedSeq: m.joinedSeq, readSeq: m.readSeq,
    unread: texts.filter((row) => row.message.seq > m.readSeq).length, memberCount: [...r.members.values()].filter((o) => !o.left || !r.group).length,
    muted: m.muted, pinned: m.pinned, left: m.left, last: last ? show(last, who, false) : null,
    changed: { epoch, n: gone ? m.changed : Math.max(m.changed, r.changed) }, blocked: d.accounts.get(who.user)?.blocked.has(peer) ?? false,
  }
}
