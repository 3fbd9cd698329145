// Frames of changes and their answers. Everything a server can answer to a change is here.
import { end, hold, release, reopen } from './conn.ts'
import { type Ack, type CallAnswer, type Failure, type Name, failure } from './frames.ts'
import type { Flight, Inside, Open, Scope } from './inside.ts'
import { changeSeenAfter, nameWindow, refusalOf } from './inside.ts'
import { isAccount, nothing, scopeChat, scopePeople, settle, skip, takesRow, unname } from './outbox.ts'
import { renew } from './renew.ts'
import { confirmed, find, ownRow } from './rooms.ts'
import type { Position } from '../inner.ts'

/** Answered is the success of a change. */
export interface Answered {
  readonly seq: number
  readonly time: number
  readonly room: string
  readonly repeated: boolean
  readonly refused: readonly string[]
  readonly position: Position | null
}

/** pump sends whatever may be sent now. */
export function pump(s: Inside, now: number): void {
  if (s.ended || !s.online || s.renewing) return
  for (const scope of s.scopes.values()) pumpScope(s, now, scope)
  if (!s.cur || s.cur.waiting) return
  for (const m of s.marks) {
    if (m.flying || m.want <= m.got) continue
    m.flying = true
    m.got = m.want
    const f = fly(s, now, null, m.room, false)
    s.emit({ t: 'frame', conn: s.cur.id, frame: { t: 'markRead', id: f.id, room: m.room, seq: m.want, epoch: s.epoch } })
  }
}

function pumpScope(s: Inside, now: number, scope: Scope): void {
  if (scope.pausedTo > now) return
  scope.pausedTo = 0
  if (scope.goBack) {
    if (scope.inflight > 0) return
    if (scope.attempts > 1) {
      const at = s.spend(now)
      if (at > 0) {
        scope.pausedTo = at
        return
      }
    }
    scope.goBack = false
  }
  if (s.creating.has(scope.key)) return // the first send into a new room waits for the answer to its creation
  if (s.mustChange && scope.key === scopePeople) {
    // Only a new password is taken, and it cannot come before the names below its own: what stands there is given up.
    const at = scope.items.findIndex((it) => it.op.kind === 'changePassword')
    if (at < 0) return
    for (const it of scope.items.slice(0, at)) if (!it.giveUp) skip(s, it, refusalOf(failure('must_change_password')))
  }
  let base = 0
  const limit = scope.key === scopePeople ? 1 : nameWindow // over calls one at a time
  for (const it of scope.items) {
    if (it.op.kind !== 'createRoom') {
      if (it.n === 0) continue // older ones are being recovered; it gets its name after them
      if (base === 0) base = it.n
      if (it.n >= base + limit) return
    }
    if (it.storedAt > s.storedUpTo || it.finding) return // a later one must not overtake it
    if (it.flight === 0) sendItem(s, now, it, base)
  }
}

function sendItem(s: Inside, now: number, it: Open, base: number): void {
  const name: Name = { n: it.n, tag: it.tag, base, epoch: s.epoch }
  const old = it.n !== 0 && it.device !== s.device ? it.device : ''
  const gives = it.giveUp || old !== ''
  if (isAccount(it.op.kind)) {
    if (it.scope.inflight > 0) return
    it.flight = ++s.nextCall
    it.scope.inflight++
    it.left = true
    s.touched.add(it)
    s.calls.set(it.flight, { item: it, skip: gives })
    s.emit({ t: 'call', id: it.flight, site: s.httpSite, op: it.op, name, skip: gives, oldDevice: old })
    return
  }
  if (!s.cur || s.cur.waiting) return
  const f = fly(s, now, it, '', gives)
  it.flight = f.id
  it.scope.inflight++
  it.left = true
  s.touched.add(it)
  if (!gives) {
    s.emit({ t: 'frame', conn: s.cur.id, frame: { t: 'change', id: f.id, op: it.op, name: it.n === 0 ? null : name, epoch: s.epoch } })
    return
  }
  const peer = it.op.kind === 'send' ? it.op.peer ?? '' : ''
  const room = peer || it.scope.key === scopeChat ? '' : it.op.room ?? ''
  s.emit({ t: 'frame', conn: s.cur.id, frame: { t: 'skip', id: f.id, name, room, peer, device: old } })
}

function fly(s: Inside, now: number, item: Open | null, mark: string, gives: boolean): Flight {
  const f: Flight = { id: ++s.nextFrame, item, mark, at: now, skip: gives }
  if (s.flights.size === 0 && s.views.length === 0) s.activeFrom = now
  s.flights.set(f.id, f)
  return f
}

/** cancelFlights forgets the frames of a connection that is gone: their items are sent again. */
export function cancelFlights(s: Inside): void {
  for (const f of s.flights.values()) {
    const it = f.item
    if (!it || it.flight !== f.id) continue
    it.flight = 0
    it.scope.inflight--
    it.scope.goBack = false
    s.touched.add(it)
  }
  for (const m of s.marks) {
    m.flying = false
    m.got = 0
  }
  s.flights.clear()
}

/** land takes the frame that an item has under way back from the count. latest: it was the item's last frame. */
function land(s: Inside, it: Open, id: number): boolean {
  if (it.flight !== id) return false
  it.flight = 0
  it.scope.inflight--
  s.touched.add(it)
  return true
}

/** acked takes the answer to a frame. */
export function acked(s: Inside, now: number, a: Ack): void {
  const f = s.flights.get(a.id)
  if (!f) return
  s.flights.delete(f.id)
  s.hedges = 0
  if (!a.error) s.suspect = false
  if (!f.item) {
    // A mark that was refused is not sent again; the next one is.
    for (const m of s.marks) if (m.room === f.mark) m.flying = false
    s.marks = s.marks.filter((m) => m.flying || m.want > m.got)
    if (!s.marks.some((m) => m.room === f.mark)) confirmed(s, now, f.mark)
  } else if (s.items.get(f.item.id) === f.item) {
    answer(s, now, f.item, f.skip, land(s, f.item, f.id), a.error, a)
  }
}

/** called takes the answer to a call: success, or a failure, or lost: no answer came, the outcome is unknown. */
export function called(s: Inside, now: number, id: number, ok: CallAnswer | null, f: Failure | null, lost: boolean): void {
  const c = s.calls.get(id)
  s.calls.delete(id)
  if (!c || s.items.get(c.item.id) !== c.item) return
  const latest = land(s, c.item, id)
  if (lost) {
    s.httpSite = s.after(s.httpSite)
    later(s, now, c.item.scope, 0)
    return
  }
  answer(s, now, c.item, c.skip, latest, f, {
    seq: ok?.seq ?? 0, time: ok?.time ?? 0, repeated: ok?.repeated ?? false, room: '', refused: [], position: null,
  })
}

/** answer decides what an answer means for an item. gives: the frame answered was a skip; latest: it was the item's last
    frame. */
function answer(s: Inside, now: number, it: Open, gives: boolean, latest: boolean, f: Failure | null, a: Answered): void {
  const scope = it.scope
  const recovering = it.n !== 0 && it.device !== s.device
  if (!f) {
    // A skip is answered with the verdict of the original if that was in. An honest "ok" to a row carries its number.
    if (gives && takesRow(it.op.kind) && a.seq === 0) {
      gone(s, now, it)
      return
    }
    if (it.op.kind === 'send' && a.seq > 0) ownRow(s, now, it, a)
    if (it.op.kind === 'changePassword') release(s, now)
    settle(s, now, it, { ...nothing, seq: a.seq, time: a.time, room: a.room, refused: a.refused })
    return
  }
  switch (f.reason) {
    case 'skipped':
      gone(s, now, it)
      break
    case 'id_reused':
      if (recovering) gone(s, now, it)
      else if (latest) renew(s, now, f)
      break
    case 'already_in':
      if (!latest) break
      // Decided long ago; only rows can tell how.
      if (recovering || !takesRow(it.op.kind)) settle(s, now, it, { ...nothing, refusal: refusalOf(f) })
      else find(s, it)
      break
    case 'expected':
      if (latest) back(s, now, scope)
      break
    case 'held':
      if (!latest) break
      if (scope.items[0] === it) later(s, now, scope, 0) // waits for nothing that is open here
      else scope.goBack = true
      break
    case 'rolled_back':
      scope.goBack = true
      reopen(s, now)
      break
    case 'wrong_device':
      renew(s, now, f)
      break
    case 'must_change_password':
      if (now < s.changedAt + changeSeenAfter) {
        later(s, now, scope, 0)
        break
      }
      scope.goBack = true
      hold(s, now)
      break
    case 'unauthenticated':
    case 'session_revoked':
      if (f.consumed) settle(s, now, it, { ...nothing, refusal: refusalOf(f) })
      else end(s, now, refusalOf(f))
      break
    default:
      refused(s, now, it, latest, f)
  }
}

function refused(s: Inside, now: number, it: Open, latest: boolean, f: Failure): void {
  const verdict = { ...nothing, refusal: refusalOf(f) }
  if (f.consumed) {
    settle(s, now, it, verdict)
  } else if (!latest) {
    return
  } else if (f.again) {
    if (f.reason === 'not_ready' || f.reason === 'disk_full') s.suspect = s.others // stays here unless another site is ready
    later(s, now, it.scope, f.retryAfterMs)
  } else if (it.n === 0) {
    settle(s, now, it, verdict) // a createRoom has no name to give up
  } else if (it.giveUp) {
    // Not even the skip can be taken here (no such room for this person): nobody else ever will.
    later(s, now, it.scope, 0)
    if (it.scope.attempts >= 3) settle(s, now, it, verdict)
  } else {
    skip(s, it, refusalOf(f))
  }
}

/** gone: the item is certainly not in, and never will be under this name. Under an earlier device's name that settles it only
    if the wish to give it up is safe: after a crash without that it would go out under a new name. It is asked again then. */
function gone(s: Inside, now: number, it: Open): void {
  if (it.giveUp && it.device !== s.device && it.storedAt > s.storedUpTo) return
  if (it.giveUp || it.n === 0 || it.device === s.device) settle(s, now, it, { ...nothing, givenUp: true })
  else unname(s, it)
}

/** back: the server wants a lower n first. It is open here and comes again before, or it is settled and base will tell. */
function back(s: Inside, now: number, scope: Scope): void {
  scope.goBack = true
  scope.attempts++
  if (scope.attempts > 2) scope.pausedTo = Math.max(scope.pausedTo, now + s.jitter(scope.attempts))
}

/** later: the same again after a while. */
export function later(s: Inside, now: number, scope: Scope, after: number): void {
  scope.goBack = true
  scope.attempts++
  scope.pausedTo = Math.max(scope.pausedTo, now + after + s.jitter(scope.attempts))
}

/** markRead: only the largest counts. */
export function markRead(s: Inside, room: string, seq: number): void {
  const m = s.marks.find((o) => o.room === room)
  if (m) m.want = Math.max(m.want, seq)
  else s.marks.push({ room, want: seq, got: 0, flying: false })
}
