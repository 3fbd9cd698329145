// Another account in the same browser, while a window slept through the end of the one before: nothing of the one is the other's.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import type { Browser, Window } from './fakewire.ts'
import { Scene, draft, look, texts } from './scene.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

/** asleep: the second window has words that no leader has taken, and sleeps while bob logs in in the first. */
async function asleep(): Promise<{ a: Browser; first: Window; second: Window; room: string; wake: () => void }> {
  const { a, alice, bob } = await s.pair()
  const group = alice.engine.createGroup('both', [bob.engine.app.get().me!.id])
  await s.done(group.done)
  const { room } = group
  const second = await s.open(a)
  look(second, room)
  await s.time.pass(1000)
  const first = alice.deaf()
  second.engine.send(room, 'sent as alice', 0)
  second.engine.setDraft(room, 'alice writes of bob')
  await s.time.settle()
  second.wake('frozen')
  const hear = second.deaf()
  first()
  await s.time.pass(1000)
  await s.done(alice.engine.logOut())
  await s.done(alice.engine.logIn('bobby', 'correct horse', 'x'))
  await s.time.pass(1000)
  look(alice, room)
  return { a, first: alice, second, room, wake: () => { hear(); second.wake('thawed') } }
}

test('woken, it follows: words and drafts of before are nobody’s', async () => {
  const { a, first, second, room, wake } = await asleep()
  wake()
  await s.time.pass(10_000)
  expect([first, second].map((w) => w.engine.app.get().me?.handle)).toEqual(['bobby', 'bobby'])
  expect([draft(first, room), draft(second, room), second.engine.unsent()]).toEqual(['', '', 0])
  expect([s.onServer(room), texts(first, room)]).toEqual([[], []])
  expect(JSON.stringify([...a.local])).not.toContain('alice')
})

test('woken, it leads: words and drafts of before are nobody’s', async () => {
  const { first, second, room, wake } = await asleep()
  first.kill()
  wake()
  await s.time.pass(10_000)
  look(second, room)
  await s.time.pass(1000)
  expect(second.engine.app.get()).toMatchObject({ leader: true, me: { handle: 'bobby' } })
  expect([draft(second, room), second.engine.unsent(), s.onServer(room), texts(second, room)]).toEqual(['', 0, [], []])
})

test('woken, it is written in before it has heard of the other account', async () => {
  const { first, second, room, wake } = await asleep()
  wake()
  second.engine.send(room, 'as alice, still', 0)
  second.engine.setDraft(room, 'alice, still')
  second.engine.markRead(room, 1)
  second.engine.keep('emoji', 'hers')
  await s.time.pass(10_000)
  expect(second.engine.app.get().me?.handle).toBe('bobby')
  expect([draft(first, room), s.onServer(room), texts(first, room), first.engine.kept('emoji')]).toEqual(['', [], [], ''])
  // And it works on, for who is logged in now.
  second.engine.send(room, 'as bob', 0)
  await s.time.pass(1000)
  expect([s.onServer(room), texts(second, room)]).toEqual([['as bob'], ['as bob']])
})
