// A group of more people than one request may name.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { encode } from '../core/ids.ts'
import { Scene } from './scene.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

test('a group of 451 is whole, also when the page ends before the server has answered', async () => {
  const { a, alice } = await s.pair()
  const people = Array.from({ length: 450 }, (_, i) => {
    const random = new Uint8Array(16).fill(i % 256).fill(i >> 8, 8)
    return s.server.signUp({ random, token: `t${i}`, device: encode(random), handle: `user${i}`, name: 'N', password: 'correct horse', label: '' }).user
  })
  a.net.down = true
  await s.time.pass(1000)
  const { room, done } = alice.engine.createGroup('everybody', people)
  done.catch(() => undefined)
  await s.time.settle()
  alice.kill()
  a.net.down = false
  const next = await s.open(a)
  await s.time.pass(10_000)
  expect(s.server.data.rooms.get(room)?.members.size).toBe(451)
  expect(next.engine.rooms.get().byId.get(room)).toMatchObject({ title: 'everybody', memberCount: 451 })
  // And in one go.
  const other = next.engine.createGroup('again', people.slice(0, 201))
  expect(await s.done(other.done)).toEqual([])
  expect(s.server.data.rooms.get(other.room)?.members.size).toBe(202)
  s.server.refuse = (op) => (op.kind === 'invite' ? 'room_full' : '')
  await expect(s.done(next.engine.createGroup('full', people.slice(0, 201)).done)).rejects.toMatchObject({ refusal: { reason: 'room_full' } })
})
