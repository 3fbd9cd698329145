// One connection to /live of the imitated server.
import type { Ack, DownFrame, Failure, Name, UpFrame } from '../core/frames.ts'
import { failure } from '../core/frames.ts'
import { directRoom } from '../core/ids.ts'
import type { Op } from '../inner.ts'
import type { Caller, Told } from './chat.ts'
import { change, create, lineOf, markRead, roomOf } from './chat.ts'
import type { Session, Verdict } from './data.ts'
import { Fault } from './data.ts'
import { decide } from './names.ts'
import { block } from './people.ts'
import type { FakeServer } from './server.ts'

export class FakeConn {
  /** closed by the server: what is still in out may be read. */
  closed = false
  /** live: welcomed, every event is told. */
  live = false
  session: Session | null = null
  device = ''
  views: readonly string[] = []
  /** wake is called when there is something in out, or closed. */
  wake: (() => void) | null = null
  readonly #server: FakeServer
  readonly #held = new Map<string, number>()
  #out: DownFrame[] = []

  constructor(server: FakeServer) {
    this.#server = server
  }

  get caller(): Caller {
    return { user: this.session?.user ?? '', device: this.device }
  }

  /** out takes the frames to the client. */
  out(): DownFrame[] {
    const out = this.#out
    this.#out = []
    return out
  }

  put(f: DownFrame): void {
    this.#out.push(f)
    this.wake?.()
  }

  /** close ends the connection from the client's side. */
  close(): void {
    this.live = false
    this.closed = true
    this.#server.drop(this)
  }

  /** resync drops what waits and tells the client so. */
  resync(): void {
    if (!this.live) return
    this.live = false
    this.#out = []
    this.put({ t: 'resync' })
  }

  beat(): void {
    if (!this.live) return
    const d = this.#server.data
    const heads = this.views.flatMap((room) => {
      const r = d.rooms.get(room)
      const m = r?.members.get(this.caller.user)
      return r && m && !(r.group && m.left) ? [{ room, lastSeq: r.rows.length }] : []
    })
    this.put({ t: 'beat', position: this.#server.position, heads, time: this.#server.now })
  }

  bye(reason: string, reconnect = false): void {
    if (this.closed) return
    this.put({ t: 'bye', error: failure(reason), reconnect, afterMs: 0 })
    this.live = false
    this.closed = true
    this.#server.drop(this)
    this.wake?.()
  }

  /** frame takes one frame of the client. */
  frame(f: UpFrame): void {
    if (this.closed) return
    if (f.t === 'hello') {
      this.#hello(f)
      return
    }
    const id = 'id' in f ? f.id : 0
    const s = this.session
    if (!s) {
      this.#ack(id, { error: failure('unauthenticated', { again: true }) })
      return
    }
    switch (f.t) {
      case 'ping':
        this.beat()
        return
      case 'view':
        this.views = f.rooms
        this.#server.presence(this)
        return
      case 'typing':
        this.#server.typing(this, f.room, f.stopped)
        return
      case 'markRead':
        markRead(this.#server.data, s.user, f.room, f.seq, this.#server.told(null))
        this.#ack(id, {})
        return
      case 'skip':
        this.#named(id, s, f.name, f.room || (f.peer ? directRoom(s.user, f.peer) : 'chat'), f.device || this.device, null)
        return
      case 'change':
        this.#change(id, s, f.op, f.name)
        return
    }
  }

  #hello(h: UpFrame & { t: 'hello' }): void {
    const srv = this.#server
    this.live = false
    const s = srv.data.sessions.get(h.token)
    const bad = !s ? 'unauthenticated' : s.device !== h.device ? 'wrong_device' : srv.data.accounts.get(s.user)?.mustChange ? 'must_change_password' : srv.refuseHello
    if (!s || bad) {
      this.#ack(h.id, { error: failure(bad, { again: true }) })
      return
    }
    this.session = s
    this.device = h.device
    const lost = h.seen !== null && !srv.knows(h.seen)
    if (!lost) {
      const rooms = [...srv.data.rooms.values()].flatMap((r) => {
        const l = lineOf(srv.data, r, this.caller, srv.epoch)
        // A room keeps the position of its change over a restore only as "before the cut".
        const since = h.seen?.epoch === srv.epoch ? h.seen.n : 0
        return l && (l.changed?.n ?? 0) >= since ? [l] : []
      })
      for (let i = 0; i < rooms.length; i += 50) this.put({ t: 'rooms', rooms: rooms.slice(i, i + 50) })
    }
    this.put({
      t: 'welcome', user: s.user, position: srv.position, time: srv.now, rolledBack: lost,
      cut: lost && srv.cut?.epoch === h.seen?.epoch ? srv.cut : null,
    })
    this.live = !lost
    if (!lost && srv.sites.length > 0) this.put({ t: 'sites', sites: srv.sites })
    if (lost) this.session = null
  }

  #ack(id: number, more: Partial<Ack>): void {
    this.put({ t: 'ack', id, position: this.#server.position, time: this.#server.now, seq: 0, room: '', repeated: false, refused: [], error: null, ...more })
  }

  #change(id: number, s: Session, op: Op, name: Name | null): void {
    const srv = this.#server
    if (op.kind === 'createRoom') {
      const v = create(srv.data, this.caller, op, srv.told(null))
      this.#ack(id, { room: v.room, seq: v.seq, time: srv.data.n, refused: v.refused })
      return
    }
    if (!name) {
      this.#ack(id, { error: failure('invalid') })
      return
    }
    if (op.kind === 'block' || op.kind === 'unblock') {
      this.#named(id, s, name, 'chat', this.device, () => block(srv.data, s, op, srv.peopleTold))
      return
    }
    const room = roomOf(op, s.user)
    const told: Told = srv.told(op.kind === 'send' ? this : null)
    this.#named(id, s, name, room, this.device, () => {
      const reason = srv.refuse(op)
      return reason ? { reason, seq: 0, time: 0, refused: [] } : change(srv.data, this.caller, name.n, op, told)
    })
  }

  /** named answers a change with a name, or a skip of it (null). */
  #named(id: number, s: Session, name: Name, scope: string, device: string, apply: (() => Verdict) | null): void {
    const srv = this.#server
    const room = scope === 'chat' ? '' : scope
    const fail = (error: Failure): void => this.#ack(id, { room, error })
    if (name.epoch !== 0 && name.epoch !== srv.epoch) return fail(failure('rolled_back', { again: true }))
    if (srv.data.sessions.get(s.token)?.device !== this.device) return fail(failure('wrong_device', { again: true }))
    if (name.n < name.base || name.n >= name.base + 8) return fail(failure('invalid'))
    const key = device + ' ' + scope
    const held = this.#held.get(key) ?? 0
    if (held !== 0 && name.n > held && name.base <= held) return fail(failure('held', { again: true, n: held }))
    this.#held.delete(key)
    const busy = srv.busy(name.n)
    if (busy) {
      this.#held.set(key, name.n)
      return fail(failure(busy, { again: apply === null || (busy !== 'invalid' && busy !== 'too_large') }))
    }
    try {
      const { verdict: v, repeated } = decide(srv.data, device, scope, name, apply)
      this.#ack(id, {
        room, seq: v.seq, time: v.time, repeated, refused: v.refused,
        error: v.reason ? failure(v.reason, { consumed: true }) : null,
      })
    } catch (e) {
      if (!(e instanceof Fault)) throw e
      fail(e.failure)
    }
  }
}
