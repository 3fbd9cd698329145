// Of a long log only the rows around the one that is looked at stay, and nobody who reads it can tell: whatever is let go of, is
// read again in either direction, as the server has it by then. The bounds are small here, so that short rooms reach them.
import { describe, expect, it, vi } from 'vitest'
import type { MessageRow, RoomState } from '../types.ts'
import { pageSize } from './reader.ts'
import type { ServerRoom } from './testing.ts'
import { act, me, naive, plain, random, visible, World } from './testing.ts'

vi.mock('./kept.ts', () => ({ keptAround: 200, keptToFind: 600, stride: 50 }))
vi.setConfig({ testTimeout: 60_000 })

/** most rows that a log may hold that is being read: what is kept, what is not yet worth letting go, and a page. */
const most = 200 + 50 + pageSize

/** Reading is somebody who reads a room: eye is the row that they look at. */
class Reading {
  eye = 0
  most = 0
  finding = false
  private turns = 0
  private readonly signal

  constructor(readonly w: World) {
    this.signal = w.model.room('r')
    this.signal.subscribe(() => undefined)
  }

  static async open(n: number, more: (r: ServerRoom) => void = () => undefined): Promise<Reading> {
    const w = new World()
    for (let i = 1; i <= n; i++) w.room('r').text('bob', `t${i}`)
    more(w.room('r'))
    w.begin(w.room('r').line())
    const r = new Reading(w)
    await w.rest()
    return r
  }

  get s(): RoomState {
    this.most = Math.max(this.most, this.signal.get()!.rows.length)
    return this.signal.get()!
  }

  get seqs(): number[] {
    return this.s.rows.filter((r) => r.seq > 0).map((r) => r.seq)
  }

  look(seq: number): void {
    this.eye = seq
    this.w.model.lookAt('r', seq, this.finding)
  }

  /** turn looks 40 rows further, up or down, and reads on where fewer than 60 are left; false at the edge of everything. */
  async turn(up: boolean): Promise<boolean> {
    if (++this.turns > 500) throw new Error('there is no end to it')
    const rows = this.s.rows
    const at = rows.findIndex((r) => r.seq === (this.eye || rows.at(-1)!.seq))
    expect(at, `row ${this.eye} is there`).toBeGreaterThanOrEqual(0)
    const to = up ? Math.max(0, at - 40) : Math.min(rows.length - 1, at + 40)
    this.look(rows[to]!.seq)
    if (to < 60 && !this.s.atStart) this.w.model.loadOlder('r')
    if (to >= rows.length - 60 && !this.s.atEnd) this.w.model.loadNewer('r')
    await this.w.rest()
    this.check()
    return to !== at || (up ? !this.s.atStart : !this.s.atEnd)
  }

  /** check: the rows are those of the server from the first to the last of them, and what is looked at is among them. */
  check(): void {
    const rows = this.s.rows.filter((r) => r.seq > 0)
    // As one string: it is asked for often.
    expect(JSON.stringify(rows.map((r) => plain(r as MessageRow)))).toBe(JSON.stringify(naive(this.w.room('r'), rows[0]!.seq, rows.at(-1)!.seq)))
    if (this.eye) expect(rows.some((r) => r.seq === this.eye)).toBe(true)
  }
}

describe('a long log', () => {
  it('is read from its newest row to its first and back, and never holds more than its share', async () => {
    const r = await Reading.open(2000)
    const seen = new Set<number>()
    while (await r.turn(true)) r.seqs.forEach((seq) => seen.add(seq))
    expect([r.s.atStart, r.s.atEnd, seen.size]).toEqual([true, false, 2000])
    seen.clear()
    while (await r.turn(false)) r.seqs.forEach((seq) => seen.add(seq))
    expect([r.s.atStart, r.s.atEnd, seen.size]).toEqual([false, true, 2000])
    expect(r.most).toBeLessThanOrEqual(most)
    r.w.live(r.w.room('r').text('bob', 'new'))
    expect(r.s.rows.at(-1)).toMatchObject({ text: 'new' })
  })

  it('keeps the rows that stay, as the objects that they are', async () => {
    const r = await Reading.open(600)
    while (r.s.atEnd) await r.turn(true)
    const rows = r.s.rows
    r.w.model.loadOlder('r')
    await r.w.rest()
    expect(rows.filter((x) => r.s.rows.includes(x)).length).toBeGreaterThan(100)
    expect(rows.every((x) => r.s.rows.includes(x) || !r.s.rows.some((y) => y.seq === x.seq))).toBe(true)
  })

  it('grows no further at its end, however long it is open', async () => {
    const r = await Reading.open(10)
    for (let i = 0; i < 2000; i++) r.w.live(r.w.room('r').text('bob', `new ${i}`))
    expect([r.s.atEnd, r.s.atStart]).toEqual([true, false])
    expect(r.s.rows.length).toBeLessThanOrEqual(most)
    expect(r.s.rows.at(-1)).toMatchObject({ text: 'new 1999' })
    while (await r.turn(true));
    expect(r.s.atStart).toBe(true)
  })

  it('is what it is by then when it is read again', async () => {
    const r = await Reading.open(600)
    const room = r.w.room('r')
    while (!r.s.atStart) await r.turn(true)
    expect(r.seqs).not.toContain(550)
    r.w.live(room.edit('bob', 550, 'mended'))
    r.w.live(room.react(me, 551, 2))
    r.w.live(room.remove('bob', 552))
    r.w.live(room.text('eve', 'meanwhile'))
    expect([r.s.line.last!.text, r.s.line.unread, r.s.atEnd]).toEqual(['meanwhile', 1, false])
    while (await r.turn(false));
    const of = (seq: number) => r.s.rows.find((x) => x.seq === seq)
    expect([of(550), of(551), of(552)]).toMatchObject([{ text: 'mended' }, { myReaction: 2 }, { deleted: true }])
    expect(r.s.rows.at(-1)).toMatchObject({ text: 'meanwhile' })
  })

  it('knows a change of a row that is still on its way', async () => {
    const r = await Reading.open(1000)
    await r.w.model.jumpTo('r', 500)
    r.look(500)
    r.w.model.loadOlder('r')
    await r.w.rest()
    r.w.auto = false
    r.w.model.loadNewer('r')
    const newer = r.w.pending.find((p) => p.what.startsWith('history'))!
    newer.made!()
    r.w.live(r.w.room('r').edit('bob', 560, 'mended'))
    r.w.model.loadOlder('r')
    r.w.pending.at(-1)!.deliver()
    await r.w.rest()
    newer.deliver()
    await r.w.rest()
    expect(r.s.rows.find((x) => x.seq === 560)).toMatchObject({ text: 'mended' })
    expect(r.s.rows.length).toBe(200)
  })

  it('shows what a row answers, also when both were away', async () => {
    const r = await Reading.open(300, (room) => {
      room.text('eve', 'answer', { replyTo: 5 })
      for (let i = 0; i < 500; i++) room.text('bob', `more ${i}`)
      room.text('eve', 'answer to what does not count', { replyTo: room.edit('bob', 7, 'seven').seq })
    })
    const reply = () => (r.s.rows.find((x) => x.seq === 301) as MessageRow | undefined)?.reply
    while (!reply()) await r.turn(true)
    expect(reply()).toMatchObject({ loaded: true, text: 't5' })
    await r.w.model.jumpTo('r', 0)
    expect(reply()).toBe(undefined)
    r.look(0)
    while (!reply()) await r.turn(true)
    await r.w.rest()
    expect(reply()).toMatchObject({ loaded: true, text: 't5' })
    expect(r.w.calls.filter((c) => /^history r 802 on 1$/.test(c)).length).toBe(1)
  })

  it('has all that was read in it while somebody finds words', async () => {
    const r = await Reading.open(2000)
    r.finding = true
    r.look(0)
    for (let i = 0; i < 4; i++) {
      r.w.model.loadOlder('r')
      await r.w.rest()
    }
    expect([r.s.rows.length, r.s.atEnd]).toEqual([500, true])
    r.w.live(r.w.room('r').text('bob', 'new'))
    expect(r.s.rows.length).toBe(501)
    r.finding = false
    r.look(0)
    expect([r.s.rows.length, r.s.atEnd]).toEqual([200, true])
  })

  it('holds what a jump leads to', async () => {
    const r = await Reading.open(2000)
    while (r.s.atEnd) await r.turn(true)
    // The newest page is next to the rows that are held: it joins them, and those that were looked at may go.
    while (r.seqs.at(-1)! < 1900) await r.turn(false)
    await r.w.model.jumpTo('r', 0)
    expect([r.s.atEnd, r.s.rows.at(-1)!.seq]).toEqual([true, 2000])
    await r.w.model.jumpTo('r', 1000)
    expect(r.seqs).toContain(1000)
    r.look(1000)
    while (await r.turn(false));
    while (await r.turn(true));
    expect(r.s.atStart).toBe(true)
  })

  it('shows own messages that are under way, wherever it is read', async () => {
    const r = await Reading.open(1000)
    while (!r.s.atStart) await r.turn(true)
    const op = { kind: 'send', room: 'r', text: '아직' } as const
    const id = r.w.put(op, 'waiting')
    expect(r.s.rows.at(-1)).toMatchObject({ text: '아직', seq: 0, state: 'waiting' })
    for (let i = 0; i < 5; i++) await r.turn(false)
    expect(r.s.rows.at(-1)).toMatchObject({ text: '아직', seq: 0 })
    const key = r.s.rows.at(-1)!.key
    r.w.live(r.w.room('r').text(me, '아직', { n: 1 }))
    r.w.settle(id, op, { seq: 1001 })
    expect(r.s.line.last!.text).toBe('아직')
    while (await r.turn(false));
    expect(r.s.rows.filter((x) => x.kind === 'message' && x.text === '아직').map((x) => [x.key, x.seq])).toEqual([[key, 1001]])
  })
})

/** wander lets a reader go up and down a room in which things happen, with answers that come late and in any order. */
async function wander(seed: number): Promise<void> {
  const pick = random(seed)
  const r = await Reading.open(0, (room) => {
    for (let i = 400 + pick(800); i > 0; i--) act(room, pick)
  })
  const { w } = r
  const room = w.room('r')
  w.auto = false
  let up = true
  for (let step = 0; step < 400; step++) {
    const rows = r.s.rows
    switch (pick(10)) {
      case 0:
        if (pick(20) === 0) w.model.jumpTo('r', pick(3) ? 1 + pick(room.last) : 0).catch(() => undefined)
        else if (pick(5) === 0) up = !up
        break
      case 1:
        w.live(act(room, pick))
        break
      case 2:
        w.pending[pick(w.pending.length || 1)]?.made?.()
        break
      case 3: case 4: case 5: {
        const [p] = w.pending.splice(pick(w.pending.length || 1), 1)
        w.down = pick(20) === 0
        p?.deliver()
        for (let i = 0; i < 6; i++) await Promise.resolve()
        w.down = false
        break
      }
      case 6:
        w.tick()
        break
      default: {
        // The eye goes on from where it is, or from where a jump has led.
        if (rows.length === 0) break
        const at = rows.findIndex((x) => x.seq === r.eye)
        const to = Math.max(0, Math.min(rows.length - 1, (at < 0 ? rows.length >> 1 : at) + (up ? -30 : 30)))
        r.look(rows[to]!.seq)
        if (to < 60) w.model.loadOlder('r')
        if (to >= rows.length - 60) w.model.loadNewer('r')
      }
    }
    await Promise.resolve()
    // At any moment the rows ascend, without a hole among those that are shown.
    const now = r.seqs
    let i = 0
    for (let seq = now[0] ?? 1; i < now.length; seq++) if (visible(room.row(seq).kind) && now[i++] !== seq) expect.fail(`seed ${seed} step ${step}: row ${seq} is missing`)
  }
  w.auto = true
  for (const p of w.pending.splice(0)) p.deliver()
  w.welcome()
  await w.rest()
  w.pass(500)
  await w.rest()
  const rows = r.s.rows
  r.look(rows[rows.length >> 1]!.seq)
  while (await r.turn(true));
  while (await r.turn(false));
  expect([r.s.failed, r.s.atEnd, r.s.rows.at(-1)!.seq], `seed ${seed}`).toEqual([null, true, naive(room, 1, room.last).at(-1)!.seq])
  expect(r.most, `seed ${seed}`).toBeLessThanOrEqual(most + pageSize)
}

describe('a long log is that of the server, whoever wanders in it', () => {
  it.each(Array.from({ length: 4 }, (_, i) => i * 5))('seeds from %i', async (from) => {
    for (let seed = from; seed < from + 5; seed++) await wander(seed)
  })
})
