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

const refused = (w: Window, room: string) =>
  w.engine.room(room).get()?.rows.flatMap((r) => (r.kind === 'message' && r.state === 'refused' ? [r.item] : []))[0] ?? 0

/** begin is a pair of whom alice has a message that was refused on a disk that takes nothing. */
async function begin(disk: 'full' | 'stuck' = 'full') {
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
  s.server.refuse = () => ''
  expect(refused(alice, room)).toBeGreaterThan(0)
  return { a, alice, room }
}

describe('refused, and that could not be stored: it is sent when its author says so, and once', () => {
  /** ends in a window that leads now. */
  async function ends(a: Browser, w: Window, room: string) {
    look(w, room)
    await s.time.pass(20_000)
    expect([s.onServer(room), texts(w, room), w.engine.unsent()]).toEqual([['first'], ['first', 'refused'], 1])
    expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
    w.engine.resend(refused(w, room))
    await s.time.pass(2000)
    expect([s.onServer(room), texts(w, room), w.engine.unsent()]).toEqual([['first', 'refused'], ['first', 'refused'], 0])
  }

  for (const disk of ['full', 'stuck'] as const)
    test(`the page is closed, and the next (${disk})`, async () => {
      const { a, alice, room } = await begin(disk)
      alice.wake('hide')
      alice.kill()
      let next = await s.open(a)
      await s.time.pass(5000)
      expect(next.engine.unsent()).toBe(1)
      next.wake('hide')
      next.kill()
      a.disk = 'ok'
      next = await s.open(a)
      await ends(a, next, room)
    })

  test('stopped and woken', async () => {
    const { a, alice, room } = await begin()
    alice.wake('frozen')
    await s.time.pass(1000)
    a.disk = 'ok'
    expect(texts(alice, room)).toEqual(['first', 'refused'])
    alice.wake('thawed')
    await ends(a, alice, room)
  })

  test('another window leads: both show it, and whoever led decides', async () => {
    const { a, alice, room } = await begin()
    const second = await s.open(a)
    look(second, room)
    await s.time.pass(1000)
    second.engine.takeOver()
    await s.time.pass(5000)
    expect([second.engine.app.get().leader, texts(alice, room), texts(second, room)]).toEqual([true, ['first', 'refused'], ['first', 'refused']])
    alice.wake('hide')
    expect(a.local.get('bonghwa.asks.a')).toContain('"t":"kept"')
    a.disk = 'ok'
    await ends(a, alice, room)
    expect(texts(second, room)).toEqual(['first', 'refused'])
  })

  test('refused while the page is hidden, and that is killed', async () => {
    const { a, alice, room } = await s.pair()
    a.net.down = true
    await s.time.pass(2000)
    a.disk = 'full'
    alice.engine.send(room, 'refused', 0)
    await s.time.pass(1000)
    alice.wake('hidden')
    s.server.refuse = () => 'cannot_receive'
    a.net.down = false
    await s.time.pass(20_000)
    expect(refused(alice, room)).toBeGreaterThan(0)
    alice.kill()
    s.server.refuse = () => ''
    a.disk = 'ok'
    await ends(a, await s.open(a), room)
  })

  test('the store has it as open: it is refused there, too', async () => {
    const { a, alice, room } = await s.pair()
    s.server.refuse = () => ((a.disk = 'full'), 'cannot_receive')
    alice.engine.send(room, 'refused', 0)
    await s.time.pass(1000)
    alice.wake('hide')
    alice.kill()
    a.disk = 'ok'
    a.net.down = true
    s.server.refuse = () => ''
    const next = await s.open(a)
    look(next, room)
    await s.time.pass(1000)
    expect(refused(next, room)).toBeGreaterThan(0)
    a.net.down = false
    await ends(a, next, room)
  })

  test('stored after all, and the page is killed before it knows', async () => {
    const { a, alice, room } = await begin()
    alice.wake('hidden')
    const left = a.local.get('bonghwa.asks.a')!
    a.disk = 'ok'
    await s.time.pass(6000)
    alice.kill()
    a.local.set('bonghwa.asks.a', left)
    const next = await s.open(a)
    await ends(a, next, room)
    a.local.set('bonghwa.asks.a', left)
    next.kill()
    const last = await s.open(a)
    look(last, room)
    await s.time.pass(5000)
    expect([s.onServer(room), texts(last, room), last.engine.unsent()]).toEqual([['first', 'refused'], ['first', 'refused'], 0])
  })

  test('sent anew by another window, and the one that did it is gone before it says so', async () => {
    const { a, alice, room } = await begin()
    const second = await s.open(a)
    await s.time.pass(1000)
    second.engine.takeOver()
    await s.time.pass(2000)
    a.disk = 'ok'
    const hear = alice.deaf()
    alice.engine.resend(refused(alice, room))
    await s.time.pass(2000)
    second.kill()
    hear()
    await s.time.pass(20_000)
    expect([alice.engine.app.get().leader, s.onServer(room), texts(alice, room), alice.engine.unsent()]).toEqual([true, ['first', 'refused'], ['first', 'refused'], 0])
  })

  for (const [what, act, end] of [
    ['discarded', (w, item) => w.engine.discard(item), ['first']],
    ['given another text', (w, item) => void w.engine.replaceUnsent(item, 'better'), ['first', 'better']],
  ] as readonly (readonly [string, (w: Window, item: number) => void, readonly string[]])[])
    test(`${what} in the next page before that leads`, async () => {
      const { a, alice, room } = await begin()
      alice.wake('hidden')
      alice.kill(true)
      const next = await s.open(a)
      look(next, room)
      await s.time.settle()
      expect([next.engine.app.get().leader, texts(next, room)]).toEqual([false, ['refused']])
      act(next, refused(next, room))
      a.disk = 'ok'
      await s.time.pass(20_000)
      expect([s.onServer(room), texts(next, room), next.engine.unsent()]).toEqual([end, end, 0])
      expect([...a.local.keys()].filter((k) => k.includes('asks'))).toEqual([])
    })
})

describe('refused, left behind by a hidden page, and then', () => {
  const decisions = {
    'sent anew': { act: (w: Window, item: number) => w.engine.resend(item), ends: ['first', 'refused'] },
    discarded: { act: (w: Window, item: number) => w.engine.discard(item), ends: ['first'] },
    'given another text': { act: (w: Window, item: number) => void w.engine.replaceUnsent(item, 'better'), ends: ['first', 'better'] },
  }
  for (const disk of ['full', 'stuck'] as const)
    for (const [what, { act, ends }] of Object.entries(decisions))
      test(`${what}: the next page sends nothing of it (${disk})`, async () => {
        const { a, alice, room } = await begin(disk)
        alice.show(false)
        await s.time.pass(500)
        alice.show(true)
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
