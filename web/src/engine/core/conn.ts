// Connections: opened with jitter and a budget, replaced when silent, the old one kept until the new one has answered.
import type { Position } from '../inner.ts'
import type { Refusal, Site } from '../types.ts'
import type { DownFrame, Failure } from './frames.ts'
import { failure, less } from './frames.ts'
import type { Conn, Inside } from './inside.ts'
import { changeSeenAfter, openLimitActive, openLimitIdle, reconnectingAfter, refusalOf, silenceActive, silenceIdle, silenceShown, unanswered, unansweredAlone } from './inside.ts'
import { scopePeople } from './outbox.ts'
import { pumpRenew, renew, renewMayGo } from './renew.ts'
import { dropRooms, headAt, pumpFetches, readUp, retryFetches, storeLines, takeLines, takeMessage } from './rooms.ts'
import { acked, cancelFlights, pump } from './send.ts'

/** active: somebody waits. A send is under way or a room is in view. */
const active = (s: Inside): boolean => s.flights.size > 0 || s.views.length > 0 || (s.items.size > 0 && !s.cur)

export function opened(s: Inside, now: number, id: number): void {
  if (s.next?.id !== id) {
    s.emit({ t: 'close', conn: id })
    return
  }
  s.next.lastFrame = now
  hello(s, s.next)
}

function hello(s: Inside, n: Conn): void {
  n.helloId = ++s.nextFrame
  n.seen = s.seen
  n.fromBase = !less(s.base, s.seen)
  s.emit({ t: 'frame', conn: n.id, frame: { t: 'hello', id: n.helloId, token: s.token, device: s.device, seen: s.seen } })
}

/** lost: a connection failed to open or has ended. */
export function lost(s: Inside, now: number, id: number): void {
  if (s.next?.id === id) {
    openFailed(s, now, s.next)
  } else if (s.cur?.id === id) {
    s.cur = null
    broke(s, now)
    if (!s.next) connectNext(s, s.site, now + firstDelay(s))
  }
}

/** broke: what was under way has no connection any more. */
function broke(s: Inside, now: number): void {
  cancelFlights(s)
  s.pingAt = 0
  if (s.shown === 'online' && s.brokenAt === 0) s.brokenAt = now
}

/** show tells the models of the connection. */
export function show(s: Inside, now: number, state: Inside['shown']): void {
  s.brokenAt = 0
  for (const f of s.flights.values()) if (f.item) s.touched.add(f.item) // sent over a connection that is there or is not
  s.shown = state
  s.shownAt = now
  if (state === 'online') s.shownSite = s.site
  s.tell({ t: 'connection', state, since: now, site: s.site })
}

/** firstDelay spreads a crowd that lost its server at once; who waits for something goes first. */
const firstDelay = (s: Inside): number => s.below(active(s) ? 100 : 3000)

/** openFailed gives up the connection that is being opened and goes on with the next site, after a while. */
function openFailed(s: Inside, now: number, failed: Conn): void {
  s.next = null
  s.failures++
  const wait = backoff(s)
  if (s.cur) {
    s.hedgeAt = now + wait
    s.tried = failed.site
    return
  }
  connectNext(s, failed.site, now + wait)
}

/** connectNext goes on from then on with the first of the sites that follow that has not asked to be left alone, else with the one
    that is to be left alone for the shortest time. */
function connectNext(s: Inside, site: number, from: number): void {
  s.connectAt = Infinity
  for (let i = 0; i < s.sites; i++) {
    site = s.after(site)
    const at = Math.max(from, s.restTo.get(site) ?? 0)
    if (at >= s.connectAt) continue
    s.site = site
    s.connectAt = at
  }
}

/** knowSites takes the list of the system's sites. */
function knowSites(s: Inside, sites: readonly Site[]): void {
  const same = sites.length === s.known.length && sites.every((site, i) => site.name === s.known[i]?.name && site.url === s.known[i]?.url)
  if (sites.length === 0 || same) return
  s.known = sites
  s.persist({ t: 'sites', sites }, false)
  s.tell({ t: 'sites', sites })
}

/** backoff grows with every round through all the sites. */
function backoff(s: Inside): number {
  const top = 100 << Math.min(Math.floor(s.failures / s.sites), 10)
  return 10 + s.below(Math.min(top, active(s) ? 2000 : 30000))
}

function open(s: Inside, now: number, site: number): void {
  const id = ++s.nextConn
  s.next = { id, site, openAt: now, helloId: 0, lastFrame: now, waiting: false, seen: null, fromBase: false }
  s.emit({ t: 'open', conn: id, site })
}

/** reopen closes everything and connects again. */
export function reopen(s: Inside, now: number): void {
  dropConns(s, now)
  s.connectAt = now + firstDelay(s)
}

export function dropConns(s: Inside, now: number): void {
  if (s.next) s.emit({ t: 'close', conn: s.next.id })
  s.next = null
  if (!s.cur) return
  s.emit({ t: 'close', conn: s.cur.id })
  s.cur = null
  broke(s, now)
}

/** end is called when the session is over for good. */
export function end(s: Inside, now: number, why: Refusal): void {
  if (s.ended) return
  s.ended = why
  dropConns(s, now)
  s.emit({ t: 'ended', why })
}

export function frame(s: Inside, now: number, id: number, f: DownFrame): void {
  if (s.next?.id === id) {
    s.next.lastFrame = now
    opening(s, now, s.next, f)
  } else if (s.cur?.id === id) {
    s.cur.lastFrame = now
    s.pingAt = 0
    if (s.shown === 'reconnecting') {
      // It was silent and lives again.
      show(s, now, 'online')
      if (s.views.length > 0) sendView(s)
    }
    live(s, now, s.cur, f)
  }
}

/** opening takes what comes before welcome. */
function opening(s: Inside, now: number, n: Conn, f: DownFrame): void {
  if (f.t === 'rooms') takeLines(s, now, f.rooms)
  else if (f.t === 'welcome') welcome(s, now, n, f)
  else if (f.t === 'bye') byeOpening(s, now, f.error, f.reconnect, f.afterMs)
  else if (f.t === 'ack' && f.error && (f.id === n.helloId || f.id === 0)) {
    s.restTo.set(n.site, now + f.error.retryAfterMs)
    byeOpening(s, now, f.error, true, 0)
  }
}

/** welcome makes a connection the current one, unless the old one has come to life again. */
function welcome(s: Inside, now: number, n: Conn, w: DownFrame & { t: 'welcome' }): void {
  if (s.cur && s.cur !== n && healthy(s, now, s.cur)) {
    s.emit({ t: 'close', conn: n.id })
    s.next = null
    return
  }
  if (n.seen && (w.rolledBack || (w.position && w.position.epoch !== n.seen.epoch))) {
    rolledBack(s, now)
    return
  }
  if (s.cur && s.cur !== n) {
    s.emit({ t: 'close', conn: s.cur.id })
    cancelFlights(s)
  }
  if (s.next && s.next !== n) s.emit({ t: 'close', conn: s.next.id })
  const again = s.cur === n
  n.waiting = false
  s.cur = n
  s.next = null
  s.site = s.httpSite = n.site
  s.restTo.delete(n.site)
  s.failures = s.pingAt = 0
  s.tried = -1
  s.suspect = false
  const at = w.position
  if (at) {
    s.epoch = at.epoch
    see(s, at)
    if (n.fromBase) {
      s.base = at
      storeLines(s)
      s.persist({ t: 'seen', seen: at }, false)
    }
    s.tell({ t: 'welcomed', position: at, serverTime: w.time, localTime: now })
  }
  for (const scope of s.scopes.values()) scope.pausedTo = 0
  if (!again) s.activeFrom = now
  if (s.shown === 'online' && s.shownSite === s.site) s.brokenAt = 0
  else show(s, now, 'online')
  if (s.views.length > 0) sendView(s)
  retryFetches(s, now)
}

/** healthy: the connection has nothing that would make one look for another. */
const healthy = (s: Inside, now: number, cur: Conn): boolean => !s.suspect && now < troubleAt(s, cur)

/** troubleAt is when the current connection will have been silent or unanswering for too long. */
function troubleAt(s: Inside, cur: Conn): number {
  let at = cur.lastFrame + silenceIdle
  if (s.flights.size > 0 || s.views.length > 0) at = Math.max(cur.lastFrame, s.activeFrom) + silenceActive
  if (s.pingAt > 0) at = Math.min(at, s.pingAt + silenceActive)
  for (const f of s.flights.values()) {
    if (f.item) return Math.min(at, f.at + (s.others ? unanswered : unansweredAlone))
  }
  return at
}

/** silentAt is when the current connection, where somebody waits, is told like a lost one although it is still open. With
    another site to go to, another connection is being opened by then. */
function silentAt(s: Inside, cur: Conn): number {
  if (s.flights.size === 0 && s.views.length === 0) return Infinity
  return Math.max(cur.lastFrame, s.activeFrom) + (s.others ? silenceActive + reconnectingAfter : silenceShown)
}

/** live takes a frame of the current connection. */
function live(s: Inside, now: number, cur: Conn, f: DownFrame): void {
  switch (f.t) {
    case 'ack':
      if (cur.waiting && f.id === cur.helloId) {
        s.restTo.set(cur.site, now + (f.error?.retryAfterMs ?? 0))
        bye(s, now, f.error, true, 0)
        return
      }
      see(s, f.position)
      acked(s, now, f)
      return
    case 'message':
      takeMessage(s, now, f.message, f.position)
      see(s, f.position)
      return
    case 'room':
      takeLines(s, now, [f.room])
      see(s, f.position)
      return
    case 'read':
      if (f.user === s.user) readUp(s, now, f.room, f.seq, false) // on another device
      s.tell({ t: 'read', room: f.room, user: f.user, seq: f.seq })
      see(s, f.position)
      return
    case 'typing':
      s.tell({ t: 'typing', room: f.room, user: f.user, stopped: f.stopped, at: now })
      return
    case 'people':
      s.tell({ t: 'people', me: f.me, friends: f.friends, devices: f.devices, blocked: f.blocked, users: f.users })
      see(s, f.position)
      return
    case 'presence':
      s.tell({ t: 'presence', room: f.room, online: f.online, users: f.users })
      return
    case 'beat':
      see(s, f.position)
      for (const h of f.heads) headAt(s, now, h.room, h.lastSeq)
      return
    case 'rooms':
      takeLines(s, now, f.rooms)
      return
    case 'sites':
      knowSites(s, f.sites)
      return
    case 'resync':
      // Answers may have been dropped too: what is under way is sent again after the welcome.
      cancelFlights(s)
      cur.waiting = true
      hello(s, cur)
      return
    case 'welcome': // after a resync
      welcome(s, now, cur, f)
      return
    case 'bye':
      bye(s, now, f.error, f.reconnect, f.afterMs)
      return
  }
}

/** byeOpening: the site does not take us. If it is only this site, the current connection stays. */
function byeOpening(s: Inside, now: number, why: Failure | null, reconnect: boolean, after: number): void {
  if (fatal(s, now, why, reconnect) || !s.next) return
  s.emit({ t: 'close', conn: s.next.id })
  openFailed(s, now, s.next)
  s.connectAt = Math.max(s.connectAt, now + after)
}

function bye(s: Inside, now: number, why: Failure | null, reconnect: boolean, after: number): void {
  if (fatal(s, now, why, reconnect)) return
  dropConns(s, now)
  connectNext(s, s.site, now + after + firstDelay(s))
}

/** fatal handles what is about the session and not about the site. */
function fatal(s: Inside, now: number, why: Failure | null, reconnect: boolean): boolean {
  const f = why ?? failure('')
  switch (f.reason) {
    case 'rolled_back':
      rolledBack(s, now)
      return true
    case 'wrong_device':
      renew(s, now, f)
      return true
    case 'must_change_password':
      if (now < s.changedAt + changeSeenAfter) return false
      hold(s, now)
      return true
    case 'unauthenticated':
    case 'session_revoked':
      end(s, now, refusalOf(f))
      return true
    default:
      if (reconnect || f.again) return false
      end(s, now, refusalOf(f))
      return true
  }
}

/** hold: a one-time code opened the session. Until its password is changed nothing else is sent, and no connection is tried. */
export function hold(s: Inside, now: number): void {
  if (s.mustChange) return
  s.mustChange = true
  dropConns(s, now)
  s.tell({ t: 'mustChange' })
}

/** release: the password was changed. A hello that is under way may have been refused before, and another site may not know yet. */
export function release(s: Inside, now: number): void {
  s.changedAt = now
  if (!s.cur && s.next) dropConns(s, now)
  if (!s.cur) s.connectAt = now
  s.mustChange = false
}

/** rolledBack: the server was restored from a copy. Also where the position stated lies before the cut, rows and lines may
    have come by history or been worked out that are lost: everything is read anew. Items go on under the same names. */
function rolledBack(s: Inside, now: number): void {
  dropRooms(s)
  s.seen = s.base = null
  storeLines(s)
  s.persist({ t: 'seen', seen: null }, false)
  reopen(s, now)
}

/** see notes a position of the current connection. Only a welcome leads into another epoch: it can tell what was lost. */
function see(s: Inside, p: Position | null): void {
  if (p && p.epoch === s.epoch && less(s.seen, p)) s.seen = p
}

export function sendView(s: Inside): void {
  if (s.cur && !s.cur.waiting) s.emit({ t: 'frame', conn: s.cur.id, frame: { t: 'view', rooms: s.views } })
}

/** tick lets time pass: after each input, and when nextWake says so. */
export function tick(s: Inside, now: number): void {
  if (s.linesAt > 0 && now >= s.linesAt) storeLines(s)
  if (!s.online || s.ended) return
  if (s.brokenAt > 0 && now >= s.brokenAt + reconnectingAfter) show(s, now, 'reconnecting')
  if (s.cur && s.shown === 'online' && now >= silentAt(s, s.cur)) show(s, now, 'reconnecting')
  if (s.renewing) {
    pumpRenew(s, now)
    return
  }
  if (s.next && now >= s.next.openAt + openLimit(s)) {
    s.emit({ t: 'close', conn: s.next.id })
    openFailed(s, now, s.next)
  }
  if (!s.next && !s.cur && now >= s.connectAt && !s.mustChange) {
    const at = s.spend(now)
    if (at > 0) s.connectAt = at
    else open(s, now, s.site)
  } else if (!s.next && s.cur && now >= s.hedgeAt && !healthy(s, now, s.cur)) {
    // The old connection stays until the new one answers.
    let next = s.after(s.tried < 0 ? s.site : s.tried)
    if (next === s.site) next = s.after(next)
    const rests = (s.restTo.get(next) ?? 0) > now
    const at = rests ? 0 : s.spend(now)
    if (rests) {
      s.tried = next
      s.hedgeAt = now + hedgePause(s)
    } else if (at > 0) {
      s.hedgeAt = at
    } else {
      s.hedges++
      s.hedgeAt = now + hedgePause(s)
      open(s, now, next)
    }
  }
  pump(s, now)
  pumpFetches(s, now)
}

/** hedgePause keeps a client from hopping between sites that are all slow. */
function hedgePause(s: Inside): number {
  const top = 500 << Math.min(s.hedges, 6)
  return top / 2 + s.below(top)
}

/** openLimit: with another site to go to nobody is waited for who looks at the page, or at its beginning. */
const openLimit = (s: Inside): number => (s.others && (active(s) || s.shown === 'connecting') ? openLimitActive : openLimitIdle)

/** nextWake is when tick must be called at the latest; null if nothing waits for time. */
export function nextWake(s: Inside): number | null {
  const times: number[] = s.linesAt > 0 ? [s.linesAt] : []
  if (s.online && !s.ended) {
    if (s.brokenAt > 0) times.push(s.brokenAt + reconnectingAfter)
    const silent = s.cur && s.shown === 'online' ? silentAt(s, s.cur) : Infinity
    if (silent < Infinity) times.push(silent)
    if (s.renewing) {
      if (renewMayGo(s)) times.push(s.renewAt)
    } else {
      if (s.next) times.push(s.next.openAt + openLimit(s))
      else if (!s.cur) times.push(s.mustChange ? Infinity : s.connectAt)
      else times.push(Math.max(s.suspect ? 0 : troubleAt(s, s.cur), s.hedgeAt))
      for (const scope of s.scopes.values()) if (scope.pausedTo > 0 && (s.cur || scope.key === scopePeople)) times.push(scope.pausedTo)
      if (s.wakeFetch > 0 && s.cur) times.push(s.wakeFetch)
    }
  }
  const at = Math.min(...times)
  return at < Infinity ? at : null
}
