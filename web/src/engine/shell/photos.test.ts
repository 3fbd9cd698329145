import { afterEach, expect, test, vi } from 'vitest'
import type { Person } from '../types.ts'
import { Photos, most } from './photos.ts'
import { StoreError } from './store.ts'
import { Time } from './testing.ts'

afterEach(() => void vi.restoreAllMocks())

test('addresses are bounded, the ones asked for longest ago are given back, and come again when asked for', async () => {
  const alive = new Set<string>()
  let made = 0
  vi.spyOn(URL, 'createObjectURL').mockImplementation(() => {
    const url = `blob:${++made}`
    alive.add(url)
    return url
  })
  vi.spyOn(URL, 'revokeObjectURL').mockImplementation((url) => void alive.delete(url))
  const time = new Time()
  const photos = new Photos({
    person: (id) => ({ id, photo: `p${id}` }) as Person,
    stored: () => Promise.reject(new StoreError('unreadable')), // then the server is asked
    fetch: (users) => Promise.resolve(users.map((user) => ({ user, photo: `p${user}`, jpeg: new Uint8Array(1) }))),
    keep: () => {},
    loaded: () => {},
    after: time.after,
  })
  const load = async (id: string): Promise<string> => {
    photos.url(id)
    await time.pass(30)
    return photos.url(id)
  }
  const first = await load('first')
  expect(first).toBe('blob:1')
  const second = await load('second')
  for (let i = 0; i < most - 1; i++) {
    await load(String(i))
    expect(photos.url('first')).toBe(first) // drawn all the while
  }
  expect(alive.size).toBe(most)
  expect([alive.has(first), alive.has(second)]).toEqual([true, false])
  expect(photos.url('second')).toBe('')
  await time.pass(30)
  expect(alive.has(photos.url('second'))).toBe(true)
  photos.clear()
  expect(alive.size).toBe(0)
})
