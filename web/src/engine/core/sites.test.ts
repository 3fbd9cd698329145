// Several sites: they are learned, gone to in turn, and nobody waits long for one that is silent.
import { expect, test } from 'vitest'
import { MemoryStore } from '../fake/memory.ts'
import { Core } from './core.ts'
import { failure } from './frames.ts'
import type { Output } from './output.ts'
import { seededRand } from './rand.ts'
import { emptyState } from './record.ts'
import { type TestDevice, World } from './world.ts'

/** calm is a client of a system of three sites, connected, and the 1:1 it writes in. */
function calm(): { w: World; d: TestDevice; room: string } {
  const w = new World(1, 3)
  w.calm = true
  const d = w.add('alice')
  const bob = w.add('bob')
  w.settle()
  const room = d.roomWith(bob)
  d.submit({ kind: 'send', peer: bob.user, text: '0' })
  d.pump()
  w.settle()
  d.outputs = []
  return { w, d, room }
}

test('sites are learned once, kept over a restart, and gone to in turn, but for those that are gone', () => {
  const state = new MemoryStore()
  const begin = () => {
    const core = new Core({ sites: 3, rand: seededRand(1), state: state.state() })
    core.setAccount('u', 't', 'd')
    return core
  }
  let core = begin()
  let now = 1_700_000_000_000
  let conn = 0
  const take = (): Output[] => {
    const out = core.take()
    for (const o of out) {
      if (o.t === 'persist') state.write(o.recs, o.strict)
      if (o.t === 'open') conn = o.conn
    }
    return out
  }
  const told = (out: Output[]) => out.flatMap((o) => (o.t === 'input' && o.input.t === 'sites' ? [o.input.sites] : []))
  const sites = ['a', 'b', 'c'].map((name) => ({ name, url: `http://${name}` }))
  core.goOnline(now)
  take()
  core.opened(now, conn)
  core.frame(now, conn, { t: 'welcome', user: 'u', position: { epoch: 1, n: 1 }, time: now, rolledBack: false, cut: null })
  take()
  core.frame(now, conn, { t: 'sites', sites })
  expect(told(take())).toEqual([sites])
  core.frame(now, conn, { t: 'sites', sites: structuredClone(sites) })
  core.frame(now, conn, { t: 'sites', sites: [] })
  expect(told(take())).toEqual([])

  core = begin()
  expect(core.snapshot()).toContainEqual({ t: 'sites', sites })
  core.setSites(now, 3, [false, true, false]) // b is gone
  core.goOnline(now)
  const tried: number[] = []
  for (let i = 0; i < 6; i++) {
    tried.push(...take().flatMap((o) => (o.t === 'open' ? [o.site] : [])))
    core.lost(now, conn)
    now += 60_000
    core.tick(now)
  }
  expect(tried).toEqual([0, 2, 0, 2, 0, 2])
})

test('with another site to go to, nobody waits long for one that is silent, also at the beginning', () => {
  for (const [sites, dropped, limit] of [[1, [], 10_000], [3, [], 1500], [3, [true, true, false], 10_000]] as const) {
    const core = new Core({ sites, first: sites - 1, rand: seededRand(1), state: emptyState })
    const now = 1_700_000_000_000
    core.setAccount('u', 't', 'd')
    core.setSites(now, sites, dropped)
    core.goOnline(now)
    expect(core.take()).toContainEqual({ t: 'open', conn: 1, site: sites - 1 })
    expect(core.nextWake).toBe(now + limit)
  }
})

test('where somebody waits, a silent connection is told while another one is opened, and then where that leads', () => {
  const { w, d, room } = calm()
  d.core.view(w.now, [room])
  for (const l of d.links.values()) l.dead = true
  const connections = () => d.outputs.flatMap((o) => (o.t === 'input' && o.input.t === 'connection' ? [[o.input.state, o.input.site]] : []))
  d.outputs = []
  const from = d.core.site
  const begin = w.now
  w.now = begin + 1100
  d.core.tick(w.now)
  d.core.take().forEach((o) => d.outputs.push(o)) // the other site does not answer
  expect(d.outputs).toContainEqual(expect.objectContaining({ t: 'open', site: (from + 1) % 3 }))
  expect(connections()).toEqual([])
  w.now = begin + 1500
  d.core.tick(w.now)
  d.core.take().forEach((o) => d.outputs.push(o))
  expect(connections()).toEqual([['reconnecting', from]])
})

test('the next one is silent too: then the one after that is tried, and the next again', () => {
  const { w, d, room } = calm()
  d.core.view(w.now, [room])
  const from = d.core.site
  const tried: number[] = []
  const until = w.now + 15_000
  while (w.now < until) {
    for (const o of d.core.take()) if (o.t === 'open') tried.push(o.site)
    w.now = Math.max(w.now + 1, d.core.nextWake ?? until)
    d.core.tick(w.now)
  }
  expect(tried.length).toBeGreaterThan(4)
  expect(tried.slice(0, 4)).toEqual([(from + 1) % 3, (from + 2) % 3, (from + 1) % 3, (from + 2) % 3])
})

test('moves to another site in mid-send', () => {
  const { w, d, room } = calm()
  w.calm = false
  const id = d.send(room, 'moving')
  d.serve()
  const old = [...d.links.keys()][0] ?? 0, site = d.core.site
  for (const l of d.links.values()) l.dead = true
  const at = d.core.nextWake ?? Infinity
  expect(at).toBeLessThanOrEqual(w.now + 700)
  w.now = at
  d.core.tick(w.now)
  d.pump()
  expect(d.links.size).toBe(2)
  w.calm = true
  for (let i = 0; i < 200; i++) d.step()
  expect(d.core.site).not.toBe(site)
  expect(d.links.has(old)).toBe(false)
  w.settle()
  expect((w.server.data.rooms.get(room)?.rows ?? []).slice(1).map((r) => r.message.text)).toEqual(['moving'])
  expect(d.result(id).ok).toBe(true)
})

test('a site that is busy is left alone; the others are not waited for, until all of them are', () => {
  const core = new Core({ sites: 3, rand: seededRand(1), state: emptyState })
  const start = 1_700_000_000_000
  let now = start
  core.setAccount('u', 't', 'd')
  core.goOnline(now)
  const busy = (site: number, after: number) => {
    const out = core.take()
    const open = out.find((o) => o.t === 'open')
    expect(open?.site).toBe(site)
    core.opened(now, open!.conn)
    core.take()
    core.frame(now, open!.conn, { t: 'ack', id: 0, error: { ...failure('busy'), again: true, retryAfterMs: after }, position: null, seq: 0, time: 0, room: '', refused: [], repeated: false })
    now = Math.max(now, core.nextWake!)
    core.tick(now)
  }
  busy(0, 9000)
  busy(1, 5000)
  expect(now - start).toBeLessThan(1000)
  busy(2, 7000)
  expect(now - start).toBeGreaterThanOrEqual(5000)
  expect(now - start).toBeLessThanOrEqual(7000)
  expect(core.take()).toContainEqual(expect.objectContaining({ t: 'open', site: 1 }))
})

test('the connection is silent, and a site that is busy is not asked instead', () => {
  const { w, d, room } = calm()
  d.core.view(w.now, [room])
  for (const l of d.links.values()) l.dead = true
  const from = d.core.site
  const tried: number[] = []
  const until = w.now + 15_000
  while (w.now < until) {
    for (const o of d.core.take()) {
      if (o.t !== 'open') continue
      tried.push(o.site)
      if (o.site !== (from + 1) % 3) continue
      d.core.opened(w.now, o.conn)
      d.core.frame(w.now, o.conn, { t: 'ack', id: 0, error: { ...failure('busy'), again: true, retryAfterMs: 60_000 }, position: null, seq: 0, time: 0, room: '', refused: [], repeated: false })
    }
    w.now = Math.max(w.now + 1, d.core.nextWake ?? until)
    d.core.tick(w.now)
  }
  expect(tried.length).toBeGreaterThan(2)
  expect(new Set(tried.slice(1))).toEqual(new Set([(from + 2) % 3]))
})

test('a site that is a moment behind does not know of a new password: no other one is asked for', () => {
  const core = new Core({ sites: 3, rand: seededRand(1), state: emptyState })
  let now = 1_700_000_000_000
  const ack = { t: 'ack', id: 0, error: failure('must_change_password'), position: null, seq: 0, time: 0, room: '', refused: [], repeated: false } as const
  let conn = 0
  const calls: number[] = []
  const asked = (): boolean => {
    let must = false
    for (const o of core.take()) {
      if (o.t === 'persist') core.stored(now, o.id)
      else if (o.t === 'open') conn = o.conn
      else if (o.t === 'call') calls.push(o.id)
      else if (o.t === 'input' && o.input.t === 'mustChange') must = true
    }
    return must
  }
  const take = (): boolean => {
    const first = asked()
    return asked() || first // what was stored may leave
  }
  const refuse = (): boolean => {
    core.opened(now, conn)
    core.frame(now, conn, ack)
    return take()
  }
  core.setAccount('u', 't', 'd')
  core.goOnline(now)
  take()
  expect(refuse()).toBe(true)
  core.submit(now, { uid: 'p', kind: 'changePassword', old: 'code', next: 'new' })
  core.submit(now, { uid: 'n', kind: 'setProfile', name: 'A' })
  take()
  core.called(now, calls[0]!, { seq: 0, time: now, repeated: false }, null, false)
  expect(take()).toBe(false)
  expect(refuse()).toBe(false)
  expect(calls.length).toBe(2)
  core.called(now, calls[1]!, null, failure('must_change_password'), false)
  expect(take()).toBe(false)
  expect(core.nextWake! - now).toBeLessThan(1000)
  now += 1000
  core.tick(now)
  take()
  expect(calls.length).toBe(3)
  expect(refuse()).toBe(false)
  now += 3000 // who says so now means it: the operator gave another code
  core.tick(now)
  take()
  expect(refuse()).toBe(true)
})
