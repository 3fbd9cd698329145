// The outbox: items get their name in the transaction that stores them, and end with exactly one verdict.
import type { Input, Item, Kept, Named, Op, Settled } from '../inner.ts'
import type { Refusal } from '../types.ts'
import { directRoom, groupRoom, isDirect, isRoom } from './ids.ts'
import type { Inside, Open, Scope } from './inside.ts'
import { counterKey, maxDone } from './inside.ts'
import { bytes } from './rand.ts'
import type { ItemRec, State } from './record.ts'

export const scopeChat = 'chat' // the account's scope within chat
export const scopePeople = 'people' // the account's scope within people

/** isAccount says that the change is one of the account's within people, and goes over calls. */
export function isAccount(kind: Op['kind']): boolean {
  switch (kind) {
    case 'addFriend': case 'removeFriend': case 'setProfile': case 'setPhoto': case 'changePassword': case 'deleteAccount':
    case 'revokeDevices': case 'labelDevice': case 'createInvitation': case 'revokeInvitation':
      return true
    default:
      return false
  }
}

export const isSecret = (kind: Op['kind']): boolean => kind === 'changePassword' || kind === 'deleteAccount'

/** takesRow says that a change that was let in takes a sequence number of its room. */
export function takesRow(kind: Op['kind']): boolean {
  switch (kind) {
    case 'send': case 'edit': case 'delete': case 'react': case 'invite': case 'leave': case 'rename':
      return true
    default:
      return false
  }
}

/** place works out room and scope of an op; null if it names neither. */
function place(s: Inside, op: Op): { op: Op; scope: string } | null {
  if (isAccount(op.kind)) return { op, scope: scopePeople }
  if (op.kind === 'block' || op.kind === 'unblock') return { op, scope: scopeChat }
  if (op.kind === 'createRoom') {
    const random = op.bytes?.length === 16 ? op.bytes : bytes(s.rand, 16)
    const room = groupRoom(s.user, random)
    return { op: { ...op, bytes: random, room }, scope: 'new:' + room }
  }
  if (!op.room) {
    const room = directRoom(s.user, op.peer ?? '')
    return room ? { op: { ...op, room }, scope: room } : null
  }
  if (!isRoom(op.room)) return null
  const peer = op.peer || (isDirect(op.room) ? s.lines.get(op.room)?.peer : '')
  return { op: peer ? { ...op, peer } : op, scope: op.room }
}

/** bare is an op without what nobody but the server needs to see: passwords never leave memory. */
function bare(op: Op): Op {
  const { old: _old, next: _next, ...rest } = op
  return rest
}

/** plain is an op as models see it. */
function plain(op: Op): Op {
  const { bytes: _bytes, ...rest } = bare(op)
  return rest
}

export function submit(s: Inside, now: number, op: Op, named: Named | null): number {
  if (s.token === '') return 0
  const known = repeated(s, op.uid)
  if (known !== undefined) return known
  const at = place(s, op)
  return at ? newItem(s, now, s.nextItem++, at.scope, at.op, named).id : 0
}

/** repeated is the item of an op that was taken before; its verdict is told again. */
function repeated(s: Inside, uid: string): number | undefined {
  const known = s.uids.get(uid)
  const done = known === undefined ? undefined : s.done.get(known)
  if (done) s.tell({ t: 'settled', settled: done.settled })
  return known
}

/** newItem names and stores an item, in one transaction. */
function newItem(s: Inside, now: number, id: number, scope: string, op: Op, named: Named | null = null): Open {
  const it = addItem(s, {
    id, order: s.nextOrder, scope, op, created: now, device: s.device, n: 0, tag: new Uint8Array(8), giveUp: false, replace: null, replaceId: 0, refusal: null,
  })
  if (op.kind !== 'createRoom' && !recovering(s, it.scope)) name(s, it, named)
  s.persistMeta()
  save(s, it)
  s.tell({ t: 'item', item: itemOf(s, it) })
  s.touched.delete(it)
  return it
}

function addItem(s: Inside, rec: ItemRec): Open {
  let scope = s.scopes.get(rec.scope)
  if (!scope) {
    scope = { key: rec.scope, items: [], inflight: 0, goBack: false, pausedTo: 0, attempts: 0 }
    s.scopes.set(rec.scope, scope)
  }
  const it: Open = { ...rec, scope, storedAt: 0, flight: 0, left: false, finding: false }
  scope.items.push(it)
  s.nextOrder = it.order + 1
  s.items.set(it.id, it)
  s.uids.set(it.op.uid, it.id)
  if (it.op.kind === 'createRoom' && it.op.room) s.creating.set(it.op.room, it)
  return it
}

/** save stores an item as it is now. */
function save(s: Inside, it: Open): void {
  s.persist({
    t: 'item',
    item: {
      id: it.id, order: it.order, scope: it.scope.key, device: it.device, n: it.n, tag: it.tag, op: bare(it.op), created: it.created,
      giveUp: it.giveUp, replace: it.replace, replaceId: it.replaceId, refusal: it.refusal,
    },
  }, true)
  it.storedAt = s.pendingId
  s.touched.add(it)
}

/** recovering: an item of the scope still has a name of an earlier device. */
const recovering = (s: Inside, scope: Scope): boolean => scope.items.some((it) => it.n !== 0 && it.device !== s.device)

function name(s: Inside, it: Open, named: Named | null = null): void {
  const key = counterKey(s.device, it.scope.key)
  const last = s.counters.get(key) ?? 0
  const old = named && named.device === s.device && named.n > last ? named : null
  const n = old?.n ?? last + 1
  s.counters.set(key, n)
  s.persist({ t: 'counter', counter: { device: s.device, scope: it.scope.key, n } }, true)
  it.device = s.device
  it.n = n
  it.tag = old ? Uint8Array.from(old.tag) : bytes(s.rand, 8)
}

/** rename gives names to the items of a scope that wait for one, in order, once no older one is being recovered. */
export function rename(s: Inside, scope: Scope): void {
  if (recovering(s, scope)) return
  for (const it of scope.items) {
    if (it.n !== 0 || it.op.kind === 'createRoom') continue
    name(s, it)
    save(s, it)
  }
}

/** unname takes the name of an earlier device from an item that is not in. */
export function unname(s: Inside, it: Open): void {
  it.n = 0
  it.tag = new Uint8Array(8)
  it.device = s.device
  rename(s, it.scope)
}

export function giveUp(s: Inside, id: number): boolean {
  const it = s.items.get(id)
  if (!it || it.op.kind === 'createRoom') return false
  if (it.giveUp) {
    if (!it.replace) return false
    it.replace = null // what was to come in its place is given up too
    save(s, it)
    return true
  }
  skip(s, it, null)
  return true
}

export function replace(s: Inside, now: number, id: number, text: string, uid: string): number {
  const known = repeated(s, uid)
  if (known !== undefined) return known
  const it = s.items.get(id)
  if (!it) return late(s, now, id, text, uid)
  if (it.op.kind !== 'send' && it.op.kind !== 'edit') return 0
  if (it.giveUp) {
    if (!it.replace) return 0
    it.replace = { ...it.replace, text, uid: uid || it.replace.uid }
    save(s, it)
    return it.replaceId
  }
  it.replaceId = s.nextItem++
  it.replace = { ...it.op, text, uid: uid || `${it.op.uid}+${it.replaceId}` }
  s.persistMeta()
  skip(s, it, null)
  return it.replaceId
}

/** late: another text for a message that was decided meanwhile. A refused one goes anew with it, one that is in is edited. */
function late(s: Inside, now: number, id: number, text: string, uid: string): number {
  const kept = s.kept.get(id)
  if (kept) return again(s, now, kept, { ...kept.op, text }, uid)
  const v = s.done.get(id)?.settled
  const seq = v?.op.kind === 'edit' ? v.op.seq : v?.op.kind === 'send' ? v.seq : 0
  if (!v?.ok || !seq || s.token === '') return 0
  const next = s.nextItem++
  return newItem(s, now, next, v.room, { uid: uid || `${v.op.uid}+${next}`, kind: 'edit', room: v.room, seq, text }).id
}

/** skip turns an item into a skip under the same name. An answer to the item itself that is still under way counts too. */
export function skip(s: Inside, it: Open, why: Refusal | null): void {
  it.giveUp = true
  it.refusal = why
  if (it.flight !== 0) {
    it.flight = 0
    it.scope.inflight--
  }
  save(s, it)
}

/** Verdict is what became of an item. */
export interface Verdict {
  readonly refusal: Refusal | null
  readonly givenUp: boolean
  readonly seq: number
  readonly time: number
  readonly room: string
  readonly refused: readonly string[]
}

export const nothing: Verdict = { refusal: null, givenUp: false, seq: 0, time: 0, room: '', refused: [] }

/** settle ends an item with what was decided. */
export function settle(s: Inside, now: number, it: Open, verdict: Verdict): void {
  const scope = it.scope
  const v = it.giveUp && it.refusal && verdict.givenUp ? { ...nothing, refusal: it.refusal } : verdict
  if (it.flight !== 0) {
    it.flight = 0
    scope.inflight--
  }
  forget(s, it)
  scope.attempts = 0
  scope.pausedTo = 0
  s.refund()
  s.persist({ t: 'itemGone', id: it.id }, false)
  // A message that was refused is kept for its author; with a text in its place it is that one that counts.
  if (it.op.kind === 'send' && v.refusal && !it.replace) keep(s, it.id, it.op, it.created, v.refusal)
  else decided(s, it.id, it.op, v)
  if (it.replace) followUp(s, now, it, it.replace, v)
  rename(s, scope)
  if (scope.items.length === 0) s.scopes.delete(scope.key)
}

/** keep a message that was refused, until its author has decided. */
function keep(s: Inside, id: number, op: Op, created: number, refusal: Refusal): void {
  const kept = { id, op: bare(op), created, refusal }
  s.kept.set(id, kept)
  s.persist({ t: 'kept', kept }, true)
  decided(s, id, op, { ...nothing, refusal })
  s.tell({ t: 'kept', kept: { ...kept, op: plain(op) } })
}

function forget(s: Inside, it: Open): void {
  s.items.delete(it.id)
  s.touched.delete(it)
  it.scope.items = it.scope.items.filter((o) => o !== it)
  if (it.op.kind === 'createRoom' && it.op.room) s.creating.delete(it.op.room)
}

/** decided tells a verdict and remembers it for a window that asks again. */
function decided(s: Inside, id: number, op: Op, v: Verdict): void {
  const settled: Settled = {
    id, op: plain(op), ok: v.refusal === null && !v.givenUp, seq: v.seq, time: v.time, room: v.room || op.room || '',
    refused: v.refused, givenUp: v.givenUp, refusal: v.refusal,
  }
  const { text: _text, list: _list, ...small } = settled.op
  const done = { id, uid: op.uid, settled: { ...settled, op: small } }
  s.done.set(id, done)
  s.uids.set(op.uid, id)
  s.persist({ t: 'done', done }, false)
  for (const old of s.done.values()) {
    if (s.done.size <= maxDone) break
    s.done.delete(old.id)
    s.uids.delete(old.uid)
    s.persist({ t: 'doneGone', id: old.id }, false)
  }
  s.tell({ t: 'settled', settled })
}

/** followUp sends what was to replace a given-up item: as it is if the item was not in, as an edit if it was. If the room
    refused the item, it refuses its replacement too; the author keeps the later text. */
function followUp(s: Inside, now: number, it: Open, op: Op, v: Verdict): void {
  if (v.refusal) {
    if (op.kind === 'send') keep(s, it.replaceId, op, it.created, v.refusal)
    else decided(s, it.replaceId, op, v)
    return
  }
  if (v.givenUp || op.kind === 'edit') newItem(s, now, it.replaceId, it.scope.key, op)
  else newItem(s, now, it.replaceId, it.scope.key, { uid: op.uid, kind: 'edit', room: v.room || op.room || '', seq: v.seq, text: op.text ?? '' })
}

export function discard(s: Inside, id: number): void {
  if (!s.kept.delete(id)) return
  s.persist({ t: 'unkept', id }, true)
  s.tell({ t: 'unkept', id })
}

/** resend makes a new item of a refused message, in the transaction that forgets the old one. */
export function resend(s: Inside, now: number, id: number): number {
  const kept = s.kept.get(id)
  return kept ? again(s, now, kept, kept.op, '') : 0
}

/** restore takes a refused message from a window that could not store the refusal. It is kept once, and not if its author has
    decided since. Returns the id under which it is known. */
export function restore(s: Inside, now: number, { op, created, refusal }: Kept): number {
  const open = [...s.items.values()].find((it) => it.op.uid === op.uid || it.replace?.uid === op.uid)
  if (open) {
    settle(s, now, open, { ...nothing, refusal })
    return open.id
  }
  const kept = [...s.kept.values()].find((k) => k.op.uid === op.uid)
  if (kept) {
    s.tell({ t: 'kept', kept: { ...kept, op: plain(op) } })
    return kept.id
  }
  const known = repeated(s, op.uid)
  if (known !== undefined) return known
  const id = s.nextItem++
  s.persistMeta()
  keep(s, id, op, created, refusal)
  return id
}

function again(s: Inside, now: number, kept: Kept, op: Op, uid: string): number {
  const at = s.token === '' ? null : place(s, op)
  if (!at) return 0
  discard(s, kept.id)
  const next = s.nextItem++
  return newItem(s, now, next, at.scope, { ...at.op, uid: uid || `${kept.op.uid}+${next}` }).id
}

/** load takes over what the store held. Passwords are not stored: such items are given up. */
export function load(s: Inside, st: State): void {
  if (st.meta) {
    s.device = st.meta.device
    s.renewing = st.meta.renewing
    s.nextItem = st.meta.nextItem
  }
  const byId = (a: { id: number }, b: { id: number }): number => a.id - b.id
  const count = (device: string, scope: string, n: number): void => {
    const key = counterKey(device, scope)
    s.counters.set(key, Math.max(s.counters.get(key) ?? 0, n))
  }
  for (const c of st.counters) count(c.device, c.scope, c.n)
  for (const d of [...st.done].sort(byId)) {
    s.done.set(d.id, d)
    s.uids.set(d.uid, d.id)
  }
  for (const rec of [...st.items].sort((a, b) => a.order - b.order)) {
    const it = addItem(s, rec)
    if (isSecret(it.op.kind)) it.giveUp = true
    if (it.n > 0) count(it.device, it.scope.key, it.n)
    s.nextItem = Math.max(s.nextItem, rec.id + 1, rec.replaceId + 1)
  }
  for (const k of [...st.kept].sort(byId)) {
    s.kept.set(k.id, k)
    s.uids.set(k.op.uid, k.id)
    s.nextItem = Math.max(s.nextItem, k.id + 1)
  }
  for (const d of st.done) s.nextItem = Math.max(s.nextItem, d.id + 1)
  for (const r of st.rooms) {
    s.lines.set(r.id, r)
    if (r.owed) s.marks.push({ room: r.id, want: r.readSeq, got: 0, flying: false })
  }
  s.seen = s.base = st.seen
  s.known = st.sites
  s.epoch = st.seen?.epoch ?? 0
}

/** itemOf is an item as models see it. One that is being replaced shows the text that is to come. */
function itemOf(s: Inside, it: Open): Item {
  const op = plain(it.replace ? { ...it.op, text: it.replace.text ?? '' } : it.op)
  const state = it.giveUp && !it.replace ? 'givingUp' : it.flight !== 0 && s.shown !== 'reconnecting' ? 'sending' : it.left ? 'unknown' : 'waiting'
  return { id: it.id, op, created: it.created, state, n: it.device === s.device ? it.n : 0 }
}

/** tellTouched tells the models what has changed about open items since the last time. */
export function tellTouched(s: Inside): void {
  for (const it of s.touched) if (s.items.get(it.id) === it) s.tell({ t: 'item', item: itemOf(s, it) })
  s.touched.clear()
}

/** outboxInputs is everything open and kept, for a model that begins. */
export function outboxInputs(s: Inside): Input[] {
  const items = [...s.items.values()].sort((a, b) => a.id - b.id)
  return [
    ...items.map((it): Input => ({ t: 'item', item: itemOf(s, it) })),
    ...[...s.kept.values()].map((kept): Input => ({ t: 'kept', kept: { ...kept, op: plain(kept.op) } })),
  ]
}
