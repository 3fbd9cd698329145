// Rows and lines: what is told, what is read from history, what is stored for the next start.
import { describe, expect, test } from 'vitest'
import type { Message } from '../inner.ts'
import { directRoom, groupRoom, newUser } from './ids.ts'
import { advance } from './lines.ts'
import type { TestDevice } from './world.ts'
import { World } from './world.ts'

function two(): { w: World; a: TestDevice; b: TestDevice; room: string } {
  const w = new World(2)
  w.calm = true
  const a = w.add('alice'), b = w.add('bob')
  w.settle()
  b.submit({ kind: 'send', peer: a.user, text: 'first' })
  b.pump()
  w.settle()
  a.outputs = []
  a.got.clear()
  return { w, a, b, room: a.roomWith(b) }
}

const seqs = (d: TestDevice, room: string): number[] => (d.got.get(room) ?? []).map((m) => m.seq)
const fetches = (d: TestDevice): number => d.outputs.filter((o) => o.t === 'fetch').length

/** away sends messages while a client has no connection. */
function away(w: World, a: TestDevice, b: TestDevice, room: string, n: number): void {
  a.cutAll()
  for (const l of a.links.values()) l.dead = true
  for (let i = 0; i < n; i++) b.send(room, String(i))
  b.serve()
  for (let i = 0; i < 8 * n + 40; i++) b.step()
  w.settle()
}

describe('ids', () => {
  const seq = (from: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => from + i)
  test('are those of the server', () => {
    const a = newUser(0x0001, seq(0)), b = newUser(0xa0b1, seq(100))
    expect([a, b]).toEqual(['aaa34roleyc36nv6', 'ucyqo34bsau7eur3'])
    expect([directRoom(a, b), directRoom(b, a)]).toEqual(['aaaqcmtvywtbgmq3vcebz2ickm', 'aaaqcmtvywtbgmq3vcebz2ickm'])
    expect(directRoom(a, a)).toBe('aaaqcq5fuwy3gi7afcewfypsue')
    expect(groupRoom(b, seq(50))).toBe('ucyqfdblgfrkbwpmsf7atdrlim')
    for (const bad of ['', 'AAA34ROLEYC36NV6', a + 'a', a.slice(1), '0' + a.slice(1)]) expect(directRoom(bad, b)).toBe('')
  })
})

describe('rows', () => {
  test('an own row comes with the answer: nothing is asked for', () => {
    const { w, a, b, room } = two()
    a.core.view(w.now, [room])
    a.send(room, 'mine')
    a.serve()
    b.send(room, 'theirs')
    b.serve()
    const id = [...a.links.keys()][0] ?? 0
    const frames = a.links.get(id)?.conn.out().filter((f) => f.t === 'ack' || f.t === 'message') ?? []
    expect(frames.map((f) => f.t)).toEqual(['ack', 'message'])
    for (const f of frames.reverse()) a.core.frame(w.now, id, f)
    a.pump()
    expect(fetches(a)).toBe(0)
    expect(a.got.get(room)?.map((m) => [m.seq, m.text, m.ord, m.n])).toEqual([[2, 'mine', 2, 1], [3, 'theirs', 3, 0]])
  })

  test('a gap in a room in view is read; elsewhere the line tells', () => {
    for (const view of [true, false]) {
      const { w, a, b, room } = two()
      if (view) a.core.view(w.now, [room])
      b.send(room, 'second')
      w.settle()
      away(w, a, b, room, 5)
      expect(fetches(a)).toBe(view ? 1 : 0)
      expect(a.lines.get(room)?.lastSeq).toBe(7)
      b.send(room, 'live again')
      w.settle()
      expect(seqs(a, room)).toEqual(view ? [2, 3, 4, 5, 6, 7, 8] : [2, 8])
    }
  })

  test('a gap is read although one writes without pause and the room goes on', () => {
    const { w, a, b, room } = two()
    a.core.view(w.now, [room])
    a.pump()
    w.settle()
    a.outputs = []
    a.send(room, 'not answered')
    a.serve()
    const id = [...a.links.keys()][0] ?? 0
    const arrive = (): void => {
      for (const f of a.links.get(id)?.conn.out() ?? []) if (f.t === 'message') a.core.frame(w.now, id, f)
      a.pump()
    }
    b.send(room, 'missing')
    b.serve()
    a.links.get(id)?.conn.out()
    for (let i = 0; i < 10; i++) {
      w.now += 100
      b.send(room, String(i))
      b.serve()
      arrive()
    }
    expect(fetches(a)).toBeGreaterThan(0)
  })

  test('after a long absence the line tells, also in view', () => {
    const { w, a, b, room } = two()
    a.core.view(w.now, [room])
    away(w, a, b, room, 450)
    expect(fetches(a)).toBe(0)
    expect(a.lines.get(room)?.lastSeq).toBe(451)
    b.send(room, 'live again')
    w.settle()
    expect(seqs(a, room)).toEqual([452])
  })

  test('of the first paint go on where the cache ends', () => {
    const { w, a, b, room } = two()
    for (let i = 0; i < 10; i++) b.send(room, String(i))
    w.settle()
    w.now += 6000
    w.settle()
    a.core.goOffline(w.now)
    a.serve()
    a.start()
    a.core.watch(w.now, room, 4)
    a.pump()
    w.settle()
    expect(seqs(a, room)).toEqual([5, 6, 7, 8, 9, 10, 11])
  })

  test('a lost last row is noticed by a beat', () => {
    const { w, a, b, room } = two()
    a.core.view(w.now, [room])
    w.settle()
    b.send(room, 'lost')
    b.serve()
    const id = [...a.links.keys()][0] ?? 0
    a.links.get(id)?.conn.out()
    a.links.get(id)?.conn.beat()
    w.settle()
    expect(seqs(a, room)).toEqual([2])
  })

  test('a missing own answer is waited for 300 ms, then rows go on', () => {
    const { w, a, b, room } = two()
    a.send(room, 'mine')
    a.serve()
    b.send(room, 'theirs')
    b.serve()
    const id = [...a.links.keys()][0] ?? 0
    const event = a.links.get(id)?.conn.out().find((f) => f.t === 'message')
    if (!event) throw new Error('no event')
    a.core.frame(w.now, id, event)
    a.pump()
    expect(seqs(a, room)).toEqual([])
    expect(a.core.nextWake).toBe(w.now + 300)
    w.now += 300
    a.wake()
    expect(seqs(a, room)).toEqual([3])
  })

  test('of a group begin where one joined', () => {
    const { w, a, b } = two()
    const bytes = new Uint8Array(16).fill(3)
    const room = groupRoom(a.user, bytes)
    a.submit({ kind: 'createRoom', text: 'g', bytes })
    for (let i = 0; i < 5; i++) a.send(room, String(i))
    w.settle()
    a.submit({ kind: 'invite', room, list: [b.user] })
    a.pump()
    b.core.watch(w.now, room, 0)
    w.settle()
    a.send(room, 'welcome')
    w.settle()
    expect(b.lines.get(room)).toMatchObject({ joinedSeq: 7, title: 'g', memberCount: 2 })
    expect(seqs(b, room).at(-1)).toBe(8)
    b.submit({ kind: 'leave', room })
    b.pump()
    w.settle()
    a.send(room, 'alone')
    w.settle()
    expect(b.lines.get(room)?.left).toBe(true)
    expect(seqs(b, room).at(-1)).toBe(9)
  })
})

describe('lines', () => {
  test('all of them at the first start, then those that changed', () => {
    const { w, a, b, room } = two()
    a.restart(false)
    w.settle()
    const hello = (): unknown => a.outputs.findLast((o) => o.t === 'frame' && o.frame.t === 'hello')
    expect(hello()).toMatchObject({ frame: { seen: { epoch: 1 } } })
    expect(a.store.state().rooms.map((r) => r.id)).toEqual([room])
    const c = w.add('carol')
    b.submit({ kind: 'send', peer: c.user, text: 'x' })
    b.pump()
    w.settle()
    expect(a.lines.size).toBe(1)
  })

  test('seen is never stored before what it stands for', () => {
    const { w, a, b, room } = two()
    for (let i = 0; i < 30; i++) {
      b.send(room, String(i))
      w.now += 1000
      for (let k = 0; k < 40; k++) for (const d of [a, b]) d.step()
      a.restart(true) // what is not safe may be lost from any transaction on
    }
    w.settle()
    const has = w.server.room(a.token, room)
    expect(a.core.line(room)).toEqual(has)
    a.restart(false)
    w.settle()
    expect(a.core.line(room)).toEqual(has)
  })

  test('follow the rows until the next start', () => {
    const { w, a, b, room } = two()
    b.send(room, 'one')
    b.send(room, 'two')
    w.settle()
    expect(a.core.line(room)).toMatchObject({ unread: 3, lastSeq: 3, last: { text: 'two' } })
    a.core.markRead(w.now, room, 3)
    a.pump()
    expect(a.core.line(room)).toMatchObject({ unread: 0, readSeq: 3 })
    w.settle()
    expect(w.server.room(b.token, room)?.unread).toBe(0)
    expect(w.server.room(a.token, room)?.unread).toBe(0)
    w.now += 6000
    a.wake()
    w.settle()
    expect(a.store.state().rooms[0]).toEqual(a.core.line(room))
  })

  test('take edits of the last message, titles and members', () => {
    const m = (kind: Message['kind'], seq: number, more: Partial<Message> = {}): Message => ({
      room: 'r', seq, kind, author: 'b', time: 0, ord: seq, text: '', replyTo: 0, edited: 0, deleted: false, target: 0, reaction: 0, users: [],
      reactions: [], myReaction: 0, changed: null, n: 0, ...more,
    })
    let l = advance({
      id: 'r', group: true, title: '', peer: '', lastSeq: 1, joinedSeq: 1, readSeq: 1, unread: 0, memberCount: 2, muted: false, pinned: false,
      left: false, last: null, changed: { epoch: 1, n: 1 }, blocked: false,
    }, m('text', 2, { text: 'a' }), 'me')
    expect(l).toMatchObject({ unread: 1, last: { text: 'a' } })
    expect(advance(l, m('text', 2), 'me')).toBe(l)
    for (const next of [m('edit', 3, { target: 2, changed: m('text', 2, { text: 'b' }) }), m('renamed', 4, { text: 't' }), m('invited', 5, { users: ['c', 'd'] }), m('left', 6)]) {
      l = advance(l, next, 'me')
    }
    expect(l).toMatchObject({ unread: 1, lastSeq: 6, title: 't', memberCount: 3, last: { text: 'b' } })
  })
})

test('a model that begins is told all there is', () => {
  const { w, a, room } = two()
  w.server.refuse = () => 'cannot_receive'
  a.send(room, 'refused')
  w.settle()
  a.cutAll()
  a.send(room, 'waits')
  const list = a.core.snapshot()
  expect(list.map((i) => i.t)).toEqual(['me', 'rooms', 'item', 'kept', 'connection'])
  expect(list[2]).toMatchObject({ item: { op: { text: 'waits' } } })
})

test('reading, typing and presence pass through', () => {
  const { w, a, b, room } = two()
  a.core.view(w.now, [room])
  w.settle()
  b.core.view(w.now, [room])
  b.core.typing(room, false)
  b.core.markRead(w.now, room, 1)
  b.pump()
  a.outputs = []
  w.settle()
  const told = a.outputs.flatMap((o) => (o.t === 'input' ? [o.input] : []))
  expect(told).toContainEqual({ t: 'typing', room, user: b.user, stopped: false, at: expect.any(Number) })
  const c = b.outputs.flatMap((o) => (o.t === 'input' && o.input.t === 'presence' ? [o.input.online] : []))
  expect(c.at(-1)).toBe(2)
})
