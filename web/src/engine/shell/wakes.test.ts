// A window that was hidden, stopped or asleep: it tries the connection at once, and nothing of it is doubled.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { Scene, look, texts } from './scene.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

test.each(['visible', 'online', 'focus', 'shown', 'thawed'] as const)('after a long time away, %s connects at once', async (why) => {
  const { a, alice, room } = await s.pair()
  alice.engine.view([])
  a.net.down = true
  await s.time.pass(300_000)
  expect(alice.engine.app.get().connection).toBe('reconnecting')
  a.slow = true // its timers come once a minute
  a.net.down = false
  await s.time.pass(1000)
  if (why === 'visible') alice.show(true)
  else alice.wake(why)
  await s.time.pass(100)
  expect(alice.engine.app.get().connection).toBe('online')
  alice.engine.send(room, 'here again', 0)
  await s.time.pass(1000)
  expect(s.onServer(room)).toEqual(['first', 'here again'])
})

test('the network comes right after the window: it is not overlooked', async () => {
  const { a, alice } = await s.pair()
  alice.engine.view([])
  a.net.down = true
  await s.time.pass(300_000)
  alice.show(true)
  await s.time.pass(300)
  a.net.down = false
  alice.wake('online')
  await s.time.pass(1100)
  expect(alice.engine.app.get().connection).toBe('online')
})

test('stopped and woken, each told twice: nothing is doubled', async () => {
  const { a, alice, bob, room } = await s.pair()
  const second = await s.open(a, false)
  look(second, room)
  await s.time.pass(1000)
  for (let round = 0; round < 3; round++) {
    alice.engine.send(room, `before ${round}`, 0)
    alice.wake('frozen')
    alice.wake('frozen')
    await s.time.pass(20_000)
    expect(second.engine.app.get().leader).toBe(true)
    bob.engine.send(room, `meanwhile ${round}`, 0)
    await s.time.pass(2000)
    alice.wake('thawed')
    alice.wake('thawed')
    alice.show(true)
    await s.time.pass(5000)
    alice.engine.send(room, `after ${round}`, 0)
    await s.time.pass(2000)
    expect([alice, second].filter((w) => w.engine.app.get().leader)).toHaveLength(1)
  }
  const got = s.onServer(room)
  expect(got).toHaveLength(10)
  expect(new Set(got).size).toBe(10)
  for (const w of [alice, second, bob]) expect(texts(w, room)).toEqual(got)
  expect(s.server.conns.filter((c) => c.live)).toHaveLength(2)
})
