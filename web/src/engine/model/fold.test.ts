// Random rooms, random order of live rows and pages: the rows are those of a naive fold over the whole room.
import { describe, expect, it, vi } from 'vitest'
import type { MessageRow } from '../types.ts'
import type { ServerRoom } from './testing.ts'
import { act, naive, plain, random, visible, World } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

async function run(seed: number): Promise<void> {
  const pick = random(seed)
  const w = new World()
  const r = w.room('r')
  const told: ReturnType<ServerRoom['add']>[] = []
  for (let i = 50 + pick(400); i > 0; i--) act(r, pick)
  if (pick(2)) {
    const at = Math.max(1, r.last - pick(80))
    w.cached.set('r', r.rows.filter((m) => m.seq >= at).map((m) => r.read(m.seq)))
  }
  const before = r.last
  w.begin(r.line())
  w.auto = false
  const signal = w.model.room('r')
  let stop = signal.subscribe(() => undefined)
  let dark = 0
  const tell = (): void => {
    const m = told.shift()
    if (m) w.live(m)
  }
  for (let step = 0; step < 250; step++) {
    switch (pick(12)) {
      case 0: case 1: case 2:
        told.push(act(r, pick))
        break
      case 3: case 4:
        tell()
        break
      case 5: {
        const p = w.pending[pick(w.pending.length || 1)]
        p?.made?.()
        break
      }
      case 6: case 7: {
        const [p] = w.pending.splice(pick(w.pending.length || 1), 1)
        // At most once in a while an answer is lost.
        w.down = pick(15) === 0
        p?.deliver()
        await few()
        w.down = false
        break
      }
      case 8:
        w.model.loadOlder('r')
        break
      case 9:
        w.model.loadNewer('r')
        break
      case 10:
        if (pick(4) === 0) w.model.jumpTo('r', pick(3) ? 1 + pick(r.last) : 0).catch(() => undefined)
        else w.pass(500)
        break
      default:
        if (pick(12) === 0) {
          stop()
          w.tick()
          stop = signal.subscribe(() => undefined)
        } else if (pick(12) === 0) {
          // The core does not read what nobody looks at: these rows are never told.
          told.length = 0
          dark = r.last
          w.model.input({ t: 'rooms', rooms: [r.line({ readSeq: before, unread: 1 })] })
        } else {
          w.tick()
        }
    }
    await few()
    check(signal.get()!, step)
  }
  // All comes to rest: everything is told and answered, then the rows are those of the server.
  while (told.length) tell()
  w.auto = true
  for (const p of w.pending.splice(0)) p.deliver()
  await w.rest()
  w.model.input({ t: 'rooms', rooms: [r.line({ readSeq: before })] })
  w.welcome()
  for (let i = 0; i < 30; i++) {
    w.pass(500)
    await w.rest()
    if (signal.get()!.atEnd) break
    w.model.loadNewer('r')
    await w.rest()
  }
  for (let i = 0; i < 30 && !signal.get()!.atStart; i++) {
    w.model.loadOlder('r')
    await w.rest()
  }
  const s = signal.get()!
  expect(s.failed, `seed ${seed}`).toBe(null)
  expect([s.atStart, s.atEnd], `seed ${seed} dark ${dark}`).toEqual([true, true])
  expect(s.rows.map((x) => plain(x as MessageRow)), `seed ${seed}`).toEqual(naive(r, 1, r.last))

  /** check: at any moment the rows ascend, without a hole among those that are shown. */
  function check(state: NonNullable<ReturnType<typeof signal.get>>, step: number): void {
    const rows = state.rows
    let at = 0
    for (let seq = rows[0]?.seq ?? 1; at < rows.length; seq++) {
      const m = r.row(seq)
      if (!visible(m.kind)) continue
      if (rows[at++]!.seq !== seq) expect.fail(`seed ${seed} step ${step}: row ${seq} is missing`)
    }
  }
}

async function few(): Promise<void> {
  for (let i = 0; i < 6; i++) await Promise.resolve()
}

describe('folding gives the rows of the server, in whatever order pages and live rows come', () => {
  it.each(Array.from({ length: 15 }, (_, i) => i * 10))('seeds from %i', async (from) => {
    for (let seed = from; seed < from + 10; seed++) await run(seed)
  })
})
