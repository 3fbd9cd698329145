import { expect, test } from 'vitest'
import type { Message } from '../inner.ts'
import { Cache, cachedRows, folded, newest, newestRows } from './cache.ts'
import { Clock } from './clock.ts'
import { buildOf } from './env.ts'
import { MemoryStore } from './store.ts'

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
