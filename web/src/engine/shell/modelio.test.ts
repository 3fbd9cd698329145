// What was asked for one account and is answered when another is logged in: it is neither shown nor kept.
import { expect, test } from 'vitest'
import type { Person } from '../types.ts'
import type { Stored } from './cache.ts'
import { modelIO } from './modelio.ts'
import { Photos } from './photos.ts'
import { MemoryStore } from './store.ts'
import type { Wire } from './wire.ts'

const somebody: Person = { id: 'friend', handle: 'friend', name: 'Friend', status: '', closed: false, photo: 'photo', simulated: false }

/** later is an answer that comes when told to. */
function later<T>(value: T): { promise: Promise<T>; come: () => void } {
  let come = () => {}
  const promise = new Promise<T>((resolve) => (come = () => resolve(value)))
  return { promise, come }
}

test('an answer for the account of before is nobody’s', async () => {
  const kept: Stored[] = []
  const friends = later([somebody])
  const page = later({ messages: [], lastSeq: 0, joinedSeq: 1, position: null })
  const wire = { friends: () => friends.promise, history: () => page.promise } as unknown as Wire
  let me = 'alice'
  const io = modelIO({
    wire, store: () => new MemoryStore(), me: () => me, mustChange: () => false, restored: () => false, seen: () => null, keep: (s) => kept.push(s), joinedSeq: () => 1,
    line: () => {}, counted: () => {}, watch: () => {}, unwatch: () => {}, now: () => 0, after: () => () => {},
  })
  const asked = [io.friends(), io.history('room', 0, true, 10)]
  me = 'bob'
  friends.come()
  page.come()
  for (const a of asked) await expect(a).rejects.toMatchObject({ refusal: { reason: 'signed_out' } })
  expect(kept).toEqual([])
  expect((await io.friends())[0]?.id).toBe('friend')
  expect(kept).toHaveLength(1)
})

test('a photo asked for before everything was forgotten is not kept', async () => {
  const kept: unknown[] = []
  const photo = later([{ user: 'friend', photo: 'photo', jpeg: new Uint8Array([1]) }])
  let load = () => {}
  const photos = new Photos({
    person: () => somebody, stored: async () => undefined, fetch: () => photo.promise, keep: (p) => kept.push(p),
    loaded: () => kept.push('loaded'), after: (_ms, fn) => ((load = fn), () => {}),
  })
  expect(photos.url('friend')).toBe('')
  load()
  await Promise.resolve()
  photos.clear()
  photo.come()
  for (let i = 0; i < 10; i++) await Promise.resolve()
  expect([kept, photos.url('friend')]).toEqual([[], ''])
})
