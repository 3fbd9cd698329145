import { describe, expect, it, vi } from 'vitest'
import type { MessageRow, RoomState, Row } from '../types.ts'
import { line, me, message, World } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

function texts(rows: readonly Row[]): string[] {
  return rows.map((r) => (r.kind === 'message' ? r.text : r.kind === 'system' ? r.what : 'gap'))
}

function row(s: RoomState, text: string): MessageRow {
  const r = s.rows.find((x) => x.kind === 'message' && x.text === text)
  if (!r || r.kind !== 'message') throw new Error(`no row ${text} in ${texts(s.rows).join()}`)
  return r
}

class Opened {
  told = 0
  stop: () => void
  private readonly signal
  constructor(readonly w: World, id: string) {
    this.signal = w.model.room(id)
    this.stop = this.signal.subscribe(() => this.told++)
  }
  get s(): RoomState {
    const s = this.signal.get()
    if (!s) throw new Error('no room')
    return s
  }
}

async function open(w: World, id = 'r'): Promise<Opened> {
  const o = new Opened(w, id)
  await w.rest()
  return o
}

function filled(n: number): World {
  const w = new World()
  for (let i = 1; i <= n; i++) w.room('r').text('bob', `t${i}`)
  w.begin(w.room('r').line())
  return w
}

describe('paging', () => {
  it('knows a room of which nothing was read from one of which all was', async () => {
    for (const [readSeq, unread, expected] of [[0, 20, 0], [20, 0, -1]] as const) {
      const w = new World()
      for (let i = 1; i <= 20; i++) w.room('r').text('bob', `t${i}`)
      w.begin(w.room('r').line({ readSeq, unread }))
      expect((await open(w)).s.readLine).toBe(expected)
    }
  })

  it('is not at its end before its rows are here: what is under way is not all there is', async () => {
    const w = filled(20)
    w.auto = false
    w.put({ kind: 'send', room: 'r', text: 'waiting' })
    const o = await open(w)
    expect([texts(o.s.rows), o.s.loaded, o.s.atEnd]).toEqual([['waiting'], false, false])
    while (w.pending.length > 0) {
      for (const p of w.pending.splice(0)) p.deliver()
      await w.rest()
    }
    expect([o.s.rows.length, o.s.loaded, o.s.atEnd]).toEqual([21, true, true])
  })

  it('opens with the newest page and pages to the first row', async () => {
    const w = filled(250)
    const o = await open(w)
    expect(o.s.rows.length).toBe(100)
    expect([o.s.atStart, o.s.atEnd, row(o.s, 't151').seq]).toEqual([false, true, 151])
    const first = row(o.s, 't151')
    w.model.loadOlder('r')
    expect(o.s.loadingOlder).toBe(true)
    w.model.loadOlder('r')
    await w.rest()
    expect(o.s.rows.length).toBe(200)
    expect(row(o.s, 't151')).toBe(first)
    w.model.loadOlder('r')
    await w.rest()
    expect([o.s.rows.length, o.s.atStart, o.s.loadingOlder]).toEqual([250, true, false])
    w.model.loadOlder('r')
    await w.rest()
    expect(w.calls.filter((c) => c.startsWith('history')).length).toBe(3)
  })

  it('shows the cached stretch first and reads nothing if it reaches the end', async () => {
    const w = filled(50)
    w.cached.set('r', [20, 21, ...Array.from({ length: 20 }, (_, i) => 31 + i)].map((seq) => w.room('r').read(seq)))
    const o = await open(w)
    expect(texts(o.s.rows)[0]).toBe('t31')
    expect([o.s.rows.length, o.s.atStart, o.s.atEnd]).toEqual([20, false, true])
    expect(w.calls.some((c) => c.startsWith('history'))).toBe(false)
  })

  it('joins the cached stretch with the newest page, and replaces it if rows lie between', async () => {
    const w = filled(300)
    w.cached.set('r', [195, 196, 197, 198, 199, 200].map((seq) => w.room('r').read(seq)))
    const o = await open(w)
    expect([texts(o.s.rows)[0], o.s.rows.length]).toEqual(['t195', 106])
    const far = filled(300)
    far.cached.set('r', [100, 101].map((seq) => far.room('r').read(seq)))
    const p = await open(far)
    expect([texts(p.s.rows)[0], p.s.rows.length]).toEqual(['t201', 100])
  })

  it('jumps into the middle, only counts there, and pages to the end', async () => {
    const w = filled(1000)
    const o = await open(w)
    await w.model.jumpTo('r', 300)
    expect([o.s.rows[0]!.seq, o.s.rows.at(-1)!.seq, o.s.atEnd]).toEqual([251, 350, false])
    w.live(w.room('r').text('bob', 'new'))
    expect([o.s.rows.length, o.s.line.lastSeq, o.s.line.unread, o.s.line.last!.text]).toEqual([100, 1001, 1, 'new'])
    w.live(w.room('r').edit('bob', 300, 'edited'))
    expect([row(o.s, 'edited').seq, row(o.s, 'edited').edited]).toEqual([300, true])
    for (let i = 0; i < 7; i++) {
      w.model.loadNewer('r')
      await w.rest()
    }
    expect([o.s.atEnd, o.s.rows.length, texts(o.s.rows).at(-1)]).toEqual([true, 751, 'new'])
    w.live(w.room('r').text('bob', 'newer'))
    expect(texts(o.s.rows).at(-1)).toBe('newer')
    await w.model.jumpTo('r', 1)
    await w.model.jumpTo('r', 0)
    expect([o.s.atEnd, texts(o.s.rows).at(-1), o.s.rows.length]).toEqual([true, 'newer', 99])
  })

  it('tells the subscribers before a jump is over, and rejects one that cannot be made', async () => {
    const w = filled(1000)
    const o = await open(w)
    const told = o.told
    await w.model.jumpTo('r', 5)
    expect(o.told).toBeGreaterThan(told)
    w.down = true
    await expect(w.model.jumpTo('r', 700)).rejects.toMatchObject({ refusal: { reason: 'unreachable' } })
  })

  it('reads what is missing before a live row, and gives up following if it is much', async () => {
    const w = filled(10)
    const o = await open(w)
    const r = w.room('r')
    r.text('bob', 'a')
    r.text('bob', 'b')
    w.live(r.text('bob', 'c'))
    expect(texts(o.s.rows).at(-1)).toBe('t10')
    w.pass(1000)
    await w.rest()
    expect(texts(o.s.rows).slice(-3)).toEqual(['a', 'b', 'c'])
    for (let i = 0; i < 1000; i++) r.text('bob', `m${i}`)
    w.model.input({ t: 'rooms', rooms: [r.line({ unread: 1000, readSeq: 13 })] })
    w.pass(1000)
    await w.rest()
    expect([o.s.rows.length, o.s.atEnd]).toEqual([313, false])
  })

  it('says what failed and reads again with the next connection', async () => {
    const w = filled(300)
    w.down = true
    const o = await open(w)
    expect([o.s.rows.length, o.s.failed?.reason, o.s.loadingOlder, o.s.members]).toEqual([0, 'unreachable', false, null])
    w.down = false
    w.members.set('r', [{ user: me, joinedSeq: 1, readSeq: 300 }])
    w.welcome()
    await w.rest()
    expect([o.s.rows.length, o.s.failed, o.s.members!.length]).toEqual([100, null, 1])
    w.down = true
    w.model.loadOlder('r')
    await w.rest()
    expect([o.s.rows.length, o.s.failed?.reason]).toEqual([100, 'unreachable'])
    w.down = false
    w.model.loadOlder('r')
    await w.rest()
    expect([o.s.rows.length, o.s.failed]).toEqual([200, null])
  })

  it('keeps the newest rows of a closed room and grows with it', async () => {
    const w = filled(400)
    const o = await open(w)
    w.model.loadOlder('r')
    await w.rest()
    const kept = row(o.s, 't400')
    expect([...w.watched]).toEqual([['r', 400]])
    o.stop()
    w.tick()
    await w.rest()
    expect(w.watched.size).toBe(0)
    expect(o.s.rows.length).toBe(100)
    w.live(w.room('r').text('bob', 'while closed'))
    w.calls.length = 0
    const again = await open(w)
    expect([again.s.rows.length, again.s.readLine, row(again.s, 't400') === kept]).toEqual([101, 400, true])
    expect(w.calls.some((c) => c.startsWith('history'))).toBe(false)
    await w.model.jumpTo('r', 5)
    again.stop()
    w.tick()
    expect(again.s.rows.length).toBe(0)
  })

  it('goes on if a view leaves and comes back at once', async () => {
    const w = filled(400)
    const o = await open(w)
    await w.model.jumpTo('r', 5)
    o.stop()
    const again = new Opened(w, 'r')
    w.tick()
    await w.rest()
    expect(again.s.rows[0]!.seq).toBe(1)
  })
})

describe('folding', () => {
  it('folds edits, deletions and reactions; system lines are rows', async () => {
    const w = new World()
    const r = w.room('r')
    r.add('created', me, { users: ['bob'] })
    r.text(me, 'one', { n: 1 })
    r.text('bob', 'two')
    r.edit(me, 2, 'one!')
    r.react('bob', 2, 1)
    r.react(me, 3, 2)
    w.begin(r.line())
    const o = await open(w)
    expect(texts(o.s.rows)).toEqual(['created', 'one!', 'two'])
    expect(row(o.s, 'one!')).toMatchObject({ edited: true, own: true, reactions: [1, 0, 0, 0, 0, 0], myReaction: 0 })
    expect(row(o.s, 'two')).toMatchObject({ reactions: [0, 1, 0, 0, 0, 0], myReaction: 2 })
    w.live(r.react(me, 3, 2))
    expect(row(o.s, 'two')).toMatchObject({ reactions: [], myReaction: 0 })
    w.live(r.remove('bob', 3))
    expect(o.s.rows[2]).toMatchObject({ deleted: true, text: '', reactions: [] })
    w.live(r.add('renamed', 'bob', { text: '새 이름' }))
    w.live(r.add('other', 'bob'))
    expect(o.s.rows[3]).toMatchObject({ kind: 'system', what: 'renamed', title: '새 이름' })
    expect(o.s.rows.length).toBe(4)
  })

  it('keeps a change of a row that is loaded later, even if the page is older than the change', async () => {
    const w = filled(300)
    const o = await open(w)
    w.auto = false
    w.model.loadOlder('r')
    const page = w.pending.find((p) => p.what.startsWith('history'))!
    page.made!()
    w.live(w.room('r').edit('bob', 150, 'late edit'))
    page.deliver()
    await w.rest()
    expect(row(o.s, 'late edit').seq).toBe(150)
  })

  it('loads what a row answers once, and keeps it up to date', async () => {
    const w = filled(300)
    const r = w.room('r')
    r.text('bob', 'answer', { replyTo: 5 })
    r.text('bob', 'again', { replyTo: 5 })
    r.text('bob', 'near', { replyTo: 299 })
    w.model.input({ t: 'rooms', rooms: [r.line()] })
    const o = await open(w)
    expect(row(o.s, 'answer').reply).toEqual({ seq: 5, author: 'bob', text: 't5', deleted: false, loaded: true })
    expect(row(o.s, 'near').reply).toMatchObject({ text: 't299', loaded: true })
    expect(w.calls.filter((c) => c === 'history r 5 on 1').length).toBe(1)
    w.live(r.edit('bob', 5, 'five'))
    expect([row(o.s, 'answer').reply!.text, row(o.s, 'again').reply!.text]).toEqual(['five', 'five'])
    w.live(r.remove('bob', 299))
    expect(row(o.s, 'near').reply).toMatchObject({ deleted: true, text: '' })
  })

  it('asks for a quoted row again after the connection came back', async () => {
    const w = filled(300)
    w.room('r').text('bob', 'answer', { replyTo: 5 })
    w.cached.set('r', [w.room('r').read(301)])
    w.model.input({ t: 'rooms', rooms: [w.room('r').line()] })
    w.down = true
    const o = await open(w)
    expect(row(o.s, 'answer').reply).toMatchObject({ loaded: false })
    w.down = false
    w.welcome()
    await w.rest()
    expect(row(o.s, 'answer').reply).toMatchObject({ loaded: true, text: 't5' })
  })
})

describe('own messages', () => {
  it('keep their key and place from item to row', async () => {
    const w = filled(3)
    const o = await open(w)
    const op = { kind: 'send', room: 'r', text: '하나' } as const
    const id = w.put(op, 'waiting')
    const second = w.put({ ...op, text: '둘' }, 'waiting')
    expect(texts(o.s.rows).slice(-2)).toEqual(['하나', '둘'])
    expect(row(o.s, '하나')).toMatchObject({ state: 'waiting', item: id, seq: 0, own: true })
    expect(o.s.line.last!.text).toBe('둘')
    const key = row(o.s, '하나').key
    w.live(w.room('r').text('bob', 'between'))
    expect(texts(o.s.rows).slice(-3)).toEqual(['between', '하나', '둘'])
    w.live(w.room('r').text(me, '하나', { n: 1 }))
    w.settle(id, op, { seq: 5, time: 5000 })
    expect(texts(o.s.rows).slice(-3)).toEqual(['between', '하나', '둘'])
    expect(row(o.s, '하나')).toMatchObject({ state: 'sent', item: 0, seq: 5, key, time: 5000 })
    expect(row(o.s, '둘')).toMatchObject({ state: 'waiting', item: second })
    expect([o.s.line.unread, o.s.line.readSeq]).toEqual([1, 3])
  })

  it('are shown once when the verdict comes before the row, or the row before the verdict', async () => {
    const w = filled(3)
    const o = await open(w)
    const op = { kind: 'send', room: 'r', text: '먼저' } as const
    const id = w.put(op)
    const key = row(o.s, '먼저').key
    w.settle(id, op, { seq: 4 })
    expect(row(o.s, '먼저')).toMatchObject({ state: 'sent', key, seq: 4, item: 0 })
    w.live(w.room('r').text(me, '먼저', { n: 1 }))
    expect(texts(o.s.rows)).toEqual(['t1', 't2', 't3', '먼저'])
    expect(row(o.s, '먼저').key).toBe(key)

    const next = w.put({ ...op, text: '나중' }, 'unknown', 2)
    const nextKey = row(o.s, '나중').key
    w.live(w.room('r').text(me, '나중', { n: 2 }))
    expect(texts(o.s.rows)).toEqual(['t1', 't2', 't3', '먼저', '나중'])
    expect(row(o.s, '나중')).toMatchObject({ state: 'sent', key: nextKey })
    w.model.input({ t: 'item', item: w.asItem(next, { ...op, text: '나중' }, 'sending', 2) })
    expect(o.s.rows.length).toBe(5)
    w.settle(next, op, { seq: 5 })
    expect([o.s.rows.length, row(o.s, '나중').key]).toEqual([5, nextKey])
  })

  it('are kept when refused, until they are discarded', async () => {
    const w = filled(1)
    const o = await open(w)
    const op = { kind: 'send', room: 'r', text: '안 돼요' } as const
    const refusal = { reason: 'cannot_receive', subject: '', retryAfterMs: 0, fields: [] }
    const id = w.put(op)
    const key = row(o.s, '안 돼요').key
    w.settle(id, op, { ok: false, refusal })
    w.model.input({ t: 'kept', kept: { id, op: { uid: 'u', ...op }, created: w.now, refusal } })
    expect(row(o.s, '안 돼요')).toMatchObject({ state: 'refused', refusal, key, item: id })
    expect(o.s.line.failed).toBe(1)
    w.model.input({ t: 'unkept', id })
    expect([o.s.rows.length, o.s.line.failed]).toEqual([1, 0])
    const given = w.put(op)
    w.settle(given, op, { ok: false, givenUp: true })
    expect(o.s.rows.length).toBe(1)
  })

  it('show changes at once, and take them back when they are refused', async () => {
    const w = filled(2)
    const r = w.room('r')
    const o = await open(w)
    const edit = { kind: 'edit', room: 'r', seq: 2, text: '고침' } as const
    const id = w.put(edit)
    expect(row(o.s, '고침')).toMatchObject({ changing: true, edited: true })
    expect(o.s.line.last!.text).toBe('고침')
    w.settle(id, edit, { ok: false, refusal: { reason: 'too_late', subject: '', retryAfterMs: 0, fields: [] } })
    expect(row(o.s, 't2')).toMatchObject({ changing: false, edited: false })
    const again = w.put(edit)
    w.settle(again, edit, { seq: 3 })
    expect(row(o.s, '고침')).toMatchObject({ changing: false, edited: true })
    w.live(r.edit('bob', 2, '고침'))
    expect(row(o.s, '고침')).toMatchObject({ changing: false, edited: true })
    const gone = w.put({ kind: 'delete', room: 'r', seq: 2 })
    expect(o.s.rows[1]).toMatchObject({ deleted: true, text: '', changing: true })
    expect(o.s.line.last!.deleted).toBe(true)
    w.live(r.remove('bob', 2))
    w.settle(gone, { kind: 'delete', room: 'r', seq: 2 }, { seq: 4 })
    expect(o.s.rows[1]).toMatchObject({ deleted: true, changing: false })
  })

  it('do not flip a reaction twice, whichever of row and verdict comes first', async () => {
    for (const rowFirst of [true, false]) {
      const w = filled(2)
      const r = w.room('r')
      const o = await open(w)
      const op = { kind: 'react', room: 'r', seq: 1, reaction: 3 } as const
      const here = { reactions: [0, 0, 1, 0, 0, 0], myReaction: 3 }
      const steps = (id: number, live: () => void, seq: number): (() => void)[] =>
        rowFirst ? [live, () => w.settle(id, op, { seq })] : [() => w.settle(id, op, { seq }), live]
      const id = w.put(op)
      expect(row(o.s, 't1')).toMatchObject(here)
      for (const step of steps(id, () => w.live(r.react(me, 1, 3)), 3)) {
        step()
        expect(row(o.s, 't1')).toMatchObject(here)
      }
      const back = w.put(op)
      expect(row(o.s, 't1')).toMatchObject({ reactions: [], myReaction: 0 })
      for (const step of steps(back, () => w.live(r.react(me, 1, 3)), 4)) {
        step()
        expect(row(o.s, 't1')).toMatchObject({ reactions: [], myReaction: 0 })
      }
    }
  })
})

it('typing that a message has overtaken does not begin again', async () => {
  const w = filled(1)
  const o = await open(w)
  const typing = (user: string) => w.model.input({ t: 'typing', room: 'r', user, stopped: false, at: 0 })
  w.live(w.room('r').text('bob', 'quick'))
  typing('bob')
  typing('eve')
  expect(o.s.typing).toEqual(['eve'])
  w.pass(500)
  typing('bob')
  expect(o.s.typing).toEqual(['eve', 'bob'])
})

describe('membership and restore', () => {
  it('a provisional 1:1 becomes a real one without losing its bubble', async () => {
    const w = filled(0)
    w.model.provisional('d', 'bob')
    const o = await open(w, 'd')
    expect([o.s.atStart, o.s.atEnd, o.s.line.provisional, o.s.rows.length]).toEqual([true, true, true, 0])
    expect(w.model.rooms.get().lines.some((l) => l.id === 'd')).toBe(false)
    const op = { kind: 'send', room: 'd', peer: 'bob', text: '안녕' } as const
    const id = w.put(op)
    expect(w.model.rooms.get().lines[0]!.id).toBe('d')
    const key = row(o.s, '안녕').key
    const d = w.room('d')
    d.joined = 0
    const first = d.text(me, '안녕', { n: 1 })
    w.model.input({ t: 'rooms', rooms: [d.line({ group: false, peer: 'bob', readSeq: 1 })] })
    expect(texts(o.s.rows)).toEqual(['안녕'])
    w.live(first)
    w.settle(id, op, { seq: 1 })
    expect([texts(o.s.rows), row(o.s, '안녕').key, o.s.line.provisional, o.s.line.kind]).toEqual([['안녕'], key, false, 'direct'])
    expect(w.calls.some((c) => c.startsWith('history d'))).toBe(false)
  })

  it('forgets what was before, when invited again', async () => {
    const w = filled(20)
    const r = w.room('r')
    const o = await open(w)
    w.live(r.add('left', me))
    w.model.input({ t: 'rooms', rooms: [line('r', { left: true, lastSeq: 0, title: '' })] })
    expect([o.s.line.left, o.s.line.title, w.model.rooms.get().lines.length, o.s.rows.length]).toEqual([true, 'r', 0, 21])
    w.model.loadOlder('r')
    r.text('bob', 'secret')
    r.add('invited', 'bob', { users: [me] })
    r.joined = 23
    r.text('bob', 'welcome')
    w.model.input({ t: 'rooms', rooms: [r.line({ readSeq: 23, unread: 1 })] })
    await w.rest()
    expect([texts(o.s.rows), o.s.atStart, o.s.line.left, w.model.rooms.get().lines.length]).toEqual([['invited', 'welcome'], true, false, 1])
  })

  it('is read anew after a restore, without vanishing in between', async () => {
    const w = filled(20)
    const o = await open(w)
    w.live(w.room('r').text('bob', 'lost'))
    const kept = new World()
    kept.room('r').text('bob', 'kept')
    w.rooms.set('r', kept.room('r'))
    w.model.input({ t: 'rolledBack', cut: { epoch: 1, n: 99 } })
    expect([o.s.rows.length, o.s.line.title]).toEqual([0, 'r'])
    w.model.input({ t: 'rooms', rooms: [kept.room('r').line()] })
    w.welcome()
    await w.rest()
    expect([texts(o.s.rows), o.s.line.lastSeq, o.s.atEnd]).toEqual([['kept'], 1, true])
    w.model.input({ t: 'rolledBack', cut: null })
    w.welcome()
    expect([w.model.rooms.get().lines.length, w.model.room('r').get()]).toEqual([0, null])
  })

  it('leaves alone what a restore has not undone', async () => {
    const w = filled(20)
    const o = await open(w)
    w.model.input({ t: 'rolledBack', cut: { epoch: 1, n: 1 } })
    expect(o.s.rows.length).toBe(20)
  })

  it('is asked for when nothing is known of it', async () => {
    const w = filled(0)
    w.room('x').text('bob', 'hello')
    const signal = w.model.room('x')
    expect(signal.get()).toBe(null)
    signal.subscribe(() => undefined)
    await w.rest()
    expect(texts(signal.get()!.rows)).toEqual(['hello'])
    expect(w.model.room('x')).toBe(signal)
  })
})

describe('who is there', () => {
  it('counts who has not read a message, live', async () => {
    const w = filled(10)
    w.members.set('r', [
      { user: me, joinedSeq: 1, readSeq: 10 }, { user: 'bob', joinedSeq: 1, readSeq: 4 }, { user: 'eve', joinedSeq: 8, readSeq: 8 },
    ])
    const o = await open(w)
    const at = o.s.unreadAt
    expect([at(3, me), at(5, me), at(9, me), at(9, 'bob'), at(10, 'eve')]).toEqual([0, 1, 2, 1, 1])
    const rows = o.s.rows
    w.model.input({ t: 'read', room: 'r', user: 'bob', seq: 9 })
    expect(o.s.unreadAt).not.toBe(at)
    expect(o.s.rows).toBe(rows)
    expect([o.s.unreadAt(9, me), o.s.members!.find((m) => m.user === 'bob')!.readSeq]).toEqual([1, 9])
    w.live(w.room('r').add('invited', 'bob', { users: ['kim'] }))
    expect([o.s.members!.length, o.s.line.memberCount, o.s.unreadAt(12, me)]).toEqual([4, 4, 3])
    w.live(w.room('r').add('left', 'eve'))
    expect([o.s.members!.length, o.s.line.memberCount]).toEqual([3, 3])
  })

  it('reads the members of a room again after all was forgotten while they were being read', async () => {
    const w = new World()
    w.room('r').text('bob', 'hello')
    w.members.set('r', [{ user: me, joinedSeq: 1, readSeq: 1 }, { user: 'bob', joinedSeq: 1, readSeq: 1 }])
    w.auto = false
    w.begin(w.room('r').line())
    const o = await open(w)
    w.model.clear()
    w.auto = true
    w.model.input({ t: 'me', user: me })
    w.begin(w.room('r').line())
    await w.rest()
    expect(o.s.members?.map((m) => m.user)).toEqual([me, 'bob'])
    for (const p of w.pending) p.deliver()
    await w.rest()
    expect(o.s.members?.map((m) => m.user)).toEqual([me, 'bob'])
  })

  it('hides who is online and types while the connection is not', async () => {
    const w = filled(1)
    const o = await open(w)
    w.model.input({ t: 'presence', room: 'r', online: 2, users: ['bob'] })
    w.model.input({ t: 'typing', room: 'r', user: 'bob', stopped: false, at: 0 })
    w.model.input({ t: 'typing', room: 'r', user: me, stopped: false, at: 0 })
    w.model.input({ t: 'typing', room: 'r', user: 'eve', stopped: false, at: 0 })
    expect([o.s.online, o.s.typing, o.s.line.typing]).toEqual([{ count: 2, users: ['bob'] }, ['bob', 'eve'], ['bob', 'eve']])
    w.pass(3000)
    w.model.input({ t: 'typing', room: 'r', user: 'eve', stopped: false, at: 0 })
    w.pass(2500)
    expect(o.s.typing).toEqual(['eve'])
    w.live(w.room('r').text('eve', '!'))
    expect(o.s.typing).toEqual([])
    w.model.input({ t: 'typing', room: 'r', user: 'bob', stopped: false, at: 0 })
    w.model.input({ t: 'connection', state: 'reconnecting', since: 0, site: 0 })
    expect([o.s.online, o.s.typing]).toEqual([null, []])
    w.model.input({ t: 'connection', state: 'online', since: 0, site: 0 })
    expect([o.s.online, o.s.typing]).toEqual([null, []])
  })

  it('draws the line where reading ended when the room was opened', async () => {
    const w = new World()
    for (let i = 1; i <= 10; i++) w.room('r').text('bob', `t${i}`)
    w.begin(w.room('r').line({ readSeq: 6, unread: 4 }))
    const o = await open(w)
    expect(o.s.readLine).toBe(6)
    w.model.input({ t: 'ownRead', room: 'r', seq: 10 })
    w.live(w.room('r').text('bob', 'new'))
    expect([o.s.readLine, o.s.line.unread, o.s.line.readSeq]).toEqual([6, 1, 10])
    w.model.input({ t: 'ownRead', room: 'r', seq: 11 })
    o.stop()
    w.tick()
    const again = await open(w)
    expect(again.s.readLine).toBe(-1)
  })

  it('draws it anew for who comes back to the open room, and for a connection that comes back', async () => {
    const w = filled(10)
    const o = await open(w)
    w.model.view(['r'])
    w.live(w.room('r').text('bob', 'seen'))
    w.model.input({ t: 'ownRead', room: 'r', seq: 11 })
    w.model.view([])
    w.live(w.room('r').text(me, 'from another device'))
    w.model.view(['r'])
    expect(o.s.readLine).toBe(-1)
    w.model.view([])
    w.live(w.room('r').text('bob', 'unseen'))
    // It may be marked as read a moment before eyes are told of.
    w.model.input({ t: 'ownRead', room: 'r', seq: 13 })
    w.model.view(['r'])
    expect(o.s.readLine).toBe(12)
    w.model.view(['r'])
    w.model.input({ t: 'connection', state: 'connecting', since: 0, site: 0 })
    w.room('r').text('eve', 'missed')
    w.begin(w.room('r').line({ readSeq: 13, unread: 1 }))
    expect(o.s.readLine).toBe(13)
    await w.rest()
    expect(o.s.readLine).toBe(13)
  })

  it('draws that line too if the room was opened from an old copy of the list', async () => {
    const w = new World()
    for (let i = 1; i <= 10; i++) w.room('r').text('bob', `t${i}`)
    w.model.input({ t: 'rooms', rooms: [w.room('r').line({ lastSeq: 6, readSeq: 6 })] })
    const o = await open(w)
    expect(o.s.readLine).toBe(-1)
    w.begin(w.room('r').line({ readSeq: 6, unread: 4 }))
    expect(o.s.readLine).toBe(6)
  })
})

describe('identity', () => {
  it('a message adds one row and keeps 3,000 others', async () => {
    const w = new World()
    const r = w.room('r')
    for (let i = 1; i <= 3000; i++) r.text('bob', `t${i}`)
    w.cached.set('r', Array.from({ length: 3000 }, (_, i) => r.read(i + 1)))
    w.begin(r.line())
    const o = await open(w)
    const before = o.s.rows
    expect(before.length).toBe(3000)
    w.live(r.text('bob', 'new'))
    expect(o.s.rows.length).toBe(3001)
    expect(before.every((x, i) => x === o.s.rows[i])).toBe(true)
    w.live(r.react('bob', 77, 1))
    expect(o.s.rows.filter((x, i) => x !== before[i]).length).toBe(2)
    const s = o.s
    w.model.input({ t: 'read', room: 'other', user: 'bob', seq: 3 })
    w.model.input({ t: 'draft', room: 'other', text: 'x' })
    expect(o.s).toBe(s)
    w.live(message('r', 5, 'text', 'bob', { text: 't5', ord: 5 }))
    expect(o.s.rows).toBe(s.rows)
  })

  it('tells once for many inputs, and not at all for none', async () => {
    const w = filled(5)
    const o = await open(w)
    const told = o.told
    for (let i = 0; i < 20; i++) w.live(w.room('r').text('bob', `x${i}`))
    expect(o.told).toBe(told)
    w.tick()
    expect(o.told).toBe(told + 1)
    w.model.input({ t: 'read', room: 'r', user: 'stranger', seq: 2 })
    w.tick()
    expect(o.told).toBe(told + 1)
  })
})
