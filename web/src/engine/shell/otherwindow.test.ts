// Without Web Locks: one window works, and nobody waits behind the page that says so.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { form } from './fakewire.ts'
import { Scene, look } from './scene.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

test('a log-in while another window takes over ends, one way or the other, and can be made again', async () => {
  const home = s.browser('a')
  home.hasLocks = false
  await s.done((await s.open(s.browser('x'))).engine.signUp(form('alice')))
  const first = await s.open(home)
  const second = await s.open(home)
  await s.time.pass(1000)
  const kinds = () => [first, second].map((w) => w.engine.app.get().phase.kind)
  expect(kinds()).toEqual(['signedOut', 'otherWindow'])
  // The log-in's answer is on its way when the person takes over in the other window, and again when that is done.
  for (const w of [second, first, second]) {
    const other = w === first ? second : first
    const login = other.engine.logIn('alice', 'correct horse', 'test').then(() => 'in', (e) => e.refusal.reason)
    w.engine.takeOver()
    for (let i = 0; i < 4; i++) {
      await s.time.pass(77)
      w.engine.takeOver()
    }
    const how = await s.done(login)
    await s.time.pass(2000)
    expect(kinds().filter((k) => k === 'otherWindow')).toHaveLength(1)
    expect([first, second].filter((x) => x.engine.app.get().leader)).toHaveLength(1)
    if (how === 'in') break
    expect(['other_window', 'not_stored']).toContain(how)
  }
  const works = [first, second].find((w) => w.engine.app.get().leader)!
  if (works.engine.app.get().phase.kind === 'signedOut') await s.done(works.engine.logIn('alice', 'correct horse', 'test'))
  await s.time.pass(1000)
  expect(works.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, connection: 'online', me: { handle: 'alice' } })
})

test('two windows that began at once: exactly one goes on, with the store, and nothing is lost or doubled', async () => {
  const { a, alice, room } = await s.pair()
  alice.kill()
  a.hasLocks = false
  a.bus.hold()
  const one = a.open()
  const two = a.open()
  const both = [await s.done(one), await s.done(two)]
  await s.time.pass(1000)
  expect(both.filter((w) => w.engine.app.get().leader)).toHaveLength(2)
  for (const [i, w] of both.entries()) {
    look(w, room)
    w.engine.send(room, `from ${i}`, 0)
  }
  a.bus.letGo()
  await s.time.pass(10_000)
  expect(both.filter((w) => w.engine.app.get().leader)).toHaveLength(1)
  const stays = both.find((w) => w.engine.app.get().leader)!
  expect(both.map((w) => w.engine.app.get().phase.kind).sort()).toEqual(['in', 'otherWindow'])
  stays.engine.send(room, 'and on', 0)
  await s.time.pass(5000)
  const got = s.onServer(room)
  expect(new Set(got).size).toBe(got.length)
  expect(got).toContain('and on')
  expect(got).toEqual(expect.arrayContaining(['from 0', 'from 1']))
})
