// Drafts: the newest wins, whoever comes late; what was typed just before a page went away is there again.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { Drafts } from './drafts.ts'
import { Scene, draft, look, texts } from './scene.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

test('a late one does not win over a newer one', () => {
  const shown: string[] = []
  const written: unknown[] = []
  const d = new Drafts({
    slot: '1', rescue: () => null, owner: () => 'me', now: () => 100,
    show: (i) => i.t === 'draft' && shown.push(i.text),
    write: (w) => written.push(w.value),
    tell: () => {},
  })
  d.begin([['r', 'of an earlier version']])
  d.take('r', { text: 'new', at: 50 })
  d.take('r', { text: 'old', at: 40 })
  d.set('r', 'mine')
  d.take('r', { text: 'late', at: 99 })
  d.sent('r')
  d.take('r', { text: 'mine', at: 100 })
  expect(shown).toEqual(['of an earlier version', 'new', 'mine', ''])
  expect(written).toEqual([{ text: 'new', at: 50 }, { text: 'mine', at: 100 }])
  // What is typed here is newer than what anybody said before, whatever their clocks.
  d.take('r', { text: 'from the future', at: 5000 })
  d.set('r', 'typed now')
  expect(shown.at(-1)).toBe('typed now')
  d.take('other', { text: 'of an earlier version', at: undefined as unknown as number })
  expect(written.at(-1)).toEqual({ text: 'of an earlier version', at: 100 })
})

test('what a draft answers belongs to it: in other windows, after a reload, until it is sent', async () => {
  const { a, alice, room } = await s.pair()
  const answers = (w: typeof alice) => w.engine.rooms.get().byId.get(room)?.draftReply
  const second = await s.open(a)
  alice.engine.setDraft(room, 'half', 7)
  await s.time.pass(2000)
  expect(answers(second)).toBe(7)
  alice.kill()
  second.kill()
  const again = await s.open(a)
  expect([draft(again, room), answers(again)]).toEqual(['half', 7])
  // Without words it is still to be answered.
  again.engine.setDraft(room, '', 7)
  await s.time.pass(2000)
  again.wake('hide')
  again.kill()
  const third = await s.open(a)
  expect([draft(third, room), answers(third)]).toEqual(['', 7])
  third.engine.send(room, 'whole', 7)
  await s.time.pass(2000)
  expect(answers(third)).toBe(0)
  third.kill()
  expect(answers(await s.open(a))).toBe(0)
})

test('typed at the last moment before a reload, while nothing can be stored any more: it is there', async () => {
  const { a, alice, room } = await s.pair()
  alice.engine.setDraft(room, 'half')
  await s.time.pass(1000)
  a.disk = 'full' // the page ends before the transaction does
  alice.wake('hide')
  alice.engine.setDraft(room, 'half a sentence') // the field tells of its last keys when the page hides
  alice.kill()
  a.disk = 'ok'
  const again = await s.open(a)
  expect(draft(again, room)).toBe('half a sentence')
  await s.time.pass(2000)
  again.kill()
  a.local.clear() // it is in the store by now
  expect(draft(await s.open(a), room)).toBe('half a sentence')
})

test('what a page left does not win over what was written or sent since, and not in another session', async () => {
  const { a, alice, room } = await s.pair()
  const second = await s.open(a)
  second.engine.setDraft(room, 'left behind')
  second.wake('hide')
  second.kill()
  await s.time.pass(1000)
  expect([...a.local.values()].join()).toContain('left behind')
  alice.engine.send(room, 'left behind', 0)
  await s.time.pass(1000)
  alice.kill()
  const again = await s.open(a)
  expect(draft(again, room)).toBe('')
  again.engine.setDraft(room, 'secret')
  again.wake('hidden')
  await s.time.pass(1000)
  const secret = new Map(a.local)
  await s.done(again.engine.logOut())
  expect(a.local.size).toBe(0)
  for (const [k, v] of secret) a.local.set(k, v)
  await s.done(again.engine.logIn('alice', 'correct horse', 'again'))
  await s.time.pass(1000)
  again.kill()
  expect(draft(await s.open(a), room)).toBe('')
})

test('a new leader is told the drafts that the old one did not store', async () => {
  const { a, alice, room } = await s.pair()
  const second = await s.open(a)
  const third = await s.open(a)
  for (const w of [second, third]) look(w, room)
  await s.time.pass(1000)
  alice.kill(true) // it hangs: hears nothing, stores nothing, and keeps the lock
  third.engine.setDraft(room, 'typed in between')
  await s.time.pass(500)
  void second.engine.pin(room, true) // nobody takes it: the lead is taken
  await s.time.pass(10_000)
  expect([second, third].filter((w) => w.engine.app.get().leader)).toHaveLength(1)
  second.kill()
  third.kill()
  a.local.clear()
  expect(draft(await s.open(a), room)).toBe('typed in between')
})

test('a window that opens is told what the leader has not stored yet', async () => {
  const { a, alice, room } = await s.pair()
  a.disk = 'full'
  alice.engine.setDraft(room, 'in memory only')
  await s.time.pass(500)
  const second = await s.open(a)
  await s.time.pass(500)
  expect(draft(second, room)).toBe('in memory only')
})

test('an edit that is refused after a reload gives its words back, behind what is being written', async () => {
  const { a, alice, room } = await s.pair()
  a.net.down = true
  const asked = alice.engine.edit(room, 1, 'mended').catch(() => undefined)
  await s.time.pass(1000)
  alice.kill()
  void asked
  s.server.refuse = (op) => (op.kind === 'edit' ? 'too_late' : '')
  const again = await s.open(a)
  look(again, room)
  again.engine.setDraft(room, 'half')
  a.net.down = false
  await s.time.pass(60_000)
  expect([draft(again, room), texts(again, room)]).toEqual(['half\nmended', ['first']])
  // Whoever is there to hear of a refusal has the words.
  await expect(s.done(again.engine.edit(room, 1, 'again'))).rejects.toThrow()
  expect(draft(again, room)).toBe('half\nmended')
})

test('the same of an edit that could not be stored before the page was gone', async () => {
  const { a, alice, room } = await s.pair()
  a.net.down = true
  a.disk = 'full'
  alice.engine.edit(room, 1, 'mended').catch(() => undefined)
  alice.wake('hide')
  alice.kill()
  await s.time.settle()
  a.disk = 'ok'
  s.server.refuse = (op) => (op.kind === 'edit' ? 'too_late' : '')
  const again = await s.open(a)
  look(again, room)
  await s.time.pass(1000)
  a.net.down = false
  await s.time.pass(60_000)
  expect([draft(again, room), texts(again, room)]).toEqual(['mended', ['first']])
})

test('the same where a window takes it up that follows, and another leads', async () => {
  const { a, alice, room } = await s.pair()
  const second = await s.open(a)
  await s.time.pass(1000)
  a.net.down = true
  const hear = alice.deaf()
  second.engine.edit(room, 1, 'mended').catch(() => undefined)
  second.wake('hide')
  second.kill()
  await s.time.settle()
  hear()
  const third = await s.open(a)
  look(third, room)
  await s.time.pass(1000)
  s.server.refuse = (op) => (op.kind === 'edit' ? 'too_late' : '')
  a.net.down = false
  await s.time.pass(60_000)
  expect([third.engine.app.get().leader, draft(third, room), draft(alice, room), texts(third, room)]).toEqual([false, 'mended', 'mended', ['first']])
})
