// Logging out, with and without the server.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import type { Window } from './fakewire.ts'
import { Scene } from './scene.ts'
import { farewellLimit } from './session.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

async function stored(slot: string): Promise<string[]> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const r = indexedDB.open(`bonghwa-${slot}`)
    r.onsuccess = () => resolve(r.result)
  })
  const all: string[] = []
  for (const name of db.objectStoreNames) {
    const keys = await new Promise<IDBValidKey[]>((resolve) => {
      const r = db.transaction(name).objectStore(name).getAllKeys()
      r.onsuccess = () => resolve(r.result)
    })
    all.push(...keys.map((k) => `${name}/${String(k)}`))
  }
  db.close()
  return all
}

const phase = (w: Window) => w.engine.app.get().phase

test('the server is away: everything is wiped at once, in all windows, and it says that the server does not know', async () => {
  const { a, alice, room } = await s.pair()
  const second = await s.open(a)
  alice.engine.setDraft(room, 'half')
  second.wake('hidden')
  a.net.down = true
  await s.time.pass(1000)
  await s.done(second.engine.logOut())
  await s.time.pass(1000)
  for (const w of [alice, second]) expect(phase(w)).toEqual({ kind: 'ended', unsent: 0, why: 'untold' })
  expect(await stored('a')).toEqual(['meta/fence'])
  expect([...a.local]).toEqual([])
  // Told truly: the session is there until it is ended elsewhere.
  expect(s.server.data.sessions.size).toBe(2)
})

test('the server does not answer: it is waited for no longer than two seconds', async () => {
  const { a, alice } = await s.pair()
  let asked = 0
  a.net.hang = (call) => {
    if (call === 'logOut') asked++
    return call === 'logOut'
  }
  const out = alice.engine.logOut()
  await s.time.pass(farewellLimit - 100)
  expect([asked, phase(alice).kind]).toEqual([1, 'in'])
  await s.time.pass(200)
  await out
  expect(phase(alice)).toMatchObject({ kind: 'ended', why: 'untold' })
  expect(await stored('a')).toEqual(['meta/fence'])
})

test('the server answers: nothing is said', async () => {
  const { alice } = await s.pair()
  await s.done(alice.engine.logOut())
  expect(phase(alice)).toEqual({ kind: 'signedOut' })
  expect(s.server.data.sessions.size).toBe(1)
})

test('stopped in the midst of it, when another window has the lead: it can be done again', async () => {
  const { a, alice } = await s.pair()
  a.net.hang = (call) => call === 'logOut'
  const second = await s.open(a)
  const out = alice.engine.logOut().then(() => 'out', () => 'refused')
  await s.time.pass(500)
  second.engine.takeOver()
  await s.time.pass(1000)
  expect(second.engine.app.get().leader).toBe(true)
  a.bus.hold() // the other window does not answer
  await s.time.pass(1000)
  alice.wake('frozen')
  expect(await s.done(out)).toBe('refused')
  a.bus.letGo()
  a.net.hang = () => false
  alice.wake('thawed')
  await s.time.pass(5000)
  expect(phase(alice).kind).toBe('in')
  await s.done(alice.engine.logOut())
  expect(phase(alice)).toEqual({ kind: 'signedOut' })
})
