import { describe, expect, test } from 'vitest'
import type { Message } from '../inner.ts'
import { Cache, cachedRows, folded, newest, newestRows, roomBytes } from './cache.ts'
import { Clock } from './clock.ts'
import { buildOf } from './env.ts'
import { bounds, sizeOf } from './shelves.ts'
import { MemoryStore, StoreError } from './store.ts'

function row(seq: number, more: Partial<Message> = {}): Message {
  return {
    room: 'r', seq, kind: 'text', author: 'a', time: seq, ord: seq, text: `t${seq}`, replyTo: 0, edited: 0, deleted: false, target: 0,
    reaction: 0, users: [], reactions: [], myReaction: 0, changed: null, n: 0, ...more,
  }
}
const seqs = (rows: readonly Message[]) => rows.map((m) => m.seq)

test('the newest unbroken run is kept', () => {
  expect(seqs(newest([row(1), row(2)], [row(3)]))).toEqual([1, 2, 3])
  expect(seqs(newest([row(1), row(2)], [row(4)]))).toEqual([4])
  expect(seqs(newest([row(8), row(9)], [row(2), row(3)]))).toEqual([8, 9])
  expect(newest([], [])).toEqual([])
  const many = Array.from({ length: 100 }, (_, i) => row(i + 1))
  expect(seqs(newest(many.slice(0, 50), many.slice(50)))).toEqual(seqs(many.slice(-newestRows)))
})

test('rows are shown as the last change left them, whatever came first', () => {
  const edit = (seq: number, text: string) => row(seq, { kind: 'edit', target: 1, text: '', changed: row(1, { text, edited: seq }) })
  const react = row(5, { kind: 'reaction', author: 'me', target: 2, reaction: 3, changed: row(2, { reactions: [0, 0, 1, 0, 0, 0] }) })
  const rows = newest([edit(3, 'old'), row(1, { text: 'newest', edited: 4, n: 7 })], [row(2), edit(4, 'newest'), react])
  const out = folded(rows, 'me')
  expect(out[0]).toMatchObject({ seq: 1, text: 'newest', edited: 4, n: 7 })
  expect(out[1]).toMatchObject({ seq: 2, reactions: [0, 0, 1, 0, 0, 0], myReaction: 3 })
  expect(folded(rows, 'other')[1]?.myReaction).toBe(0)
})

test('the cache is bounded, what was used last stays, and a restore empties it', async () => {
  const store = new MemoryStore()
  await store.claim('f')
  const cache = new Cache(store, 'f', () => () => {})
  for (let i = 0; i < 210; i++) {
    cache.add({ rows: [row(1, { room: `r${i}` })] })
    if (i === 100) cache.add({ rows: [row(1, { room: 'r0' })] })
    await cache.flush()
  }
  const rooms = (await store.entries('stretches')).map(([k]) => k)
  expect(rooms).toHaveLength(200)
  expect(rooms).toContain('r0')
  expect(rooms).not.toContain('r1')
  // A new window goes on with the same order.
  const next = new Cache(store, 'f', () => () => {})
  next.add({ rows: [row(1, { room: 'x' })], people: [{ id: 'p', handle: '', name: 'P', status: '', closed: false, photo: '', simulated: false }], lists: { friends: ['p'] } })
  await next.flush()
  expect(await store.get('meta', 'list.friends')).toEqual(['p'])
  expect((await store.entries('stretches')).length).toBe(200)
  next.forget('x')
  await next.flush()
  expect(await cachedRows(store, 'x')).toEqual([])
  await next.forgetRows()
  next.add({ rows: [row(9, { room: 'r0' })] })
  await next.flush()
  expect((await store.entries('stretches')).map(([k]) => k)).toEqual(['r0'])
  expect(seqs(await cachedRows(store, 'r0'))).toEqual([9])
})

test('the clock never goes back and follows forward', () => {
  let wall = 1000
  let mono = 0
  const c = new Clock(
    () => wall,
    () => mono,
  )
  expect(c.now()).toBe(1000)
  wall += 500
  mono += 500
  expect(c.now()).toBe(1500)
  wall -= 86_400_000
  mono += 100
  expect(c.now()).toBe(1600)
  wall += 250
  mono += 250
  expect(c.now()).toBe(1850)
  wall += 3_600_000 // slept: the monotonic clock stood still
  expect(c.now()).toBe(3_601_850)
})

test('the build of a script is read from its address', () => {
  expect(buildOf('http://127.0.0.1:8080/a/3fa9c01b2d/app.js')).toBe('3fa9c01b2d')
  expect(buildOf('http://127.0.0.1:8080/src/engine/engine.ts')).toBe('')
})

describe('the cache', () => {
  /** Shaky fails when told to. */
  class Shaky extends MemoryStore {
    fails = false
    override async write(...args: Parameters<MemoryStore['write']>): Promise<void> {
      if (this.fails) throw new StoreError('full')
      await super.write(...args)
    }
  }
  const open = async () => {
    const store = new Shaky()
    await store.claim('f')
    return { store, cache: new Cache(store, 'f', () => () => {}) }
  }
  const kept = async (store: MemoryStore) => (await store.entries('stretches')).map(([k]) => k)

  test('what was to be dropped is dropped later if the write fails, and a stretch that lacks rows goes', async () => {
    const { store, cache } = await open()
    cache.add({ rows: [row(1, { room: 'gone' }), row(1, { room: 'behind' }), row(1, { room: 'other' })] })
    await cache.flush()
    cache.forget('gone')
    cache.add({ rows: [row(2, { room: 'behind' })] })
    store.fails = true
    await cache.flush()
    expect(await kept(store)).toEqual(['behind', 'gone', 'other'])
    store.fails = false
    await cache.flush()
    expect(await kept(store)).toEqual(['other'])
    cache.add({ rows: [row(3, { room: 'behind' })] })
    await cache.flush()
    expect(seqs(await cachedRows(store, 'behind'))).toEqual([3])
  })

  test('a room takes at most 256 KB, the newest rows', async () => {
    const { store, cache } = await open()
    const long = 'x'.repeat(10_000)
    cache.add({ rows: Array.from({ length: 40 }, (_, i) => row(i + 1, { text: long })) })
    await cache.flush()
    const rows = await cachedRows(store, 'r')
    expect(rows.at(-1)?.seq).toBe(40)
    expect(sizeOf(rows)).toBeLessThanOrEqual(roomBytes + 16)
    expect(rows.length).toBeGreaterThan(10)
  })

  test('all rooms together take what their shelf has, and rooms opened least recently go first', async () => {
    const { store, cache } = await open()
    const fill = async (room: string) => {
      cache.add({ rows: Array.from({ length: 12 }, (_, i) => row(i + 1, { room, text: 'x'.repeat(10_000) })) })
      await cache.flush()
    }
    const most = Math.floor(bounds.stretches.bytes / 240_000)
    await fill('opened first')
    cache.add({ opened: 'opened first' })
    cache.add({ opened: 'opened last' }) // its rows come later
    await cache.flush()
    await fill('opened last')
    await fill('never opened')
    for (let i = 0; i < most; i++) await fill(`r${i}`)
    const rooms = await kept(store)
    let bytes = 0
    for (const [, v] of await store.entries('stretches')) bytes += sizeOf(v)
    expect(bytes).toBeLessThanOrEqual(bounds.stretches.bytes)
    expect(rooms).toContain('opened first')
    expect(rooms).toContain('opened last')
    expect(rooms).not.toContain('never opened')
    expect(rooms).toContain(`r${most - 1}`)
    expect(bounds.stretches.bytes + bounds.people.bytes + bounds.photos.bytes).toBe(32 << 20)
  })

  test('what an earlier version stored without sizes is bounded too', async () => {
    const { store, cache } = await open()
    for (let i = 0; i < 210; i++) await store.write([{ table: 'stretches', key: `r${i}`, value: [row(1)] }])
    cache.add({ rows: [row(1, { room: 'new' })] })
    await cache.flush()
    expect(await kept(store)).toHaveLength(200)
    expect(await kept(store)).toContain('new')
  })

  test('the text of an edited or deleted message is in the store no more', async () => {
    const { store, cache } = await open()
    cache.add({ rows: [row(1, { text: 'secret one', n: 5 }), row(2, { text: 'secret two' })] })
    await cache.flush()
    cache.add({ rows: [row(3, { kind: 'edit', target: 1, text: 'secret three', changed: row(1, { text: 'secret three', edited: 3 }) })] })
    await cache.flush()
    cache.add({ rows: [row(4, { kind: 'edit', target: 1, text: 'after', changed: row(1, { text: 'after', edited: 4 }) })] })
    cache.add({ rows: [row(5, { kind: 'delete', target: 2, text: '', changed: row(2, { text: '', deleted: true }) })] })
    await cache.flush()
    const now = JSON.stringify(await store.entries('stretches'))
    expect(now).not.toContain('secret')
    expect(now).toContain('after')
    // A page that was read before the changes comes late.
    cache.add({ rows: [row(1, { text: 'secret one' }), row(2, { text: 'secret two' })] })
    await cache.flush()
    expect(JSON.stringify(await store.entries('stretches'))).not.toContain('secret')
    expect((await cachedRows(store, 'r'))[0]).toMatchObject({ text: 'after', edited: 4, n: 5 })
  })
})
