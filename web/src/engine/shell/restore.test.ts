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
