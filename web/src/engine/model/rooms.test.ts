import { describe, expect, it } from 'vitest'
import { directRoom, newUser } from '../core/ids.ts'
import type { RoomLine } from '../types.ts'
import { line, me, message, person, World } from './testing.ts'

const ids = (w: World): string[] => w.model.rooms.get().lines.map((l) => l.id)
const get = (w: World, id: string): RoomLine => w.model.rooms.get().byId.get(id)!
const text = (room: string, seq: number, author: string, body: string, more = {}): ReturnType<typeof message> =>
  message(room, seq, 'text', author, { text: body, ord: seq, ...more })

function three(): World {
  const w = new World()
  w.begin(
    line('a', { lastSeq: 1, readSeq: 1, last: text('a', 1, 'bob', 'a1', { time: 3000 }) }),
    line('b', { lastSeq: 1, readSeq: 1, last: text('b', 1, 'bob', 'b1', { time: 2000 }) }),
    line('c', { lastSeq: 1, readSeq: 1, pinned: true, last: text('c', 1, 'bob', 'c1', { time: 1000 }) }),
  )
  return w
}

describe('a 1:1 in which nothing was said yet', () => {
  const [mine, bob, eve] = [1, 2, 3].map((n) => newUser(0, new Uint8Array(16).fill(n))) as [string, string, string]
  const room = directRoom(mine, bob)

  it('is there again after a reload, with its draft, before anything is answered', () => {
    const w = new World()
    w.model.input({ t: 'me', user: mine })
    w.model.input({ t: 'draft', room, text: '쓰던 글' })
    const open = w.model.room(directRoom(mine, eve))
    open.subscribe(() => undefined)
    const strange = w.model.room(directRoom(bob, eve))
    strange.subscribe(() => undefined)
    expect([ids(w), open.get()]).toEqual([[], null])
    w.model.seedPeople({ people: [person(bob), person(eve)], friends: [bob, eve], addedMe: [], blocked: null })
    expect(ids(w)).toEqual([room])
    expect(get(w, room)).toMatchObject({ peer: bob, draft: '쓰던 글', kind: 'direct', provisional: true })
    expect(open.get()?.line.peer).toBe(eve)
    expect(strange.get()).toBe(null)
  })

  it('is there when its address is opened', () => {
    const w = new World()
    w.model.input({ t: 'me', user: mine })
    w.model.seedPeople({ people: [person(bob)], friends: [bob], addedMe: [], blocked: null })
    for (const [user, kind] of [[bob, 'direct'], [mine, 'self']] as const) {
      const open = w.model.room(directRoom(mine, user))
      open.subscribe(() => undefined)
      expect(open.get()?.line).toMatchObject({ kind, peer: user })
    }
  })
})

describe('the list', () => {
  it('is pinned first, then newest first, and moves with messages', () => {
    const w = three()
    expect(ids(w)).toEqual(['c', 'a', 'b'])
    w.live(text('b', 2, 'eve', 'b2', { time: 9000 }))
    expect(ids(w)).toEqual(['c', 'b', 'a'])
    expect(get(w, 'b')).toMatchObject({ unread: 1, lastSeq: 2, last: { author: 'eve', text: 'b2', deleted: false, time: 9000 } })
    w.model.input({ t: 'rooms', rooms: [line('a', { lastSeq: 1, readSeq: 1, pinned: true, last: text('a', 1, 'bob', 'a1', { time: 3000 }) })] })
    expect(ids(w)).toEqual(['a', 'c', 'b'])
  })

  it('is loaded with the first lines, or when the server has none', () => {
    const w = new World()
    expect(w.model.rooms.get().loaded).toBe(false)
    w.welcome()
    expect(w.model.rooms.get().loaded).toBe(true)
  })

  it('gives the same objects for what did not change, with 500 rooms', () => {
    const w = new World()
    w.begin(...Array.from({ length: 500 }, (_, i) => line(`r${i}`, { lastSeq: 1, readSeq: 1, last: text(`r${i}`, 1, 'bob', 'x', { time: i }) })))
    const before = w.model.rooms.get()
    const totals = w.model.totals.get()
    let told = 0
    w.model.rooms.subscribe(() => told++)
    w.model.totals.subscribe(() => told++)
    w.live(text('r7', 2, 'bob', 'new', { time: 1 }))
    w.live(text('r7', 3, 'bob', 'newer', { time: 2 }))
    const after = w.model.rooms.get()
    expect(after).not.toBe(before)
    expect(after.lines.filter((l) => !before.lines.includes(l)).map((l) => l.id)).toEqual(['r7'])
    w.tick()
    expect(told).toBe(2)
    expect(w.model.totals.get()).not.toBe(totals)
    w.model.input({ t: 'read', room: 'r9', user: 'bob', seq: 1 })
    w.model.input({ t: 'rooms', rooms: [line('r3', { lastSeq: 1, readSeq: 1, last: text('r3', 1, 'bob', 'x', { time: 3 }) })] })
    expect(w.model.rooms.get()).toBe(after)
    w.tick()
    expect(told).toBe(2)
  })

  it('puts a group without a message where it began', async () => {
    const cold = new World()
    cold.room('g').add('created', 'bob', { users: [me], time: 2500 })
    cold.begin(
      line('g', { lastSeq: 1 }), line('a', { lastSeq: 1, last: text('a', 1, 'bob', 'a1', { time: 3000 }) }),
      line('b', { lastSeq: 1, last: text('b', 1, 'bob', 'b1', { time: 2000 }) }),
    )
    await cold.rest()
    expect(ids(cold)).toEqual(['a', 'g', 'b'])
    cold.model.input({ t: 'rooms', rooms: [line('new', { lastSeq: 1 })] })
    expect(ids(cold)[0]).toBe('new')
  })

  it('knows kinds and pictures', () => {
    const w = new World()
    w.begin(line('self', { group: false, peer: me }), line('d', { group: false, peer: 'bob' }), line('g'))
    expect([get(w, 'self').kind, get(w, 'd').kind, get(w, 'g').kind]).toEqual(['self', 'direct', 'group'])
    w.live(message('g', 1, 'created', 'bob', { users: [me, 'bob', 'eve', 'kim'] }))
    expect(get(w, 'g').faces).toEqual(['bob', 'eve'])
    w.live(message('g', 2, 'left', 'eve'))
    expect(get(w, 'g')).toMatchObject({ faces: ['bob'], memberCount: 2, lastSeq: 2 })
  })

  it('finds the faces of a group that is seen, once, and takes those it is told', async () => {
    const w = new World()
    for (const g of ['g', 'huge']) w.members.set(g, [me, 'bob', 'eve', 'kim'].map((user) => ({ user, joinedSeq: 1, readSeq: 0 })))
    w.begin(line('g', { memberCount: 4, last: text('g', 1, 'eve', 'x') }), line('h', { memberCount: 3 }), line('huge', { memberCount: 3000 }))
    expect(get(w, 'g').faces).toEqual(['eve'])
    const found: string[][] = []
    const want = (id: string, known: string[] = []) => w.model.wantFaces(id, known, (users) => found.push([...users]))
    want('g')
    want('g')
    want('huge')
    want('h', ['kim', 'bob'])
    await w.rest()
    want('g')
    await w.rest()
    expect(get(w, 'g').faces).toEqual(['eve', 'bob'])
    expect(get(w, 'h').faces).toEqual(['kim', 'bob'])
    expect(get(w, 'huge').faces).toEqual([])
    expect(found).toEqual([['eve', 'bob']])
    expect(w.calls.filter((a) => a.startsWith('members'))).toEqual(['members g'])
  })
})

describe('unread', () => {
  it('counts messages by others, own ones not; read here or elsewhere ends it', async () => {
    const w = three()
    w.live(text('a', 2, 'bob', 'x'))
    w.live(text('a', 3, 'bob', 'y'))
    w.live(message('a', 4, 'edit', 'bob', { target: 2, changed: text('a', 2, 'bob', 'X') }))
    w.live(text('a', 5, me, 'mine'))
    expect(get(w, 'a')).toMatchObject({ unread: 2, readSeq: 1, lastSeq: 5 })
    w.model.input({ t: 'ownRead', room: 'a', seq: 5 })
    expect(get(w, 'a')).toMatchObject({ unread: 0, readSeq: 5 })
    w.live(text('a', 6, me, 'mine'))
    expect(get(w, 'a')).toMatchObject({ unread: 0, readSeq: 6 })
    w.live(text('a', 7, 'bob', 'z'))
    w.model.input({ t: 'read', room: 'a', user: me, seq: 7 })
    expect(get(w, 'a').unread).toBe(0)
    w.live(text('a', 7, 'bob', 'z'))
    expect([get(w, 'a').unread, get(w, 'a').lastSeq]).toEqual([0, 7])
    w.model.input({ t: 'read', room: 'a', user: me, seq: 9 })
    for (const seq of [8, 9, 10]) w.live(text('a', seq, 'bob', 'late'))
    expect(get(w, 'a')).toMatchObject({ unread: 1, readSeq: 9 })
  })

  it('is counted from the rows, or asked for, when a mark moves into the middle', async () => {
    const w = new World()
    const r = w.room('r')
    for (let i = 1; i <= 10; i++) r.text(i === 9 ? me : 'bob', `t${i}`)
    w.begin(r.line({ readSeq: 2, unread: 8 }))
    w.model.input({ t: 'ownRead', room: 'r', seq: 5 })
    // The mark is on its way: an answer from before it says nothing.
    w.pass(500)
    await w.rest()
    expect(w.calls.filter((c) => c === 'room r')).toHaveLength(1)
    w.line = { readSeq: 5, unread: 5 }
    w.pass(1000)
    await w.rest()
    expect(get(w, 'r')).toMatchObject({ readSeq: 5, unread: 5 })
    w.pass(60_000)
    expect(w.calls.filter((c) => c === 'room r')).toHaveLength(2)
    const o = new World()
    const q = o.room('r')
    for (let i = 1; i <= 10; i++) q.text(i === 9 ? me : 'bob', `t${i}`)
    o.begin(q.line({ readSeq: 2, unread: 8 }))
    o.model.room('r').subscribe(() => undefined)
    await o.rest()
    o.model.input({ t: 'ownRead', room: 'r', seq: 5 })
    expect(get(o, 'r')).toMatchObject({ readSeq: 5, unread: 4 })
    expect(o.calls).not.toContain('room r')
  })

  it('does not come back when the server tells a line from before the mark', () => {
    const w = three()
    w.live(text('a', 2, 'bob', 'x'))
    w.model.input({ t: 'ownRead', room: 'a', seq: 2 })
    w.model.input({ t: 'rooms', rooms: [line('a', { lastSeq: 2, readSeq: 1, unread: 1, muted: true, last: text('a', 2, 'bob', 'x') })] })
    expect(get(w, 'a')).toMatchObject({ unread: 0, readSeq: 2, muted: true })
    w.model.input({ t: 'rooms', rooms: [line('a', { lastSeq: 3, readSeq: 1, unread: 2, last: text('a', 3, 'bob', 'y') })] })
    expect(get(w, 'a')).toMatchObject({ unread: 1, readSeq: 2 })
  })

  it('keeps newer rows when an older line is told', () => {
    const w = three()
    w.live(text('a', 2, 'bob', 'x'))
    w.model.input({ t: 'rooms', rooms: [line('a', { lastSeq: 1, readSeq: 1, pinned: true, last: text('a', 1, 'bob', 'a1') })] })
    expect(get(w, 'a')).toMatchObject({ lastSeq: 2, unread: 1, pinned: true, last: { text: 'x' } })
  })

  it('adds up without muted rooms, and counts those among the rooms', () => {
    const w = new World()
    w.begin(line('a', { unread: 3 }), line('b', { unread: 5, muted: true }), line('c'), line('d', { unread: 2, left: true }))
    expect(w.model.totals.get()).toEqual({ unreadTotal: 3, unreadRooms: 2 })
    w.put({ kind: 'mute', room: 'b', on: false })
    expect(w.model.totals.get()).toEqual({ unreadTotal: 8, unreadRooms: 2 })
  })
})

describe('previews', () => {
  it('follow edits and deletions of the last message only', () => {
    const w = three()
    const x = text('a', 2, 'bob', 'x')
    w.live(x)
    w.live(message('a', 3, 'edit', 'bob', { target: 1, changed: text('a', 1, 'bob', 'other') }))
    expect(get(w, 'a').last!.text).toBe('x')
    w.live(message('a', 4, 'edit', 'bob', { target: 2, changed: { ...x, text: 'X', edited: 1 } }))
    expect(get(w, 'a').last!.text).toBe('X')
    w.live(message('a', 5, 'delete', '', { target: 2, changed: { ...x, text: '', deleted: true } }))
    expect(get(w, 'a').last).toMatchObject({ text: '', deleted: true })
    w.live(message('a', 6, 'renamed', 'bob', { text: '새 방' }))
    expect(get(w, 'a')).toMatchObject({ title: '새 방', last: { deleted: true } })
  })

  it('show what is under way, drafts and what failed; the clock is the server\'s', () => {
    const w = three()
    w.model.input({ t: 'welcomed', position: { epoch: 1, n: 2 }, serverTime: w.now - 500, localTime: w.now })
    const op = { kind: 'send', room: 'b', text: '가는 중' } as const
    const id = w.put(op, 'waiting')
    expect(get(w, 'b').last).toEqual({ seq: 0, author: me, text: '가는 중', deleted: false, time: w.now - 500 })
    expect(ids(w)).toEqual(['c', 'b', 'a'])
    w.settle(id, op, { seq: 2, time: 7777 })
    expect(get(w, 'b').last).toMatchObject({ text: '가는 중', time: 7777 })
    w.live(text('b', 2, me, '가는 중', { time: 7777, n: 1 }))
    w.live(text('b', 3, 'bob', '답', { time: 8888 }))
    expect(get(w, 'b').last!.text).toBe('답')
    w.model.input({ t: 'draft', room: 'b', text: '쓰던' })
    expect(get(w, 'b').draft).toBe('쓰던')
    w.model.input({ t: 'draft', room: 'b', text: '' })
    expect(get(w, 'b').draft).toBe('')
    w.model.input({ t: 'draft', room: 'later', text: '일찍' })
    w.model.input({ t: 'rooms', rooms: [line('later')] })
    expect(get(w, 'later').draft).toBe('일찍')
  })
})

describe('rooms that come and go', () => {
  it('a group is there at once, becomes real, or vanishes when it is refused', () => {
    const w = three()
    const op = { kind: 'createRoom', room: 'g', text: '점심', list: ['bob', 'eve'] } as const
    const id = w.put(op)
    expect(get(w, 'g')).toMatchObject({ provisional: true, title: '점심', memberCount: 3, kind: 'group', faces: ['bob', 'eve'] })
    w.model.input({ t: 'rooms', rooms: [line('g', { title: '점심', lastSeq: 1 })] })
    w.settle(id, op, { seq: 1 })
    expect(get(w, 'g').provisional).toBe(false)
    const bad = w.put({ ...op, room: 'h' })
    w.settle(bad, { ...op, room: 'h' }, { ok: false, refusal: { reason: 'limit', subject: '', retryAfterMs: 0, fields: [] } })
    expect(w.model.rooms.get().byId.has('h')).toBe(false)
  })

  it('a room that is left goes from the list; a hidden 1:1 comes back with a message', () => {
    const w = three()
    const op = { kind: 'leave', room: 'a' } as const
    const id = w.put(op)
    expect(ids(w)).toContain('a')
    w.settle(id, op, { seq: 2 })
    expect([ids(w).includes('a'), get(w, 'a').left]).toEqual([false, true])
    w.model.input({ t: 'rooms', rooms: [line('d', { group: false, peer: 'bob', left: true, lastSeq: 4, joinedSeq: 5, readSeq: 4 })] })
    expect(ids(w)).not.toContain('d')
    w.live(text('d', 5, 'bob', '다시'))
    expect([ids(w).includes('d'), get(w, 'd').unread]).toEqual([true, 1])
  })

  it('flags show at once and go back when refused', () => {
    const w = three()
    const refusal = { reason: 'busy', subject: '', retryAfterMs: 0, fields: [] }
    const pin = w.put({ kind: 'pin', room: 'b', on: true })
    const name = w.put({ kind: 'rename', room: 'b', text: '새' })
    expect(get(w, 'b')).toMatchObject({ pinned: true, title: '새' })
    w.settle(pin, { kind: 'pin', room: 'b' }, { ok: false, refusal })
    w.settle(name, { kind: 'rename', room: 'b' }, { seq: 2 })
    expect(get(w, 'b')).toMatchObject({ pinned: false, title: '새' })
  })

  it('a line that is not known is asked for when a message comes', async () => {
    const w = three()
    const r = w.room('x')
    w.live(r.text('stranger', '처음'))
    await w.rest()
    expect(get(w, 'x').last!.text).toBe('처음')
  })

  it('who blocks whom shows in the lines', async () => {
    const w = new World()
    w.blocked = ['eve']
    w.begin(line('b', { group: false, peer: 'bob', blocked: true }), line('e', { group: false, peer: 'eve' }))
    expect([get(w, 'b').blocked, get(w, 'e').blocked]).toEqual([true, false])
    await w.rest()
    expect([get(w, 'b').blocked, get(w, 'e').blocked]).toEqual([false, true])
    w.settle(99, { kind: 'block', peer: 'bob' }, {})
    expect([get(w, 'b').blocked, w.model.people.get().blocked]).toEqual([true, ['eve', 'bob']])
  })

  it('another account begins with nothing', async () => {
    const w = three()
    w.people.set('bob', person('bob'))
    w.model.wantPeople(['bob'])
    const signal = w.model.room('a')
    signal.subscribe(() => undefined)
    await w.rest()
    expect(signal.get()).not.toBe(null)
    w.model.input({ t: 'me', user: 'someone else' })
    expect([w.model.rooms.get().lines.length, w.model.rooms.get().loaded, w.model.people.get().byId.size, signal.get()]).toEqual([0, false, 0, null])
  })
})
