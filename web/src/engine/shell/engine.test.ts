import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, describe, expect, test } from 'vitest'
import { FakeServer } from '../fake/server.ts'
import type { Input } from '../inner.ts'
import type { MessageRow, Notice } from '../types.ts'
import { Browser, Window, form } from './fakewire.ts'
import { MemoryStore } from './store.ts'
import { Time } from './testing.ts'

let time: Time
let server: FakeServer
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  time = new Time()
  server = new FakeServer()
})

const texts = (w: Window, room: string): string[] =>
  (w.engine.room(room).get()?.rows ?? []).flatMap((r) => (r.kind === 'message' ? [r.text] : []))
const onServer = (room: string): string[] =>
  (server.data.rooms.get(room)?.rows ?? []).filter((r) => r.message.kind === 'text').map((r) => r.message.text)
const look = (w: Window, room: string) => {
  w.engine.room(room).subscribe(() => {})
  w.engine.view([room])
}
/** done waits for a promise of an engine while time passes. */
async function done<T>(p: Promise<T>): Promise<T> {
  let over = false
  void p.then(
    () => (over = true),
    () => (over = true),
  )
  for (let i = 0; i < 50 && !over; i++) await time.pass(100)
  return p
}

/** pair is two people with a browser each and the room between them. */
async function pair(): Promise<{ a: Browser; b: Browser; alice: Window; bob: Window; room: string }> {
  const a = new Browser('a', server, time)
  const b = new Browser('b', server, time)
  const alice = await a.open()
  const bob = await b.open()
  await done(alice.engine.signUp(form('alice')))
  await done(bob.engine.signUp(form('bobby')))
  await time.pass(1000)
  const room = alice.engine.directRoom(bob.engine.app.get().me?.id ?? '')
  look(alice, room)
  alice.engine.send(room, 'first', 0)
  await time.pass(1000)
  look(bob, room)
  await time.pass(1000)
  return { a, b, alice, bob, room }
}

test('two people sign up, write and read', async () => {
  const { alice, bob, room } = await pair()
  expect(alice.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, connection: 'online', leader: true, storage: 'ok' })
  expect(texts(bob, room)).toEqual(['first'])
  expect(bob.engine.rooms.get().byId.get(room)?.unread).toBe(1)
  bob.engine.markRead(room, 1)
  await time.pass(500)
  expect(bob.engine.app.get().unreadTotal).toBe(0)
  const state = alice.engine.room(room).get()
  expect(state?.unreadAt(1, alice.engine.app.get().me?.id ?? '')).toBe(0)
  await done(alice.engine.edit(room, 1, 'changed'))
  await done(bob.engine.react(room, 1, 2))
  await time.pass(500)
  expect(texts(bob, room)).toEqual(['changed'])
  expect((alice.engine.room(room).get()?.rows[0] as MessageRow).reactions[1]).toBe(1)
})

test('a message and the cleared draft are one transaction', async () => {
  const { a, alice, room } = await pair()
  alice.engine.setDraft(room, 'half')
  await time.settle()
  a.transactions.length = 0
  alice.engine.send(room, 'whole', 0)
  await time.settle()
  const tx = a.transactions.filter((t) => t.some((w) => w.table === 'items' && w.value !== undefined))
  expect(tx).toHaveLength(1)
  expect(tx[0]).toContainEqual(expect.objectContaining({ table: 'drafts', key: room, value: expect.objectContaining({ text: '' }) }))
  expect(alice.engine.rooms.get().byId.get(room)?.draft).toBe('')
})

test('killed with 50 unsent and reopened: 50 arrive, in order, once', async () => {
  const { a, alice, bob, room } = await pair()
  a.net.down = true
  await time.pass(2000)
  const sent = Array.from({ length: 50 }, (_, i) => `line ${i}`)
  for (const t of sent) alice.engine.send(room, t, 0)
  await time.settle()
  alice.kill()
  const again = await a.open()
  expect(again.engine.unsent()).toBe(50)
  a.net.down = false
  await time.pass(20_000)
  expect(onServer(room)).toEqual(['first', ...sent])
  expect(texts(bob, room)).toEqual(['first', ...sent])
  expect(again.engine.unsent()).toBe(0)
})

test('reopened without a network: rooms, names, rows and draft are there', async () => {
  const { a, alice, bob, room } = await pair()
  bob.engine.send(room, 'second', 0)
  alice.engine.wantPeople([bob.engine.app.get().me?.id ?? ''])
  await time.pass(6000)
  alice.engine.setDraft(room, 'half')
  alice.engine.keep('emoji', '1')
  await time.pass(2000)
  alice.kill()
  a.net.down = true
  const again = await a.open()
  expect(again.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, unreadTotal: 1 })
  expect(again.engine.rooms.get()).toMatchObject({ loaded: true })
  expect(again.engine.rooms.get().lines[0]).toMatchObject({ id: room, draft: 'half', last: { text: 'second' } })
  expect([...again.engine.people.get().byId.values()].map((p) => p.name).sort()).toEqual(['ALICE', 'BOBBY'])
  expect(again.engine.kept('emoji')).toBe('1')
  look(again, room)
  await time.pass(500)
  expect(texts(again, room)).toEqual(['first', 'second'])
})

test('an answer that got lost: the same form again is the same account, after a reload too', async () => {
  const a = new Browser('a', server, time)
  const first = await a.open()
  a.net.lose = (call) => call === 'signUp'
  await expect(done(first.engine.signUp(form('alice')))).rejects.toMatchObject({ refusal: { reason: 'unreachable' } })
  first.kill()
  a.net.lose = () => false
  const again = await a.open()
  expect(again.engine.app.get().phase.kind).toBe('signedOut')
  await done(again.engine.signUp(form('alice')))
  await time.pass(1000)
  expect(again.engine.app.get().me?.handle).toBe('alice')
  expect(server.data.accounts.size).toBe(1)
})

test('an answer that got lost, and then another 아이디: nobody gets into the account of before without its password', async () => {
  const a = new Browser('a', server, time)
  const w = await a.open()
  a.net.lose = (call) => call === 'signUp'
  await expect(done(w.engine.signUp(form('alice')))).rejects.toMatchObject({ refusal: { reason: 'unreachable' } })
  a.net.lose = () => false
  const carol = { ...form('carol'), password: 'another horse' }
  await expect(done(w.engine.signUp(carol))).rejects.toMatchObject({ refusal: { reason: 'signed_up_as', subject: 'alice' } })
  expect(w.engine.app.get().phase.kind).toBe('signedOut')
  await done(w.engine.signUp(carol))
  await time.pass(1000)
  expect(w.engine.app.get().me?.handle).toBe('carol')
  await done(w.engine.logOut())
  await done(w.engine.logIn('alice', 'correct horse', 'x'))
  await time.pass(1000)
  expect(w.engine.app.get().me?.handle).toBe('alice')
})

describe('two windows of one device', () => {
  test('both show the same, both can write, nothing doubles', async () => {
    const { a, alice, bob, room } = await pair()
    const second = await a.open()
    look(second, room)
    await time.pass(1000)
    expect([alice.engine.app.get().leader, second.engine.app.get().leader]).toEqual([true, false])
    expect(second.engine.app.get()).toMatchObject({ connection: 'online', me: { handle: 'alice' } })
    for (let i = 0; i < 10; i++) (i % 2 ? alice : second).engine.send(room, `line ${i}`, 0)
    await time.pass(2000)
    const got = onServer(room)
    expect([...got].sort()).toEqual(['first', ...Array.from({ length: 10 }, (_, i) => `line ${i}`)].sort())
    for (const w of [alice, second, bob]) expect(texts(w, room)).toEqual(got)
    expect(second.engine.unsent()).toBe(0)
    expect(server.conns.filter((c) => c.live)).toHaveLength(2)
  })

  test('verdicts of the second window: done, refused, given up', async () => {
    const { a, bob, room } = await pair()
    const second = await a.open()
    look(second, room)
    await time.pass(1000)
    await done(second.engine.edit(room, 1, 'changed'))
    expect(onServer(room)).toEqual(['changed'])
    server.refuse = (op) => (op.kind === 'send' ? 'cannot_receive' : '')
    second.engine.send(room, 'no', 0)
    await time.pass(1000)
    const row = second.engine.room(room).get()?.rows.at(-1) as MessageRow
    expect(row).toMatchObject({ text: 'no', state: 'refused', refusal: { reason: 'cannot_receive' } })
    server.refuse = () => ''
    second.engine.resend(row.item)
    await time.pass(1000)
    expect(texts(bob, room)).toEqual(['changed', 'no'])
    a.net.down = true
    await time.pass(2000)
    const id = second.engine.send(room, 'never', 0)
    await time.settle()
    expect(id).toBeGreaterThan(0)
    const shown = second.engine.room(room).get()?.rows.at(-1) as MessageRow
    const gone = second.engine.giveUp(shown.item)
    a.net.down = false
    expect(await done(gone)).toBe('gone')
    await time.pass(2000)
    expect(texts(bob, room)).toEqual(['changed', 'no'])
  })

  test('the leader is killed with unsent messages of both: the other one sends them all, in order', async () => {
    const { a, alice, bob, room } = await pair()
    const second = await a.open()
    look(second, room)
    a.net.down = true
    await time.pass(2000)
    const sent = Array.from({ length: 50 }, (_, i) => `line ${i}`)
    for (const t of sent.slice(0, 25)) alice.engine.send(room, t, 0)
    await time.settle()
    for (const t of sent.slice(25)) second.engine.send(room, t, 0)
    await time.settle()
    alice.kill()
    await time.settle()
    expect(second.engine.app.get().leader).toBe(true)
    expect(second.engine.unsent()).toBe(50)
    a.net.down = false
    await time.pass(20_000)
    expect(onServer(room)).toEqual(['first', ...sent])
    for (const w of [bob, second]) expect(texts(w, room)).toEqual(['first', ...sent])
    expect(second.engine.unsent()).toBe(0)
  })

  test('what the leader has not taken when it dies is not lost; a hung one is robbed', async () => {
    const { a, alice, bob, room } = await pair()
    const second = await a.open()
    look(second, room)
    await time.pass(1000)
    alice.kill(true)
    for (const t of ['one', 'two', 'three']) second.engine.send(room, t, 0)
    await time.settle()
    // It shows at once all the same.
    expect(texts(second, room)).toEqual(['first', 'one', 'two', 'three'])
    expect(second.engine.unsent()).toBe(3)
    const given = second.engine.room(room).get()?.rows.at(-1) as MessageRow
    const gone = second.engine.giveUp(given.item)
    await time.pass(20_000)
    expect(await gone).toMatch(/gone|sent/)
    expect(second.engine.app.get().leader).toBe(true)
    const got = onServer(room)
    expect(got.slice(0, 3)).toEqual(['first', 'one', 'two'])
    for (const w of [bob, second]) expect(texts(w, room)).toEqual(got)
    expect(second.engine.unsent()).toBe(0)
  })

  test('what was decided while a window heard nothing is not shown as open for ever', async () => {
    const { a, alice, room } = await pair()
    const second = await a.open()
    look(second, room)
    a.net.down = true
    await time.pass(2000)
    alice.engine.send(room, 'one', 0)
    server.refuse = (op) => (op.text === 'two' ? 'cannot_receive' : '')
    alice.engine.send(room, 'two', 0)
    await time.settle()
    expect(second.engine.unsent()).toBe(2)
    const hear = second.deaf()
    a.net.down = false
    await time.pass(10_000)
    expect(alice.engine.unsent()).toBe(1)
    const kept = alice.engine.room(room).get()?.rows.at(-1) as MessageRow
    expect(kept.state).toBe('refused')
    alice.engine.discard(kept.item)
    await time.settle()
    alice.kill()
    hear()
    await time.pass(5000)
    expect(second.engine.app.get().leader).toBe(true)
    expect(second.engine.unsent()).toBe(0)
    expect(texts(second, room)).toEqual(['first', 'one'])
  })

  test('a robbed leader asks how things are, and nobody listens to it any more', async () => {
    const { a, alice, bob, room } = await pair()
    const second = await a.open()
    look(second, room)
    await time.pass(1000)
    const ear = a.bus.channel()
    const notes: { from: string; note: { t: string } }[] = []
    ear.onmessage = (e) => notes.push(e.data as (typeof notes)[number])
    bob.engine.send(room, 'who tells?', 0)
    await time.pass(500)
    const first = notes.find((n) => n.note.t === 'inputs')?.from ?? ''
    alice.deaf()
    alice.show(false)
    second.show(true)
    await time.pass(5000)
    expect([alice.engine.app.get().leader, second.engine.app.get().leader]).toEqual([false, true])
    expect(notes.some((n) => n.from === first && n.note.t === 'join')).toBe(true)
    const third = await a.open()
    await time.pass(1000)
    // What the first one still had to say when it was robbed comes late.
    const late: Input = { t: 'connection', state: 'reconnecting', since: time.now, site: 0 }
    ear.postMessage({ from: first, note: { t: 'inputs', inputs: [late] } })
    await time.pass(500)
    expect(third.engine.app.get()).toMatchObject({ leader: false, connection: 'online' })
  })

  test('the visible window takes the lead of the hidden one without a loss', async () => {
    const { a, alice, bob, room } = await pair()
    const second = await a.open(false)
    look(second, room)
    a.net.down = true
    await time.pass(2000)
    alice.engine.send(room, 'one', 0)
    alice.show(false)
    second.show(true)
    second.engine.send(room, 'two', 0)
    alice.engine.send(room, 'three', 0)
    await time.pass(1000)
    expect([alice.engine.app.get().leader, second.engine.app.get().leader]).toEqual([false, true])
    a.net.down = false
    await time.pass(10_000)
    const got = onServer(room)
    expect([...got].sort()).toEqual(['first', 'one', 'three', 'two'])
    for (const w of [alice, second, bob]) expect(texts(w, room)).toEqual(got)
  })

  test('revoked elsewhere: both end at once, the store is empty, and the person can log in again', async () => {
    const { a, alice, bob, room } = await pair()
    const second = await a.open()
    a.net.down = true
    await time.pass(2000)
    alice.engine.send(room, 'lost', 0)
    await time.settle()
    a.net.down = false
    const token = [...server.data.sessions.values()].find((s) => s.user === alice.engine.app.get().me?.id)?.token ?? ''
    server.revoke(token)
    await time.pass(5000)
    for (const w of [alice, second]) {
      expect(w.engine.app.get().phase).toEqual({ kind: 'ended', unsent: 1, why: 'revoked' })
      expect(w.engine.rooms.get().lines).toEqual([])
      expect(w.engine.app.get().me).toBeNull()
    }
    const db = await new Promise<IDBDatabase>((resolve) => {
      const r = indexedDB.open('bonghwa-a')
      r.onsuccess = () => resolve(r.result)
    })
    for (const name of db.objectStoreNames) {
      const keys = await new Promise<IDBValidKey[]>((resolve) => {
        const r = db.transaction(name).objectStore(name).getAllKeys()
        r.onsuccess = () => resolve(r.result)
      })
      expect([name, keys]).toEqual([name, name === 'meta' ? ['fence'] : []])
    }
    alice.engine.dismissEnded()
    await done(second.engine.logIn('alice', 'correct horse', 'again'))
    await time.pass(2000)
    for (const w of [alice, second]) expect(w.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, me: { handle: 'alice' } })
    expect(texts(bob, room)).toEqual(['first'])
  })

  test('logging out in one logs out both, quietly', async () => {
    const { a, alice } = await pair()
    const second = await a.open()
    await done(second.engine.logOut())
    await time.pass(1000)
    for (const w of [alice, second]) expect(w.engine.app.get().phase).toEqual({ kind: 'signedOut' })
    expect(server.data.sessions.size).toBe(1)
  })

  test('an account that is deleted ends everywhere, and whoever deleted it is told so', async () => {
    const { a, alice } = await pair()
    const second = await a.open()
    await time.pass(1000)
    await expect(done(second.engine.deleteAccount('wrong password'))).rejects.toMatchObject({ refusal: { reason: 'bad_credentials' } })
    await done(second.engine.deleteAccount('correct horse'))
    await time.pass(1000)
    for (const w of [alice, second]) expect(w.engine.app.get().phase).toEqual({ kind: 'ended', unsent: 0, why: 'closed' })
  })

  test('without locks: one works, the other says so and can take over', async () => {
    const { a, alice } = await pair()
    alice.kill()
    a.hasLocks = false
    const first = await a.open()
    await time.pass(1000)
    expect(first.engine.app.get()).toMatchObject({ leader: true, phase: { kind: 'in' } })
    const second = await a.open()
    await time.pass(1000)
    expect(second.engine.app.get()).toMatchObject({ leader: false, phase: { kind: 'otherWindow' } })
    second.engine.takeOver()
    await time.pass(2000)
    expect(second.engine.app.get()).toMatchObject({ leader: true, phase: { kind: 'in' }, connection: 'online' })
    expect(first.engine.app.get()).toMatchObject({ leader: false, phase: { kind: 'otherWindow' } })
  })
})

describe('the store', () => {
  test('refused: all is in memory and said so', async () => {
    const a = new Browser('a', server, time)
    const w = await a.open(true, new MemoryStore())
    await done(w.engine.signUp(form('alice')))
    await time.pass(1000)
    expect(w.engine.app.get()).toMatchObject({ storage: 'refused', phase: { kind: 'in' }, connection: 'online' })
  })

  test('full: said so, messages go all the same, and it is well again when there is room', async () => {
    const { a, alice, bob, room } = await pair()
    a.disk = 'full'
    alice.engine.send(room, 'while full', 0)
    await time.pass(2000)
    expect(alice.engine.app.get().storage).toBe('full')
    expect(texts(bob, room)).toEqual(['first', 'while full'])
    a.disk = 'ok'
    await time.pass(10_000)
    expect(alice.engine.app.get().storage).toBe('ok')
    alice.kill()
    const again = await a.open()
    await time.pass(5000)
    expect(again.engine.unsent()).toBe(0)
    expect(onServer(room)).toEqual(['first', 'while full'])
  })

  test('full while the lead would move: what is in memory only is not lost', async () => {
    const { a, alice, room } = await pair()
    const second = await a.open(false)
    a.disk = 'full'
    a.net.down = true
    await time.pass(2000)
    alice.engine.send(room, 'while full', 0)
    await time.pass(500)
    alice.show(false)
    second.show(true)
    await time.pass(10_000)
    expect([alice.engine.app.get().leader, second.engine.app.get().storage]).toEqual([true, 'full'])
    second.engine.send(room, 'from the other', 0)
    a.net.down = false
    await time.pass(10_000)
    expect(onServer(room)).toEqual(['first', 'while full', 'from the other'])
  })

  test('cannot be emptied at the end of a session: the next account does not go on with it', async () => {
    const { a, alice, bob, room } = await pair()
    a.net.down = true
    await time.pass(2000)
    alice.engine.send(room, 'hers', 0)
    await time.settle()
    a.net.down = false
    a.disk = 'stuck'
    server.revoke([...server.data.sessions.values()].find((s) => s.user === alice.engine.app.get().me?.id)?.token ?? '')
    await time.pass(5000)
    expect(alice.engine.app.get()).toMatchObject({ phase: { kind: 'ended', unsent: 1 }, storage: 'refused' })
    a.disk = 'ok'
    alice.engine.dismissEnded()
    await done(alice.engine.signUp(form('carol')))
    await time.pass(5000)
    expect(alice.engine.app.get()).toMatchObject({ phase: { kind: 'in' }, me: { handle: 'carol' } })
    alice.kill()
    const again = await a.open()
    await time.pass(5000)
    expect(again.engine.app.get().me?.handle ?? '').not.toBe('carol') // it said that it was in memory
    expect(onServer(room)).toEqual(['first'])
    expect(texts(bob, room)).toEqual(['first'])
  })
})

test('notices come for what nobody sees, once, and not for what was there before', async () => {
  const { a, alice, bob, room } = await pair()
  const seen: Notice[] = []
  alice.engine.onNotice((n) => seen.push(n))
  alice.engine.setActive(true)
  bob.engine.send(room, 'in view', 0)
  await time.pass(1000)
  expect(seen).toEqual([])
  alice.engine.view([])
  bob.engine.send(room, 'unseen', 0)
  await time.pass(1000)
  expect(seen.map((n) => n.text)).toEqual(['unseen'])
  a.net.down = true
  await time.pass(2000)
  bob.engine.send(room, 'while away 1', 0)
  bob.engine.send(room, 'while away 2', 0)
  await time.pass(1000)
  a.net.down = false
  await time.pass(5000)
  expect(seen.map((n) => n.text).at(-1)).toBe('while away 2')
  const count = seen.length
  alice.kill()
  const again = await a.open()
  again.engine.onNotice((n) => seen.push(n))
  await time.pass(3000)
  expect(seen).toHaveLength(count)
})

test('a window that is gone does not keep the others from being told', async () => {
  const { a, alice, bob, room } = await pair()
  alice.engine.view([])
  const seen: string[] = []
  alice.engine.onNotice((n) => seen.push(n.text))
  const looks = async (visible: boolean): Promise<Window> => {
    const w = await a.open(visible)
    look(w, room)
    w.engine.setActive(true)
    await time.pass(500)
    return w
  }
  const say = async (text: string): Promise<void> => {
    bob.engine.send(room, text, 0)
    await time.pass(1000)
  }
  const second = await looks(true)
  await time.pass(400_000)
  await say('seen there') // it says so again and again
  second.kill()
  await time.pass(200_000)
  await say('after it was killed')
  expect(seen).toEqual(['after it was killed'])

  const third = await looks(false) // wants no lead
  const fourth = await a.open(false)
  alice.show(false)
  fourth.show(true)
  await time.pass(1000)
  expect(fourth.engine.app.get().leader).toBe(true)
  third.wake('hide') // closed while another one leads
  third.kill()
  fourth.kill()
  await time.pass(1000)
  expect(alice.engine.app.get().leader).toBe(true)
  await say('after the lead came back')
  expect(seen.at(-1)).toBe('after the lead came back')
})

test('server killed and back: the page recovers, nothing is lost or doubled', async () => {
  const { alice, bob, room } = await pair()
  for (let i = 0; i < 20; i++) {
    alice.engine.send(room, `a${i}`, 0)
    bob.engine.send(room, `b${i}`, 0)
    if (i % 5 === 3) server.restart()
    await time.pass(137)
  }
  await time.pass(20_000)
  const got = onServer(room)
  expect(got).toHaveLength(41)
  expect(new Set(got).size).toBe(41)
  expect(got.filter((t) => t.startsWith('a'))).toEqual(Array.from({ length: 20 }, (_, i) => `a${i}`))
  for (const w of [alice, bob]) expect(texts(w, room)).toEqual(got)
})
