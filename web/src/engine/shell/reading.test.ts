// Read marks: what others see of them, what is left unread, in every window and after a restart.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { Scene, look } from './scene.ts'
import type { Window } from './fakewire.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

const line = (w: Window, room: string) => w.engine.rooms.get().byId.get(room)!

test('who has read while one looked away is known when one looks again', async () => {
  const { alice, bob, room } = await s.pair()
  alice.engine.send(room, 'mine', 0)
  await s.time.pass(1000)
  const me = alice.engine.app.get().me!.id
  const unread = () => alice.engine.room(room).get()!.unreadAt(2, me)
  expect(unread()).toBe(1)
  alice.engine.view([])
  await s.time.pass(500)
  bob.engine.markRead(room, 2)
  await s.time.pass(1000)
  alice.engine.view([room])
  await s.time.pass(6000)
  expect(unread()).toBe(0)
})

test('looking again and again reads the marks once in a while only', async () => {
  const { a, alice, room } = await s.pair()
  let asked = 0
  a.net.lose = (call) => {
    if (call === 'members') asked++
    return false
  }
  for (let i = 0; i < 20; i++) {
    alice.engine.view([])
    alice.engine.view([room])
    await s.time.pass(500)
  }
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThanOrEqual(3)
})

test('a window that follows reads nothing older than what it was told of', async () => {
  const { a, alice, bob, room } = await s.pair()
  const second = await s.open(a)
  for (let i = 0; i < 5; i++) bob.engine.send(room, `b${i}`, 0)
  await s.time.pass(2000)
  const asked: unknown[] = []
  const { history } = s.server
  s.server.history = (token, q) => {
    asked.push(q.atLeast)
    return history.call(s.server, token, q)
  }
  second.engine.room(room).subscribe(() => {})
  await second.engine.jumpTo(room, 1)
  expect([alice.engine.app.get().leader, second.engine.app.get().leader]).toEqual([true, false])
  await second.engine.jumpTo(room, 0)
  await s.time.pass(1000)
  expect(asked).not.toHaveLength(0)
  for (const at of asked) expect(at).toEqual(s.server.position)
})

test('a part is read: the same number in another window and after a restart', async () => {
  const { a, alice, bob, room } = await s.pair()
  alice.engine.view([])
  for (let i = 0; i < 30; i++) bob.engine.send(room, `b${i}`, 0)
  await s.time.pass(5000)
  look(alice, room)
  await s.time.pass(1000)
  alice.engine.markRead(room, 11)
  await s.time.pass(3000)
  expect(line(alice, room)).toMatchObject({ unread: 20, readSeq: 11 })
  const second = await s.open(a)
  await s.time.pass(3000)
  expect(line(second, room)).toMatchObject({ unread: 20, readSeq: 11 })
  alice.show(false)
  await s.time.pass(3000)
  alice.kill()
  second.kill()
  a.net.down = true
  const next = await s.open(a)
  expect(line(next, room)).toMatchObject({ unread: 20, readSeq: 11 })
})

test('a part is read of which the rows are not here: the server is asked, and the number is the same everywhere', async () => {
  const { a, alice, bob, room } = await s.pair()
  await s.time.pass(1000)
  alice.kill()
  for (let i = 0; i < 30; i++) bob.engine.send(room, `b${i}`, 0)
  await s.time.pass(5000)
  const next = await s.open(a)
  await s.time.pass(3000)
  expect(line(next, room).unread).toBe(30)
  next.engine.markRead(room, 11)
  await s.time.pass(5000)
  expect(line(next, room)).toMatchObject({ unread: 20, readSeq: 11 })
  const second = await s.open(a)
  await s.time.pass(3000)
  expect(line(second, room)).toMatchObject({ unread: 20, readSeq: 11 })
})

test('a mark that the server never got is sent when it is there again', async () => {
  const { a, alice, bob, room } = await s.pair()
  alice.engine.view([])
  for (let i = 0; i < 5; i++) bob.engine.send(room, `b${i}`, 0)
  await s.time.pass(5000)
  a.net.down = true
  await s.time.pass(2000)
  look(alice, room)
  alice.engine.markRead(room, 6)
  await s.time.pass(2000)
  alice.show(false)
  await s.time.settle()
  alice.kill()
  a.net.down = false
  const next = await s.open(a)
  await s.time.pass(5000)
  const me = next.engine.app.get().me!.id
  const mark = () => s.server.data.rooms.get(room)!.members.get(me)!.readSeq
  expect([line(next, room).unread, mark()]).toEqual([0, 6])
  // Once is enough.
  const n = s.server.data.n
  next.show(false)
  await s.time.settle()
  next.kill()
  await s.open(a)
  await s.time.pass(3000)
  expect(s.server.data.n).toBe(n)
})

test('a part was read while the connection was away, and more came: what is left is counted', async () => {
  const { a, alice, bob, room } = await s.pair()
  alice.engine.view([])
  for (let i = 0; i < 10; i++) bob.engine.send(room, `b${i}`, 0)
  await s.time.pass(3000)
  look(alice, room)
  await s.time.pass(1000)
  a.net.down = true
  await s.time.pass(100)
  alice.engine.markRead(room, 6)
  await s.time.pass(500)
  expect(line(alice, room)).toMatchObject({ unread: 5, readSeq: 6 })
  alice.engine.view([])
  bob.engine.send(room, 'x', 0)
  bob.engine.send(room, 'y', 0)
  await s.time.pass(2000)
  a.net.down = false
  alice.wake('online')
  await s.time.pass(5000)
  const second = await s.open(a)
  await s.time.pass(1000)
  for (const w of [alice, second]) expect(line(w, room)).toMatchObject({ lastSeq: 13, unread: 7, readSeq: 6 })
})

test('a restored server: what is new there is told, though the rooms had got further before', async () => {
  const { alice, bob, room } = await s.pair()
  alice.engine.view([])
  const copy = s.server.backup()
  for (let i = 0; i < 3; i++) bob.engine.send(room, `lost ${i}`, 0)
  await s.time.pass(2000)
  s.server.restore(copy)
  await s.time.pass(10_000)
  const heard: string[] = []
  alice.engine.onNotice((n) => heard.push(n.text))
  bob.engine.send(room, 'new', 0)
  await s.time.pass(3000)
  expect(heard).toEqual(['new'])
})
