// A window that was hidden, stopped or asleep: it tries the connection at once, and nothing of it is doubled.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Browser, Window } from './fakewire.ts'
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

test.each([0, 400])('stopped while it begins to lead, %i ms from a claim that failed, and woken when another window leads: that goes on leading', async (ms) => {
  const { a, alice, room } = await s.pair()
  alice.kill()
  a.disk = 'stuck'
  const one = await s.open(a)
  await s.time.pass(ms)
  one.wake('frozen')
  a.disk = 'ok'
  const two = await s.open(a)
  look(two, room)
  await s.time.pass(20_000)
  one.wake('thawed')
  await s.time.pass(5000)
  two.engine.send(room, 'here', 0)
  await s.time.settle()
  expect(two.engine.app.get().leader).toBe(true)
  await s.time.pass(5000)
  expect([two.engine.app.get().leader, s.onServer(room), texts(two, room)]).toEqual([true, ['first', 'here'], ['first', 'here']])
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

describe('a page that ends before its words are in the store', () => {
  /** unheard: neither the disk nor the server takes what is said now. */
  function unheard(a: Browser): void {
    a.disk = 'full'
    a.net.down = true
  }

  /** ends the page, and then both take everything again. */
  async function ends(a: Browser, w: Window): Promise<void> {
    w.wake('hide')
    w.kill()
    await s.time.settle()
    a.disk = 'ok'
    a.net.down = false
  }

  for (const why of ['hide', 'frozen', 'hidden'] as const)
    test(`${why}: the next page sends them, once`, async () => {
      const { a, alice, bob, room } = await s.pair()
      alice.engine.send(room, 'second', 0)
      alice.engine.send(room, 'third', 0)
      alice.wake(why)
      alice.kill()
      // Nothing of it was stored.
      expect(s.onServer(room)).toEqual(['first'])
      const next = await s.open(a)
      look(next, room)
      await s.time.pass(3000)
      expect(s.onServer(room)).toEqual(['first', 'second', 'third'])
      expect(texts(next, room)).toEqual(['first', 'second', 'third'])
      expect(texts(bob, room)).toEqual(['first', 'second', 'third'])
      expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
    })

  test('a group made at the last moment is there with what was said in it', async () => {
    const { a, alice, bob } = await s.pair()
    unheard(a)
    const { room, done } = alice.engine.createGroup('new', [bob.engine.app.get().me!.id])
    done.catch(() => undefined)
    alice.engine.send(room, 'hello', 0)
    await ends(a, alice)
    const next = await s.open(a)
    look(next, room)
    await s.time.pass(5000)
    expect([s.onServer(room), texts(next, room), next.engine.unsent()]).toEqual([['hello'], ['hello'], 0])
    expect(next.engine.rooms.get().byId.get(room)).toMatchObject({ title: 'new', memberCount: 2 })
    expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
  })

  test('another window is open: it sends them', async () => {
    const { a, alice, room } = await s.pair()
    const second = await s.open(a, false)
    look(second, room)
    await s.time.pass(1000)
    unheard(a)
    alice.engine.send(room, 'second', 0)
    await ends(a, alice)
    await s.time.pass(5000)
    expect(second.engine.app.get().leader).toBe(true)
    expect(s.onServer(room)).toEqual(['first', 'second'])
    expect(texts(second, room)).toEqual(['first', 'second'])
    expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
  })

  test('they were stored and sent after all: they are not sent again', async () => {
    const { a, alice, room } = await s.pair()
    alice.engine.send(room, 'second', 0)
    alice.wake('hide')
    const left = a.local.get('bonghwa.asks.a')!
    expect(left).toContain('second')
    await s.time.pass(3000)
    // What is safe is taken out by whoever makes it safe.
    expect(a.local.has('bonghwa.asks.a')).toBe(false)
    alice.kill()
    a.local.set('bonghwa.asks.a', left)
    const next = await s.open(a)
    look(next, room)
    await s.time.pass(3000)
    expect(s.onServer(room)).toEqual(['first', 'second'])
    expect(texts(next, room)).toEqual(['first', 'second'])
  })

  test('in a window that follows', async () => {
    const { a, alice, room } = await s.pair()
    const second = await s.open(a, false)
    look(second, room)
    await s.time.pass(1000)
    const heard = alice.deaf()
    second.engine.send(room, 'second', 0)
    second.wake('hide')
    second.kill()
    heard()
    const third = await s.open(a, false)
    await s.time.pass(3000)
    expect(third.engine.app.get().leader).toBe(false)
    expect(s.onServer(room)).toEqual(['first', 'second'])
  })

  test('logging out leaves nothing', async () => {
    const { a, alice, room } = await s.pair()
    alice.engine.send(room, 'second', 0)
    alice.wake('hidden')
    expect(a.local.has('bonghwa.asks.a')).toBe(true)
    await s.done(alice.engine.logOut())
    expect(JSON.stringify([...a.local])).not.toContain('second')
  })
})
