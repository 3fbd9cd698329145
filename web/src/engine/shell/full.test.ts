// A disk that is full: what is in memory alone goes on with the window that leads next, and nothing of it twice.
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

/** full: a message that could not be stored and did not leave. */
async function full() {
  const p = await s.pair()
  p.a.net.down = true
  await s.time.pass(2000)
  p.a.disk = 'full'
  p.alice.engine.send(p.room, 'precious', 0)
  await s.time.pass(2000)
  return p
}

/** sentByTheNext: there is room and a network again, and the next page sends what was left behind, once. */
async function sentByTheNext(a: Browser, room: string) {
  a.disk = 'ok'
  a.net.down = false
  const next = await s.open(a)
  await s.time.pass(5000)
  expect([s.onServer(room), next.engine.unsent()]).toEqual([['first', 'precious'], 0])
  expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
}

test('stopped and woken', async () => {
  const { a, alice, room } = await full()
  alice.wake('frozen')
  await s.time.pass(2000)
  a.disk = 'ok'
  alice.wake('thawed')
  await s.time.pass(5000)
  expect([texts(alice, room), alice.engine.unsent()]).toEqual([['first', 'precious'], 1])
  a.net.down = false
  await s.time.pass(20_000)
  expect([s.onServer(room), texts(alice, room)]).toEqual([['first', 'precious'], ['first', 'precious']])
  expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
})

test('robbed by another window', async () => {
  const { a, alice, room } = await full()
  const second = await s.open(a)
  await s.time.pass(1000)
  const hear = alice.deaf()
  second.show(true)
  await s.time.pass(5000)
  hear()
  expect(second.engine.app.get().leader).toBe(true)
  expect(texts(alice, room)).toEqual(['first', 'precious'])
  a.disk = 'ok'
  a.net.down = false
  await s.time.pass(20_000)
  expect([s.onServer(room), texts(alice, room)]).toEqual([['first', 'precious'], ['first', 'precious']])
})

test('without locks, and another window takes over', async () => {
  const { a, alice, room } = await s.pair()
  alice.kill()
  a.hasLocks = false
  const one = await s.open(a)
  look(one, room)
  await s.time.pass(1000)
  a.net.down = true
  await s.time.pass(2000)
  a.disk = 'full'
  one.engine.send(room, 'precious', 0)
  await s.time.pass(1000)
  const two = await s.open(a)
  await s.time.pass(1000)
  two.engine.takeOver()
  await s.time.pass(2000)
  a.disk = 'ok'
  a.net.down = false
  await s.time.pass(20_000)
  expect(one.engine.app.get().phase.kind).toBe('otherWindow')
  expect(s.onServer(room)).toEqual(['first', 'precious'])
})

test('closed: what it leaves behind is sent by the next page', async () => {
  const { a, alice, room } = await full()
  alice.wake('hidden')
  await s.time.pass(6000)
  alice.kill()
  await sentByTheNext(a, room)
})

test('closed, and the next page works on a copy in memory and is closed too', async () => {
  const { a, alice, room } = await full()
  alice.wake('hidden')
  alice.kill()
  a.disk = 'stuck'
  const copy = await s.open(a)
  await s.time.pass(5000)
  expect([texts(copy, room).length > 0 || copy.engine.unsent() > 0, copy.engine.app.get().storage]).toEqual([true, 'refused'])
  copy.wake('hide')
  copy.kill()
  await sentByTheNext(a, room)
})

test('another window is opened before it ends: what it left behind is not forgotten', async () => {
  const { a, alice, room } = await full()
  alice.show(false)
  await s.time.pass(1000)
  const second = await s.open(a)
  await s.time.pass(1000)
  expect(second.engine.app.get().leader).toBe(false)
  alice.kill()
  second.kill()
  await sentByTheNext(a, room)
})

test('said in a window that follows, and the one that leads is killed', async () => {
  const { a, alice, room } = await s.pair()
  const second = await s.open(a)
  look(second, room)
  await s.time.pass(1000)
  a.net.down = true
  await s.time.pass(2000)
  a.disk = 'full'
  second.engine.send(room, 'precious', 0)
  await s.time.pass(2000)
  alice.kill()
  await s.time.pass(5000)
  expect([second.engine.app.get().leader, texts(second, room)]).toEqual([true, ['first', 'precious']])
  a.disk = 'ok'
  a.net.down = false
  await s.time.pass(20_000)
  expect(s.onServer(room)).toEqual(['first', 'precious'])
  expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
})

test('there is room again while it is hidden: nothing stays behind', async () => {
  const { a, alice, room } = await full()
  alice.wake('hidden')
  a.disk = 'ok'
  await s.time.pass(6000)
  expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
  a.net.down = false
  await s.time.pass(20_000)
  expect(s.onServer(room)).toEqual(['first', 'precious'])
})

test('sent, and the answer did not come: the next one sends it under the same name', async () => {
  const { a, alice, room } = await s.pair()
  a.disk = 'full'
  alice.engine.send(room, 'precious', 0)
  while (s.onServer(room).length < 2) await new Promise((r) => setImmediate(r))
  a.net.down = true
  await s.time.pass(2000)
  expect(alice.engine.unsent()).toBe(1)
  alice.wake('frozen')
  await s.time.pass(1000)
  a.disk = 'ok'
  a.net.down = false
  alice.wake('thawed')
  await s.time.pass(20_000)
  expect([s.onServer(room), texts(alice, room), alice.engine.unsent()]).toEqual([['first', 'precious'], ['first', 'precious'], 0])
})

test('refused, given another text, given up: each goes on as it was', async () => {
  const { a, alice, room } = await s.pair()
  a.disk = 'full'
  s.server.refuse = (op) => (op.text === 'refused' ? 'cannot_receive' : '')
  alice.engine.send(room, 'refused', 0)
  await s.time.pass(1000)
  a.net.down = true
  await s.time.pass(2000)
  const other = alice.engine.send(room, 'teh', 0)
  const gone = alice.engine.send(room, 'gone', 0)
  await s.time.settle()
  void alice.engine.replaceUnsent(other, 'the').catch(() => undefined)
  void alice.engine.giveUp(gone)
  await s.time.pass(1000)
  alice.wake('frozen')
  await s.time.pass(1000)
  a.disk = 'ok'
  alice.wake('thawed')
  a.net.down = false
  await s.time.pass(20_000)
  expect(s.onServer(room)).toEqual(['first', 'the'])
  expect(texts(alice, room).sort()).toEqual(['first', 'refused', 'the'])
  expect(alice.engine.unsent()).toBe(1)
})

const changedMind: readonly (readonly [string, (w: Window, item: number) => Promise<unknown>, readonly string[]])[] = [
  ['given up', (w, item) => w.engine.giveUp(item), ['first']],
  ['given another text', (w, item) => w.engine.replaceUnsent(item, 'better'), ['first', 'better']],
]
test.each(changedMind)('%s before the page was closed: so does the next page', async (_, act, ends) => {
  for (const disk of ['full', 'stuck'] as const) {
    globalThis.indexedDB = new IDBFactory()
    s = new Scene()
    const { a, alice, room } = await s.pair()
    alice.kill()
    a.disk = disk === 'stuck' ? 'stuck' : 'ok'
    const w = await s.open(a)
    await s.time.pass(5000)
    a.net.down = true
    await s.time.pass(2000)
    a.disk = disk
    const item = w.engine.send(room, 'precious', 0)
    await s.time.pass(500)
    w.wake('hidden')
    act(w, item).catch(() => undefined)
    await s.time.pass(500)
    w.wake('hide')
    w.kill()
    a.disk = 'ok'
    a.net.down = false
    const next = await s.open(a)
    look(next, room)
    await s.time.pass(5000)
    expect([s.onServer(room), texts(next, room), next.engine.unsent()]).toEqual([ends, ends, 0])
    expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
  }
})

describe('refused, left behind by a hidden page, and then', () => {
  const refused = (w: Window, room: string) =>
    w.engine.room(room).get()?.rows.flatMap((r) => (r.kind === 'message' && r.state === 'refused' ? [r.item] : []))[0] ?? 0
  const decisions = {
    'sent anew': { act: (w: Window, item: number) => w.engine.resend(item), ends: ['first', 'refused'] },
    discarded: { act: (w: Window, item: number) => w.engine.discard(item), ends: ['first'] },
    'given another text': { act: (w: Window, item: number) => void w.engine.replaceUnsent(item, 'better'), ends: ['first', 'better'] },
  }
  for (const disk of ['full', 'stuck'] as const)
    for (const [what, { act, ends }] of Object.entries(decisions))
      test(`${what}: the next page sends nothing of it (${disk})`, async () => {
        let { a, alice, room } = await s.pair()
        if (disk === 'stuck') {
          alice.kill()
          a.disk = disk
          alice = await s.open(a)
          look(alice, room)
          await s.time.pass(5000)
        }
        a.disk = disk
        s.server.refuse = () => 'cannot_receive'
        alice.engine.send(room, 'refused', 0)
        await s.time.pass(1000)
        alice.show(false)
        await s.time.pass(500)
        alice.show(true)
        s.server.refuse = () => ''
        act(alice, refused(alice, room))
        await s.time.pass(2000)
        expect(s.onServer(room)).toEqual(ends)
        alice.wake('hide')
        alice.kill()
        a.disk = 'ok'
        await s.open(a)
        await s.time.pass(5000)
        expect(s.onServer(room)).toEqual(ends)
      })
})
