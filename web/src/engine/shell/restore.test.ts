// A server that was restored from a copy: no window goes on showing what was lost.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { Scene, look, texts } from './scene.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

test('in an open room, though this device has kept its rows', async () => {
  const { alice, bob, room } = await s.pair()
  const copy = s.server.backup()
  for (let i = 0; i < 5; i++) bob.engine.send(room, `lost ${i}`, 0)
  await s.time.pass(3000)
  s.server.restore(copy)
  await s.time.pass(10_000)
  bob.engine.send(room, 'new', 0)
  await s.time.pass(3000)
  expect(texts(alice, room)).toEqual(['first', 'new'])
})

test.each([false, true])('in a window that slept meanwhile; it leads when it wakes: %s', async (leads) => {
  const { a, alice, bob, room } = await s.pair()
  const second = await s.open(a)
  look(second, room)
  await s.time.pass(1000)
  const copy = s.server.backup()
  for (let i = 0; i < 5; i++) bob.engine.send(room, `lost ${i}`, 0)
  await s.time.pass(3000)
  expect(texts(second, room)).toHaveLength(6)
  second.wake('frozen')
  const hear = second.deaf()
  await s.time.pass(1000)
  s.server.restore(copy)
  await s.time.pass(10_000)
  bob.engine.send(room, 'new', 0)
  await s.time.pass(3000)
  if (leads) {
    alice.wake('hide')
    alice.kill()
  }
  hear()
  second.wake('thawed')
  await s.time.pass(5000)
  bob.engine.send(room, 'newer', 0)
  await s.time.pass(3000)
  expect(second.engine.app.get().leader).toBe(leads)
  expect(texts(second, room)).toEqual(['first', 'new', 'newer'])
  expect(second.engine.rooms.get().byId.get(room)?.last?.text).toBe('newer')
})

test('in the next page, though the one before ended right then', async () => {
  const { a, alice, bob, room } = await s.pair()
  const copy = s.server.backup()
  for (let i = 0; i < 5; i++) bob.engine.send(room, `lost ${i}`, 0)
  await s.time.pass(3000)
  s.server.restore(copy)
  while (alice.engine.rooms.get().byId.get(room)!.lastSeq > 1) await s.time.pass(50)
  alice.kill()
  const next = await s.open(a)
  look(next, room)
  await s.time.pass(5000)
  expect(texts(next, room)).toEqual(['first'])
})
