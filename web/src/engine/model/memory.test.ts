// What a page that stays open for weeks holds of rooms that nobody looks at.
import { expect, test } from 'vitest'
import { keptRows } from './room.ts'
import { World, line } from './testing.ts'

/** largest is the largest collection that can be reached from an object, without going through what is shared by all rooms. */
function largest(from: object, shared: readonly unknown[]): number {
  const seen = new Set<unknown>(shared)
  const todo: unknown[] = [from]
  let most = 0
  while (todo.length > 0) {
    const x = todo.pop()
    if (typeof x !== 'object' || x === null || seen.has(x)) continue
    seen.add(x)
    if (Array.isArray(x) || x instanceof Map || x instanceof Set) most = Math.max(most, Array.isArray(x) ? x.length : x.size)
    if (x instanceof Map || x instanceof Set) for (const v of x.values()) todo.push(v)
    else todo.push(...Object.values(x))
  }
  return most
}

/** held is the largest collection that the model holds for a room. */
function held(w: World, id: string): number {
  const { looked, world, io, ticker } = w.model as unknown as { looked: Map<string, object>; world: unknown; io: unknown; ticker: unknown }
  return largest(looked.get(id)!, [world, io, ticker])
}

test('a room that is closed lets go of all but its newest rows', async () => {
  const w = new World()
  const r = w.room('r')
  for (let i = 1; i <= 5000; i++) r.text('bob', `t${i}`)
  w.cached.set('r', Array.from({ length: 5000 }, (_, i) => r.read(i + 1)))
  w.begin(r.line())
  const signal = w.model.room('r')
  const stop = signal.subscribe(() => {})
  await w.rest()
  const newest = signal.get()!.rows.at(-1)
  expect([signal.get()!.rows.length, held(w, 'r') >= 5000]).toEqual([5000, true])
  stop()
  await w.rest()
  expect(held(w, 'r')).toBeLessThanOrEqual(2 * keptRows)
  for (let i = 0; i < 1000; i++) w.live(r.text('bob', `later ${i}`))
  await w.rest()
  expect(held(w, 'r')).toBeLessThanOrEqual(2 * keptRows)
  expect(signal.get()!.rows.at(-1)).toMatchObject({ text: 'later 999' })
  // Opened again, a row that was there is the same.
  const again = w.model.room('r')
  again.subscribe(() => {})
  await w.rest()
  expect(again.get()!.rows.length).toBeGreaterThanOrEqual(keptRows)
  expect(newest).toMatchObject({ text: 't5000' })
})

test('of rooms closed long ago nothing is held, their members neither', async () => {
  const w = new World()
  const ids = Array.from({ length: 60 }, (_, i) => `r${i}`)
  for (const id of ids) {
    w.room(id).text('bob', 'hi')
    w.members.set(id, Array.from({ length: 3000 }, (_, i) => ({ user: `u${i}`, joinedSeq: 1, readSeq: 0 })))
  }
  w.begin(...ids.map((id) => line(id, { lastSeq: 1, memberCount: 3000 })))
  for (const id of ids) {
    const stop = w.model.room(id).subscribe(() => {})
    await w.rest()
    if (id === 'r0') expect(held(w, id)).toBe(3000)
    stop()
  }
  await w.rest()
  expect(held(w, 'r0')).toBeLessThan(10)
  const r0 = w.room('r0')
  for (let i = 0; i < 20; i++) r0.text('bob', `t${i}`)
  for (let i = 1; i <= 20; i++) w.live(r0.react('bob', i, 1))
  expect(held(w, 'r0')).toBeLessThan(10)
  w.model.room('r0').subscribe(() => {})
  await w.rest()
  expect(w.model.room('r0').get()!.members).toHaveLength(3000)
  expect(w.model.room('r0').get()!.rows.every((r) => r.kind === 'message' && (r.seq > 20 || r.reactions[0] === 1))).toBe(true)
}, 20_000)
