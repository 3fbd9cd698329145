// One client in front of the imitated server: each way in which an item can be decided, and what survives a restart.
import { describe, expect, test } from 'vitest'
import { FakeServer } from '../fake/server.ts'
import { Core } from './core.ts'
import { failure } from './frames.ts'
import { encode, groupRoom } from './ids.ts'
import { seededRand } from './rand.ts'
import { emptyState } from './record.ts'
import { TestDevice, World } from './world.ts'

/** calm is one connected client and the 1:1 it writes in. */
function calm(): { w: World; d: TestDevice; bob: TestDevice; room: string } {
  const w = new World(1)
  w.calm = true
  const d = w.add('alice')
  const bob = w.add('bob')
  w.settle()
  const room = d.roomWith(bob)
  d.submit({ kind: 'send', peer: bob.user, text: '0' })
  d.pump()
  w.settle()
  d.got.clear()
  d.outputs = []
  return { w, d, bob, room }
}

const texts = (server: FakeServer, room: string): string[] => (server.data.rooms.get(room)?.rows ?? []).slice(1).map((r) => r.message.text)
const link = (d: TestDevice): number => [...d.links.keys()][0] ?? 0

test('a lost answer, then a restart weeks later', () => {
  const { w, d, room } = calm()
  const id = d.send(room, 'hello')
  d.serve() // in, and the answer never arrives
  d.restart(true)
  w.now += 60 * 24 * 3600 * 1000
  w.settle()
  expect(texts(w.server, room)).toEqual(['hello'])
  expect(d.result(id)).toMatchObject({ ok: true, seq: 2 })
})

test('nothing leaves before it is stored', () => {
  const { w, d, room } = calm()
  d.send(room, 'hello')
  expect([...d.links.values()].flatMap((l) => l.up)).toEqual([])
  w.settle()
  expect(texts(w.server, room)).toEqual(['hello'])
})

test('the message and its count are one transaction', () => {
  const { d, room } = calm()
  d.send(room, 'hello')
  const persist = d.outputs.filter((o) => o.t === 'persist').at(-1)
  expect(persist?.recs.map((r) => r.t)).toEqual(['counter', 'meta', 'item'])
  expect(persist?.strict).toBe(true)
})

describe('eight under way, one refused', () => {
  for (const reason of ['cannot_receive', 'busy', 'invalid', 'unknown_outcome']) {
    for (let refused = 1; refused <= 8; refused++) {
      test(`${reason} ${refused}`, () => {
        const { w, d, room } = calm()
        const verdict = reason === 'cannot_receive'
        let once = true
        w.server.refuse = (op) => (verdict && op.text === String(refused) ? reason : '')
        const ids = Array.from({ length: 12 }, (_, i) => d.send(room, String(i + 1)))
        w.server.busy = (n) => {
          if (!once || n !== refused + 1 || verdict) return ''
          once = false
          return reason
        }
        d.serve()
        expect([...d.links.values()].flatMap((l) => l.conn.out()).filter((f) => f.t === 'ack')).toHaveLength(8)
        d.cutAll() // those answers are lost; everything comes again
        w.settle()
        const lost = verdict ? String(refused) : ''
        expect(texts(w.server, room)).toEqual(Array.from({ length: 12 }, (_, i) => String(i + 1)).filter((t) => t !== lost))
        if (!verdict) return
        expect(d.result(ids[refused - 1] ?? 0).refusal?.reason).toBe(reason)
        expect([...d.kept.values()].map((k) => k.op.text)).toEqual([lost])
      })
    }
  }
})

test('what will never be taken is replaced by a skip, and its author keeps it', () => {
  const { w, d, room } = calm()
  w.server.busy = (n) => {
    if (n !== 3) return ''
    w.server.busy = () => ''
    return 'invalid'
  }
  const a = d.send(room, 'a'), b = d.send(room, 'b'), c = d.send(room, 'c')
  d.serve()
  w.settle()
  expect(texts(w.server, room)).toEqual(['a', 'c'])
  expect(d.result(a).ok).toBe(true)
  expect(d.result(b).refusal?.reason).toBe('invalid')
  expect(d.result(c).seq).toBe(3)
  expect(d.kept.get(b)?.op.text).toBe('b')
})

describe('refused messages', () => {
  test('are kept over a restart, sent anew or discarded', () => {
    const { w, d, room } = calm()
    w.server.refuse = () => 'cannot_receive'
    const a = d.send(room, 'a'), b = d.send(room, 'b')
    w.settle()
    d.restart(true)
    expect([...d.kept.keys()]).toEqual([a, b])
    expect(d.core.unsent).toBe(2)
    w.server.refuse = () => ''
    const again = d.core.resend(w.now, a)
    d.core.discard(b)
    d.note(again, 'a', room, null)
    d.pump()
    expect(d.kept.size).toBe(0)
    w.settle()
    expect(texts(w.server, room)).toEqual(['a'])
    expect(d.result(again).ok).toBe(true)
    d.restart(false)
    expect(d.kept.size).toBe(0)
    expect(d.core.resend(w.now, a)).toBe(0)
  })
  test('other changes are told only', () => {
    const { w, d, room } = calm()
    const id = d.submit({ kind: 'edit', room, seq: 99, text: 'x' })
    d.note(id, 'x', room, null)
    d.pump()
    w.settle()
    expect(d.result(id).refusal?.reason).toBe('unknown_message')
    expect(d.kept.size).toBe(0)
  })
})

describe('given up', () => {
  test('before it left', () => {
    const { w, d, room } = calm()
    d.cutAll()
    const id = d.send(room, 'no')
    expect(d.core.giveUp(w.now, id)).toBe(true)
    d.pump()
    expect(d.items.get(id)?.state).toBe('givingUp')
    d.send(room, 'yes')
    w.settle()
    expect(texts(w.server, room)).toEqual(['yes'])
    expect(d.result(id)).toMatchObject({ givenUp: true, ok: false, refusal: null })
    expect(d.kept.size).toBe(0)
  })
  test('too late', () => {
    const { w, d, room } = calm()
    const id = d.send(room, 'in')
    d.serve()
    d.core.giveUp(w.now, id)
    d.cutAll() // the answer is lost: only the skip can tell
    w.settle()
    expect(texts(w.server, room)).toEqual(['in'])
    expect(d.result(id)).toMatchObject({ givenUp: false, ok: true, seq: 2 })
  })
  test('twice, or what is not there', () => {
    const { w, d, room } = calm()
    const id = d.send(room, 'x')
    expect(d.core.giveUp(w.now, id)).toBe(true)
    expect(d.core.giveUp(w.now, id)).toBe(false)
    expect(d.core.giveUp(w.now, 99)).toBe(false)
    expect(d.core.replace(w.now, id, 'y')).toBe(0)
  })
})

describe('replaced', () => {
  for (const isIn of [false, true]) {
    test(isIn ? 'when it was in: an edit' : 'when it was not in: another message', () => {
      const { w, d, room } = calm()
      const id = d.send(room, 'teh')
      if (isIn) d.serve()
      const next = d.core.replace(w.now, id, 'teh!')
      expect(d.core.replace(w.now, id, 'the')).toBe(next)
      d.note(next, 'the', room, null)
      d.pump()
      expect(d.items.get(id)?.op.text).toBe('the')
      d.cutAll()
      d.serve()
      d.restart(false)
      w.settle()
      expect(texts(w.server, room)).toEqual(isIn ? ['the', 'the'] : ['the'])
      expect(w.server.data.rooms.get(room)?.rows.at(-1)?.message.kind).toBe(isIn ? 'edit' : 'text')
      expect(d.result(next).ok).toBe(true)
    })
  }
  test('when the room refuses it: the later text is kept', () => {
    const { w, d, room } = calm()
    w.server.refuse = () => 'cannot_receive'
    const id = d.send(room, 'teh')
    d.serve()
    const next = d.core.replace(w.now, id, 'the')
    d.note(next, 'the', room, null)
    w.settle()
    expect([...d.kept.values()].map((k) => k.op.text)).toEqual(['the'])
    expect(d.result(next).refusal?.reason).toBe('cannot_receive')
  })
  test('and the replacement given up', () => {
    const { w, d, room } = calm()
    d.cutAll()
    const id = d.send(room, 'a')
    d.core.replace(w.now, id, 'b')
    expect(d.core.giveUp(w.now, id)).toBe(true)
    w.settle()
    expect(texts(w.server, room)).toEqual([])
    expect(d.result(id).givenUp).toBe(true)
  })
})

test('one uid is one change, also after its verdict and after a restart', () => {
  const { w, d, room } = calm()
  const op = { kind: 'send', room, text: 'once' } as const
  const id = d.submit(op, 'u')
  expect(d.submit(op, 'u')).toBe(id)
  d.note(id, 'once', room, null)
  d.pump()
  d.serve()
  d.restart(true)
  expect(d.submit(op, 'u')).toBe(id)
  d.pump()
  w.settle()
  d.restart(false)
  const before = d.result(id)
  expect(d.submit(op, 'u')).toBe(id)
  d.pump()
  expect(d.result(id)).not.toBe(before) // told again
  w.settle()
  expect(texts(w.server, room)).toEqual(['once'])
})

test('a new leader goes on with the store of the killed one, which still talks', () => {
  const { w, d, room } = calm()
  d.cutAll()
  for (let i = 1; i <= 10; i++) d.send(room, String(i))
  d.serve()
  const tab = new TestDevice(w, 'tab', d.user, d.token, d.device, d.store)
  for (const [id, f] of d.sent) tab.sent.set(id, { ...f })
  w.devices.push(tab)
  tab.start()
  w.settle()
  expect(texts(w.server, room)).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 1)))
})

describe('decided so long ago that the verdict is not kept', () => {
  /** late is a window that comes back with `text` open under a name after twenty more were decided. */
  function late(text: string, other: string): { w: World; tab: TestDevice; id: number; room: string } {
    const { w, d, room } = calm()
    const before = d.store.copy()
    const id = d.send(room, text)
    d.todo.shift()?.()
    const tab = new TestDevice(w, 'tab', d.user, d.token, d.device, other === text ? d.store.copy() : before)
    w.settle()
    for (let i = 0; i < 20; i++) d.send(room, String(i))
    w.settle()
    d.core.goOffline(w.now)
    w.devices.splice(0, w.devices.length, tab)
    w.server.busy = () => ''
    tab.start()
    tab.note(id, other, room, null)
    if (other !== text) expect(tab.submit({ kind: 'send', room, text: other })).toBe(id)
    return { w, tab, id, room }
  }
  test('its row is found', () => {
    const { w, tab, id } = late('hello', 'hello')
    w.settle()
    expect(tab.outputs.some((o) => o.t === 'fetch' && o.request.backward)).toBe(true)
    expect(tab.result(id)).toMatchObject({ ok: true, seq: 2 })
  })
  test('and the row is another: the profile was copied, and the message is not told as sent', () => {
    const { w, tab, id, room } = late('hello', 'my own')
    w.settle()
    expect(tab.outputs.some((o) => o.t === 'renew')).toBe(true)
    expect(tab.result(id).refusal?.reason).toBe('already_in')
    expect(tab.kept.get(id)?.op.text).toBe('my own')
    expect(texts(w.server, room)).not.toContain('my own')
  })
})

test('a wish to give up that is not safe yet decides nothing', () => {
  const { w, d, room } = calm()
  d.cutAll()
  const id = d.send(room, 'x')
  d.todo.shift()?.()
  d.core.goOffline(w.now)
  d.serve()
  const device = encode(new Uint8Array(16).fill(4)) // names are recovered: a skip under the old one leaves first
  w.server.logIn({ handle: 'alice', password: 'password', token: 'again', device, label: '' })
  d.token = 'again'
  d.core.setAccount(d.user, 'again', device)
  d.core.goOnline(w.now)
  d.pump()
  for (let i = 0; i < 400 && !d.outputs.some((o) => o.t === 'frame' && o.frame.t === 'skip'); i++) {
    w.now += 5
    d.step()
  }
  d.serve()
  d.core.giveUp(w.now, id)
  d.pump()
  d.receive([...d.links.keys()][0] ?? 0) // skipped
  expect(d.sent.get(id)?.result).toBeNull()
  w.settle()
  expect(d.result(id).givenUp).toBe(true)
})

test('a copied profile', () => {
  const { w, d: a, room } = calm()
  const b = new TestDevice(w, 'copy', a.user, a.token, a.device, a.store.copy())
  w.devices.push(b)
  b.start()
  w.settle()
  const sent: string[] = []
  for (let i = 0; !a.ended && !b.ended; i++) {
    for (const d of [a, b]) {
      sent.push(`${d.name} ${i}`)
      d.send(room, `${d.name} ${i}`)
    }
    if (i % 5 === 4) w.settle()
    if (i === 50) w.fail('they go on for ever')
  }
  w.settle()
  // They share one session, and it has one device: one copy goes on, the other is told to log in again.
  expect(a.core.device).not.toBe(b.core.device)
  expect([a.ended, b.ended].filter((e) => e !== '')).toEqual(['wrong_device'])
  // With a session of its own it sends what is open, and nothing twice.
  const ended = a.ended ? a : b
  const device = encode(new Uint8Array(16).fill(9))
  ended.token = 'token-again'
  w.server.logIn({ handle: 'alice', password: 'password', token: ended.token, device, label: '' })
  ended.ended = ''
  ended.core.setAccount(ended.user, ended.token, device)
  ended.core.goOnline(w.now)
  ended.pump()
  w.settle()
  expect(texts(w.server, room).sort()).toEqual(sent.sort())
})

describe('silence', () => {
  test('is noticed soon where somebody waits', () => {
    const { w, d, room } = calm()
    w.now += 5000
    d.wake() // lines are stored
    expect(d.core.nextWake).toBeGreaterThan(w.now + 60000)
    d.core.view(w.now, [room])
    expect(d.core.nextWake).toBeLessThanOrEqual(w.now + 1100)
  })
  test('after a ping without an answer another connection is opened', () => {
    const { w, d } = calm()
    for (const l of d.links.values()) l.dead = true
    d.core.ping(w.now)
    d.pump()
    expect(d.core.nextWake).toBeLessThanOrEqual(w.now + 1100)
    w.now += 1100
    d.wake()
    expect(d.links.size).toBe(2)
  })
  test('whoever comes back does not wait for a connection that opens since long ago, nor for its failures', () => {
    const core = new Core({ sites: 1, rand: seededRand(1), state: emptyState })
    let now = 1_700_000_000_000
    const opened: number[] = []
    const closed: number[] = []
    const take = () => {
      for (const o of core.take()) {
        if (o.t === 'open') opened.push(o.conn)
        if (o.t === 'close') closed.push(o.conn)
      }
    }
    core.setAccount('u', 't', 'd')
    core.goOnline(now)
    take()
    for (let i = 0; i < 12; i++) {
      core.lost(now, opened.at(-1)!)
      now = core.nextWake!
      core.tick(now)
      take()
    }
    core.lost(now, opened.at(-1)!)
    take()
    expect(core.nextWake! - now).toBeGreaterThan(500) // after so many failures it waits
    let count = opened.length
    core.ping(now)
    take()
    expect(opened).toHaveLength(count + 1)
    // One that opens since a moment is left alone, one that opens since before is not.
    now += 1000
    core.ping(now)
    take()
    expect(opened).toHaveLength(++count)
    now += 4000
    core.ping(now)
    take()
    expect([opened.length, closed.at(-1)]).toEqual([count + 1, opened.at(-2)])
    core.lost(now, opened.at(-1)!)
    expect(core.nextWake! - now).toBeLessThan(300)
  })
  test('is told after a while like a lost connection, and what is under way as unknown', () => {
    const { w, d, room } = calm()
    const id = d.send(room, 'x')
    for (let i = 0; i < 300 && d.items.get(id)?.state === 'waiting'; i++) d.step()
    for (const l of d.links.values()) l.dead = true
    expect([d.connection, d.items.get(id)?.state]).toEqual(['online', 'sending'])
    w.now += 5000
    d.wake()
    expect([d.connection, d.items.get(id)?.state]).toEqual(['reconnecting', 'unknown'])
    for (const l of d.links.values()) l.dead = false
    w.settle()
    expect([d.connection, d.result(id).ok]).toEqual(['online', true])
    expect(texts(w.server, room).filter((t) => t === 'x')).toHaveLength(1)
  })
  test('of a machine that slept', () => {
    const { w, d, bob, room } = calm()
    for (const l of d.links.values()) l.dead = true
    w.now += 3600_000
    bob.send(room, 'meanwhile')
    w.calm = true
    for (let i = 0; i < 400; i++) {
      w.now += 10
      d.step()
      bob.step()
    }
    expect(d.core.line(room)?.last?.text).toBe('meanwhile')
  })
})

describe('the connection as it is told', () => {
  test('reconnecting only after 400 ms', () => {
    const { w, d } = calm()
    expect(d.connection).toBe('online')
    d.cutAll()
    expect(d.connection).toBe('online')
    w.now += 399
    d.wake()
    expect(d.connection).toBe('online')
    w.now += 1
    d.wake()
    expect(d.connection).toBe('reconnecting')
    w.settle()
    expect(d.connection).toBe('online')
  })
  test('a short break is not told', () => {
    const { w, d, room } = calm()
    d.core.view(w.now, [room])
    d.outputs = []
    d.cutAll()
    w.now += 100
    for (let i = 0; i < 100; i++) d.step()
    expect(d.core.connected).toBe(true)
    expect(d.outputs.some((o) => o.t === 'input' && o.input.t === 'connection')).toBe(false)
  })
  test('the state of an item: waiting, sending, unknown', () => {
    const { d, w, room } = calm()
    d.cutAll()
    const id = d.send(room, 'x')
    expect(d.items.get(id)?.state).toBe('waiting')
    for (let i = 0; i < 300 && !d.core.connected; i++) {
      w.now += 20
      d.step()
    }
    expect(d.items.get(id)?.state).toBe('sending')
    d.cutAll()
    expect(d.items.get(id)?.state).toBe('unknown')
  })
})

describe('a restore', () => {
  test('drops what is lost and goes on under the same names', () => {
    const { w, d, room } = calm()
    d.send(room, 'kept')
    w.settle()
    const backup = w.server.backup()
    const lost = d.send(room, 'lost in the fire')
    w.settle()
    expect(d.result(lost).seq).toBe(3)
    const device = d.core.device
    w.server.restore(backup)
    const id = d.send(room, 'after')
    w.settle()
    expect(texts(w.server, room)).toEqual(['kept', 'after'])
    expect(d.result(id)).toMatchObject({ ok: true, seq: 3 })
    expect([d.ended, d.rollbacks, d.core.epoch, d.core.device]).toEqual(['', 1, 2, device])
    expect(d.core.line(room)?.lastSeq).toBe(3)
  })
  test('while this client was not running', () => {
    const { w, d, bob, room } = calm()
    const backup = w.server.backup()
    bob.send(room, 'lost')
    w.now += 6000
    w.settle()
    d.restart(false)
    w.settle() // seen is beyond the backup
    w.server.restore(backup)
    d.restart(false)
    w.settle()
    expect(d.rollbacks).toBe(1)
    expect(d.core.line(room)?.lastSeq).toBe(1)
    expect(d.store.state().rooms.map((r) => r.lastSeq)).toEqual([1])
  })
})

test('the first send into a new group waits for the group', () => {
  const { w, d, bob } = calm()
  const bytes = new Uint8Array(16).fill(5)
  const room = groupRoom(d.user, bytes)
  const made = d.submit({ kind: 'createRoom', text: 'title', list: [bob.user, 'aaaqcwywscrwu42d'], bytes })
  d.note(made, '', room, null)
  d.send(room, 'first')
  d.serve()
  expect(w.server.data.rooms.get(room)?.rows).toHaveLength(1)
  w.settle()
  expect(texts(w.server, room)).toEqual(['first'])
  expect(d.result(made)).toMatchObject({ ok: true, room, refused: ['aaaqcwywscrwu42d'] })
})

describe('an ended session', () => {
  test('is told, and nothing goes on', () => {
    const { w, d, room } = calm()
    w.server.revoke(d.token)
    d.receive(link(d))
    expect(d.ended).toBe('session_revoked')
    d.send(room, 'kept for the next log-in')
    d.core.tick(w.now)
    expect(d.core.unsent).toBe(1)
    expect(d.core.connected).toBe(false)
  })
  test('of another device after a log-in: names are recovered', () => {
    const { w, d, room } = calm()
    d.cutAll()
    const id = d.send(room, 'x')
    d.serve()
    d.core.goOffline(w.now)
    const device = encode(new Uint8Array(16).fill(7))
    w.server.logIn({ handle: 'alice', password: 'password', token: 'again', device, label: '' })
    d.token = 'again'
    d.core.setAccount(d.user, 'again', device)
    d.core.goOnline(w.now)
    d.pump()
    w.settle()
    expect(texts(w.server, room)).toEqual(['x'])
    expect(d.result(id).ok).toBe(true)
  })
})

test('passwords are not stored: after a restart such a change is given up', () => {
  const { w, d } = calm()
  const id = d.submit({ kind: 'changePassword', old: 'old-secret', next: 'new-secret' })
  d.note(id, '', '', null)
  d.pump()
  d.todo.shift()?.() // stored, and the call is under way
  expect(d.store.text).not.toContain('secret')
  expect(JSON.stringify([...d.items.values()])).not.toContain('secret')
  d.restart(true)
  w.settle()
  expect(d.result(id).givenUp).toBe(true)
})

test('a change of the account whose answer is lost is made once', () => {
  const { w, d, bob } = calm()
  const id = d.submit({ kind: 'addFriend', peer: bob.user })
  const name = d.submit({ kind: 'setProfile', name: '앨리스' })
  d.note(id, '', '', null)
  d.note(name, '', '', null)
  d.pump()
  d.todo.shift()?.()
  const calls = (): number => d.outputs.filter((o) => o.t === 'call').length
  d.pump()
  expect(calls()).toBe(1) // one at a time
  const call = d.outputs.find((o) => o.t === 'call')
  if (call?.t !== 'call') throw new Error('no call')
  w.server.change(d.token, call.op, call.name)
  d.todo = []
  d.core.called(w.now, call.id, null, null, true)
  w.settle()
  expect(d.result(id).ok).toBe(true)
  expect(d.result(name).ok).toBe(true)
  expect(w.server.me(d.token).person.name).toBe('앨리스')
})

test('a hello that is refused for now is tried again', () => {
  const { w, d } = calm()
  w.server.refuseHello = 'busy'
  d.cutAll()
  for (let i = 0; i < 200; i++) {
    w.now += 10
    d.step()
  }
  expect(d.core.connected).toBe(false)
  expect(d.ended).toBe('')
  w.server.refuseHello = ''
  w.settle()
  expect(d.core.connected).toBe(true)
})

test('what names neither room nor person is not taken', () => {
  const { w, d } = calm()
  for (const op of [{ room: '' }, { room: 'x' }, { peer: 'nobody' }]) expect(d.submit({ kind: 'send', text: 'x', ...op })).toBe(0)
  expect(d.core.replace(w.now, 0, 'x')).toBe(0)
  d.core.frame(w.now, 99, { t: 'resync' })
  d.core.fetched(w.now, 99, null, failure('internal'))
  d.core.called(w.now, 99, null, null, true)
  d.core.renewed(w.now, 99, null, false)
  expect(d.core.connected).toBe(true)
})
