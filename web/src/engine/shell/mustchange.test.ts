// After a one-time code nothing comes before the new password: not by a reload, not in a second window, and not where this
// device remembers it otherwise.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { FakeServer } from '../fake/server.ts'
import { Browser, type Window, form } from './fakewire.ts'
import { Time } from './testing.ts'

test('a new password comes first, in every window and after every reload', async () => {
  globalThis.indexedDB = new IDBFactory()
  const time = new Time()
  const server = new FakeServer()
  async function done<T>(p: Promise<T>): Promise<T> {
    let over = false
    void p.then(() => (over = true), () => (over = true))
    for (let i = 0; i < 50 && !over; i++) await time.pass(100)
    return p
  }
  const a = new Browser('a', server, time)
  const owner = await a.open()
  await done(owner.engine.signUp(form('alice')))
  await time.pass(1000)
  owner.kill()
  const account = [...server.data.accounts.values()][0]!
  account.mustChange = true

  const must = (w: Window) => w.engine.app.get().mustChangePassword
  // This device remembers nothing of it: the server says so.
  let one = await a.open()
  await time.pass(5000)
  expect(must(one)).toBe(true)
  expect(one.engine.app.get().connection).not.toBe('online')
  const two = await a.open()
  await time.pass(100)
  expect(must(two)).toBe(true)
  two.kill()
  one.kill()
  one = await a.open()
  expect(must(one)).toBe(true) // at once, from the store
  const other = await a.open()
  await time.pass(60_000)
  expect([must(one), must(other)]).toEqual([true, true])

  // What is asked for otherwise waits, and is given up when a password is chosen.
  const friend = one.engine.addFriend('a'.repeat(16)).then(() => 'in', (e) => e.refusal?.reason ?? 'refused')
  await time.pass(5000)
  await expect(done(other.engine.changePassword('wrong password', 'new password'))).rejects.toMatchObject({ refusal: { reason: 'bad_credentials' } })
  expect([must(one), must(other)]).toEqual([true, true])
  await done(other.engine.changePassword('correct horse', 'new password'))
  await time.pass(1000)
  expect(await done(friend)).toBe('must_change_password')
  for (const w of [one, other]) expect(w.engine.app.get()).toMatchObject({ mustChangePassword: false, connection: 'online' })
  one.kill()
  other.kill()
  const after = await a.open()
  expect(must(after)).toBe(false)
  await time.pass(2000)
  expect(after.engine.app.get()).toMatchObject({ mustChangePassword: false, connection: 'online' })

  // A change whose answer was never written down: whom the server welcomes has a password.
  after.kill()
  account.mustChange = true
  const forgets = await a.open()
  await time.pass(5000)
  expect(must(forgets)).toBe(true)
  forgets.kill()
  account.mustChange = false
  const last = await a.open()
  await time.pass(5000)
  expect(must(last)).toBe(false)
})
