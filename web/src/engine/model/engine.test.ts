// The model behind a real core and the imitated server, over connections that break: what a person has seen of the own
// messages stays, once each and in order, and at rest the rows are those of the server.
import { expect, it, vi } from 'vitest'
import type { TestDevice } from '../core/world.ts'
import { World } from '../core/world.ts'
import type { Input, ModelIO } from '../inner.ts'
import type { MessageRow, RoomState } from '../types.ts'
import { RefusedError } from '../types.ts'
import { Model } from './model.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Window is a model of a device, open on one room. */
class Window {
  model!: Model
  rounds: (() => void)[] = []
  timers: { at: number; fn: () => void }[] = []
  /** seen: own texts that were shown. */
  readonly seen = new Set<string>()

  constructor(
    readonly w: World,
    readonly d: TestDevice,
    readonly room: string,
  ) {
    const naive = d.input.bind(d)
    d.input = (i: Input) => {
      naive(i)
      this.model.input(i)
    }
    const start = d.start.bind(d)
    d.start = () => {
      this.begin()
      start()
    }
    this.begin()
    for (const i of d.core.snapshot()) this.model.input(i)
  }

  begin(): void {
    this.rounds = []
    this.timers = []
    this.seen.clear()
    this.model = new Model(this.io(), (fn) => void this.rounds.push(fn))
    this.model.room(this.room).subscribe(() => undefined)
  }

  get state(): RoomState | null {
    return this.model.room(this.room).get()
  }

  get rows(): MessageRow[] {
    return (this.state?.rows ?? []).filter((r): r is MessageRow => r.kind === 'message')
  }

  tick(): void {
    const due = this.timers.filter((t) => t.at <= this.w.now)
    this.timers = this.timers.filter((t) => t.at > this.w.now)
    for (const t of due) t.fn()
    for (const fn of this.rounds.splice(0)) fn()
  }

  /** look checks what a person sees now. */
  look(): void {
    const keys = this.rows.map((r) => r.key)
    expect(new Set(keys).size, 'a key twice').toBe(keys.length)
    const mine = this.rows.filter((r) => r.own && r.text.startsWith(this.d.name + ' '))
    const texts = mine.map((r) => r.text)
    if (new Set(texts).size !== texts.length) this.w.fail(`shown twice: ${mine.map((r) => `${r.text} ${r.key} ${r.state}`).join(', ')}`)
    const now = new Set(texts)
    for (const t of this.seen) if (!now.has(t)) this.w.fail(`vanished: ${t}; there: ${texts.join()}`)
    for (const t of texts) this.seen.add(t)
  }

  private io(): ModelIO {
    const { w, d } = this
    const call = async <T>(f: () => T): Promise<T> => {
      await Promise.resolve()
      let out: { ok: T } | null = null
      if (w.calm || w.below(5) > 0) d.answer(f, (ok) => void (out = ok === null ? null : { ok }))
      if (!out) throw new RefusedError({ reason: 'unreachable', subject: '', retryAfterMs: 0, fields: [] })
      return (out as { ok: T }).ok
    }
    const { server } = w
    return {
      history: (room, from, backward, limit) => call(() => server.history(d.token, { room, from, backward, limit, atLeast: d.core.seen })),
      members: (room) => call(() => server.members(d.token, room)),
      room: (id) => call(() => server.room(d.token, id)),
      users: (ids) => call(() => server.users(d.token, ids)),
      friends: () => call(() => server.friends(d.token)),
      addedMe: () => call(() => server.addedMe(d.token)),
      blocked: () => call(() => server.blocked(d.token)),
      presence: (ids) => call(() => server.presenceOf(d.token, ids)),
      cached: () => Promise.resolve([]),
      now: () => w.now,
      after: (ms, fn) => {
        const t = { at: w.now + ms, fn }
        this.timers.push(t)
        return () => void (this.timers = this.timers.filter((x) => x !== t))
      },
    }
  }
}

async function run(seed: number): Promise<void> {
  const w = new World(seed)
  const a = w.add('alice')
  const b = w.add('bob')
  const room = a.roomWith(b)
  const win = new Window(w, a, room)
  w.server.refuse = (op) => (op.text?.endsWith('7') ? 'cannot_receive' : '')
  w.server.busy = () => (w.calm ? '' : ['busy', 'unknown_outcome'][w.below(40)] ?? '')
  for (let i = 0; i < 600; i++) {
    const d = w.below(3) === 0 ? b : a
    d.step()
    if (w.below(15) === 0 && d.core.openItems < 10) d.send(room, `${d.name} ${++d.texts}`, d === a ? b.user : a.user)
    const last = d.core.line(room)?.last
    if (w.below(20) === 0 && last && !last.text.endsWith('7')) {
      d.submit({ kind: 'react', room, seq: last.seq, reaction: 1 + w.below(6) })
      d.pump()
    }
    if (w.below(40) === 0) d.trouble()
    w.now += w.below(60)
    await few()
    if (w.below(2) === 0) {
      win.tick()
      win.look()
    }
  }
  w.settle()
  for (let i = 0; i < 40; i++) {
    w.now += 100
    for (const d of w.devices) d.step()
    win.tick()
    await few()
    win.look()
  }
  const s = win.state
  if (!s) {
    expect(w.server.room(a.token, room), `seed ${seed}`).toBe(null)
    return
  }
  while (!win.state!.atStart) {
    win.model.loadOlder(room)
    await few()
  }
  const page = w.server.data.rooms.get(room)?.rows ?? []
  const want = page.map((r) => r.message).filter((m) => m.kind === 'text').map((m) => [m.seq, m.author, m.text, m.reactions.join()])
  const got = win.rows.filter((r) => r.state === 'sent').map((r) => [r.seq, r.author, r.text, r.reactions.join()])
  const at = want.findIndex((r, i) => JSON.stringify(r) !== JSON.stringify(got[i]))
  if (at >= 0 || got.length !== want.length) w.fail(`seed ${seed}: row ${at}: ${JSON.stringify(got.slice(at, at + 2))}, not ${JSON.stringify(want[at])}; ${got.length} of ${want.length}`)
  expect(win.rows.filter((r) => r.state !== 'sent').map((r) => r.state), `seed ${seed}`).toEqual([...a.kept].map(() => 'refused'))
  const line = w.server.room(a.token, room)
  if (line) expect([s.line.lastSeq, win.state!.line.last?.text], `seed ${seed}`).toEqual([line.lastSeq, line.last?.text ?? win.state!.line.last?.text])
}

async function few(): Promise<void> {
  for (let i = 0; i < 6; i++) await Promise.resolve()
}

it.each(Array.from({ length: 8 }, (_, i) => i * 5))('own messages stay where they were seen, seeds from %i', async (from) => {
  for (let seed = from; seed < from + 5; seed++) await run(seed)
})
