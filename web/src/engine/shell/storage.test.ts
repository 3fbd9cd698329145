// A store that fails: at the beginning of a page, at the beginning of leading, and in the middle.
import 'fake-indexeddb/auto'
import { IDBFactory, forceCloseDatabase } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { form } from './fakewire.ts'
import { Scene, look, texts } from './scene.ts'
import { MemoryStore } from './store.ts'

let s: Scene
const opened: IDBDatabase[] = []
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  opened.length = 0
  const open = indexedDB.open.bind(indexedDB)
  indexedDB.open = (...args) => {
    const request = open(...args)
    request.addEventListener('success', () => opened.push(request.result))
    return request
  }
  s = new Scene()
})

test('unreadable for a moment at the start: nothing is lost, nobody is logged out', async () => {
  const { a, alice, room } = await s.pair()
  a.net.down = true
  await s.time.pass(2000)
  alice.engine.send(room, 'unsent', 0)
  await s.time.settle()
  alice.kill()
  a.unreadable = true
  const opening = a.open()
  await s.time.pass(500)
  a.unreadable = false
  const again = await s.done(opening)
  expect(again.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, storage: 'ok' })
  expect(again.engine.unsent()).toBe(1)
  a.net.down = false
  await s.time.pass(10_000)
  expect(s.onServer(room)).toEqual(['first', 'unsent'])
})

test('unreadable at the start: said so, in memory, as another device; what is stored is there when it can be read again', async () => {
  const { a, alice, bob, room } = await s.pair()
  for (let i = 0; i < 20; i++) alice.engine.send(room, `a${i}`, 0)
  await s.time.pass(5000)
  a.net.down = true
  await s.time.pass(2000)
  alice.engine.send(room, 'unsent', 0)
  await s.time.settle()
  const old = s.server.data.sessions.size
  alice.kill()
  a.net.down = false
  a.unreadable = true
  const blind = await s.open(a)
  expect(blind.engine.app.get()).toMatchObject({ phase: { kind: 'ended', why: 'storage', unsent: 0 }, storage: 'refused' })
  blind.engine.dismissEnded()
  const beside = new Map(a.local)
  await s.done(blind.engine.logIn('alice', 'correct horse', 'again'))
  look(blind, room)
  blind.engine.setDraft(room, 'in memory')
  blind.wake('hidden')
  blind.show(true)
  expect(a.local).toEqual(beside) // what is beside the database is the other device's
  await s.time.pass(2000)
  expect(s.server.data.sessions.size).toBe(old + 1)
  expect(blind.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, storage: 'refused', connection: 'online' })
  // Names begun anew under the old device would be taken for those of the first messages.
  for (const t of ['b0', 'b1']) blind.engine.send(room, t, 0)
  await s.time.pass(2000)
  expect(s.onServer(room).slice(-2)).toEqual(['b0', 'b1'])

  // A window that can read the store is the first device still, and shares nothing with the blind one.
  a.unreadable = false
  const well = await s.open(a)
  look(well, room)
  await s.time.pass(5000)
  expect(well.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, leader: true, storage: 'ok' })
  expect(blind.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, leader: true, storage: 'refused' })
  expect(s.onServer(room)).toEqual(['first', ...Array.from({ length: 20 }, (_, i) => `a${i}`), 'b0', 'b1', 'unsent'])
  well.engine.send(room, 'c', 0)
  blind.engine.send(room, 'd', 0)
  await s.time.pass(2000)
  expect(s.onServer(room).slice(-2).sort()).toEqual(['c', 'd'])
  for (const w of [well, blind, bob]) expect(texts(w, room)).toEqual(s.onServer(room))
  await s.done(blind.engine.logOut())
  expect(a.local).toEqual(beside)
})

test('a database that cannot be opened any more is not taken for one that was never there', async () => {
  const { a, alice } = await s.pair()
  alice.kill()
  const w = await s.done(a.open(true, new MemoryStore()))
  expect(w.engine.app.get()).toMatchObject({ phase: { kind: 'ended', why: 'storage' }, storage: 'refused' })
  w.kill()
  const again = await s.open(a)
  expect(again.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, storage: 'ok' })
  await s.done(again.engine.logOut())
  again.kill()
  const fresh = await s.done(a.open(true, new MemoryStore()))
  expect(fresh.engine.app.get()).toMatchObject({ phase: { kind: 'signedOut' }, storage: 'refused' })
})

test('unreadable when it comes to leading: the session is not begun from nothing', async () => {
  const { a, alice, room } = await s.pair()
  for (let i = 0; i < 3; i++) alice.engine.send(room, `a${i}`, 0)
  const second = await s.open(a)
  look(second, room)
  await s.time.pass(2000)
  a.unreadable = true
  alice.kill()
  await s.time.pass(5000)
  expect(second.engine.app.get()).toMatchObject({ phase: { kind: 'ended', why: 'storage' }, storage: 'refused', me: null })
  a.unreadable = false
  const third = await s.open(a)
  await s.time.pass(2000)
  expect(third.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, leader: true, storage: 'ok', me: { handle: 'alice' } })
})

test('unreadable for a moment when it comes to leading: it leads', async () => {
  const { a, alice, room } = await s.pair()
  const second = await s.open(a)
  await s.time.pass(1000)
  a.unreadable = true
  alice.kill()
  await s.time.pass(100)
  a.unreadable = false
  await s.time.pass(3000)
  expect(second.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, leader: true, storage: 'ok' })
  second.engine.send(room, 'goes on', 0)
  await s.time.pass(2000)
  expect(s.onServer(room)).toEqual(['first', 'goes on'])
})

test('closed by the browser: opened again without a word, then refused, and what is written goes all the same', async () => {
  const { a, alice, room } = await s.pair()
  const mine = opened[0]!
  forceCloseDatabase(mine as never)
  alice.engine.send(room, 'one', 0)
  await s.time.pass(2000)
  expect(alice.engine.app.get()).toMatchObject({ storage: 'ok', leader: true })
  forceCloseDatabase(opened.at(-1) as never)
  alice.engine.send(room, 'two', 0)
  await s.time.pass(2000)
  expect(alice.engine.app.get()).toMatchObject({ storage: 'refused', leader: true, phase: { kind: 'in' } })
  alice.engine.send(room, 'three', 0)
  await s.time.pass(2000)
  expect(s.onServer(room)).toEqual(['first', 'one', 'two', 'three'])
  // The next window begins from what was stored: names that were taken since are not taken for new ones.
  alice.kill()
  const again = await s.open(a)
  again.engine.send(room, 'four', 0)
  await s.time.pass(10_000)
  expect(s.onServer(room)).toEqual(['first', 'one', 'two', 'three', 'four'])
})

test('emptied by the browser while words are unsent: it says that they are lost', async () => {
  const { a, alice, room } = await s.pair()
  a.net.down = true
  await s.time.pass(2000)
  alice.engine.send(room, 'lost', 0)
  await s.time.settle()
  forceCloseDatabase(opened[0] as never)
  await new Promise((resolve) => (indexedDB.deleteDatabase('bonghwa-a').onsuccess = resolve))
  alice.engine.setDraft(room, 'x')
  await s.time.pass(5000)
  expect(alice.engine.app.get().phase).toEqual({ kind: 'ended', unsent: 1, why: 'storage' })
  alice.engine.dismissEnded()
  a.net.down = false
  await s.done(alice.engine.logIn('alice', 'correct horse', 'again'))
  await s.time.pass(2000)
  expect(alice.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, connection: 'online', storage: 'ok' })
})

test('two accounts in turn on a store that cannot be read do not meet', async () => {
  const a = s.browser('a')
  a.unreadable = true
  const w = await s.open(a)
  w.engine.dismissEnded()
  await s.done(w.engine.signUp(form('alice')))
  await s.time.pass(1000)
  await s.done(w.engine.logOut())
  await s.done(w.engine.signUp(form('carol')))
  await s.time.pass(1000)
  expect(w.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, me: { handle: 'carol' }, storage: 'refused' })
})
