import { describe, expect, test } from 'vitest'
import { Bus, Locks, Time } from './testing.ts'
import { type Note, Tabs, type TabsEvents, patience } from './tabs.ts'

interface Opts {
  locks?: Locks
  bus?: Bus
  visible?: boolean
}

class Win implements TabsEvents {
  log: string[] = []
  visible: boolean
  readonly tabs: Tabs
  private readonly channel
  constructor(id: string, time: Time, o: Opts) {
    this.visible = o.visible ?? true
    this.channel = o.bus ? o.bus.channel() : null
    this.tabs = new Tabs(
      { slot: '1', id, locks: o.locks ? o.locks.window(id) : null, channel: this.channel, visible: () => this.visible, after: time.after },
      this,
    )
  }
  lead() {
    this.log.push('lead')
  }
  async stop() {
    this.log.push('stop')
  }
  robbed() {
    this.log.push('robbed')
  }
  blocked() {
    this.log.push('blocked')
  }
  holds = false
  keeps() {
    return this.holds
  }
  note(n: Note, from: string) {
    this.log.push(`${from}:${n.t}`)
  }
  show(on: boolean) {
    this.visible = on
    if (on) this.tabs.shown()
  }
  /** freeze: the window hears nothing and does nothing any more. */
  freeze() {
    if (this.channel) this.channel.onmessage = null
  }
}

const leaders = (...w: Win[]) => w.filter((x) => x.tabs.leading).length

describe('with locks', () => {
  test('a browser that refuses every lock at once is not asked without pause, and asked again', async () => {
    const time = new Time()
    let asked = 0
    const request = () => (++asked > 50 ? new Promise(() => {}) : Promise.reject(new DOMException('the page is being left', 'AbortError')))
    const tabs = new Tabs({ slot: '1', id: 'a', locks: { request } as never, channel: new Bus().channel(), visible: () => true, after: time.after }, new Win('b', time, {}))
    tabs.start()
    await time.pass(100)
    expect(asked).toBe(1)
    await time.pass(3000)
    expect(asked).toBeGreaterThan(1)
    tabs.close()
  })

  test('the first leads, the second follows and takes over when the first is killed', async () => {
    const time = new Time()
    const locks = new Locks()
    const bus = new Bus()
    const a = new Win('a', time, { locks, bus })
    a.tabs.start()
    await time.settle()
    const b = new Win('b', time, { locks, bus })
    b.tabs.start()
    await time.settle()
    expect([a.tabs.leading, b.tabs.leading]).toEqual([true, false])
    a.freeze()
    locks.kill('a')
    await time.settle()
    expect(b.tabs.leading).toBe(true)
  })

  test('a visible window gets the lead of a hidden one, past another hidden one', async () => {
    const time = new Time()
    const locks = new Locks()
    const bus = new Bus()
    const [a, b, c] = [new Win('a', time, { locks, bus }), new Win('b', time, { locks, bus, visible: false }), new Win('c', time, { locks, bus, visible: false })]
    for (const w of [a, b, c]) {
      w.tabs.start()
      await time.settle()
    }
    a.show(false)
    await time.settle()
    expect(a.tabs.leading).toBe(true)
    c.show(true)
    await time.settle()
    expect([a, b, c].map((w) => w.tabs.leading)).toEqual([false, false, true])
    expect(a.log).toContain('stop')
    expect(b.log).not.toContain('lead')
  })

  test('a visible leader keeps the lead, unless it is forced', async () => {
    const time = new Time()
    const locks = new Locks()
    const bus = new Bus()
    const [a, b] = [new Win('a', time, { locks, bus }), new Win('b', time, { locks, bus })]
    a.tabs.start()
    await time.settle()
    b.tabs.start()
    await time.settle()
    await time.pass(patience * 2)
    expect(a.tabs.leading).toBe(true)
    const took = b.tabs.takeOver()
    await time.settle()
    await took
    expect([a.tabs.leading, b.tabs.leading]).toEqual([false, true])
  })

  test('a leader that does not answer loses the lock', async () => {
    const time = new Time()
    const locks = new Locks()
    const bus = new Bus()
    const [a, b] = [new Win('a', time, { locks, bus }), new Win('b', time, { locks, bus })]
    a.tabs.start()
    await time.settle()
    a.freeze()
    b.tabs.start()
    await time.settle()
    expect(b.tabs.leading).toBe(false)
    await time.pass(patience)
    expect(b.tabs.leading).toBe(true)
    expect(a.log).toContain('robbed')
    expect(leaders(a, b)).toBe(1)
  })

  test('a page that goes away leaves the lead and finds it again', async () => {
    const time = new Time()
    const locks = new Locks()
    const bus = new Bus()
    const [a, b] = [new Win('a', time, { locks, bus }), new Win('b', time, { locks, bus, visible: false })]
    for (const w of [a, b]) {
      w.tabs.start()
      await time.settle()
    }
    a.tabs.leave()
    await time.settle()
    expect([a.tabs.leading, b.tabs.leading]).toEqual([false, true])
    a.tabs.start()
    await time.settle()
    expect([a.tabs.leading, b.tabs.leading]).toEqual([true, false])
  })
})

test('a window that leaves and comes back at once queues once', async () => {
  const time = new Time()
  const locks = new Locks()
  const bus = new Bus()
  let waiting = 0
  const inner = locks.window('a')
  const request = (...args: Parameters<LockManager['request']>): Promise<unknown> => {
    waiting++
    return (inner.request as (...a: unknown[]) => Promise<unknown>)(...args).finally(() => waiting--)
  }
  const a = new Win('a', time, { locks: { window: () => ({ request }) } as unknown as Locks, bus })
  a.tabs.start()
  await time.settle()
  for (let i = 0; i < 3; i++) {
    a.tabs.leave()
    a.tabs.start()
  }
  await time.settle()
  expect([waiting, a.tabs.leading]).toEqual([1, true])
  expect(a.log).not.toContain('robbed')
})

test('a hidden leader that holds what is not stored keeps the lead until it is', async () => {
  const time = new Time()
  const locks = new Locks()
  const bus = new Bus()
  const [a, b] = [new Win('a', time, { locks, bus, visible: false }), new Win('b', time, { locks, bus })]
  a.holds = true
  a.tabs.start()
  await time.settle()
  b.tabs.start()
  await time.pass(patience * 2)
  expect([a.tabs.leading, b.tabs.leading]).toEqual([true, false])
  a.holds = false
  b.show(true)
  await time.settle()
  expect([a.tabs.leading, b.tabs.leading]).toEqual([false, true])
})

describe('without locks', () => {
  test('one talks, the other is blocked, takes over, and the first is blocked', async () => {
    const time = new Time()
    const bus = new Bus()
    const [a, b] = [new Win('a', time, { bus }), new Win('b', time, { bus })]
    a.tabs.start()
    await time.pass(1000)
    expect(a.tabs.leading).toBe(true)
    b.tabs.start()
    await time.pass(1000)
    expect([b.tabs.leading, b.log.at(-1)]).toEqual([false, 'blocked'])
    const took = b.tabs.takeOver()
    await time.pass(1000)
    await took
    expect([a.tabs.leading, a.log.at(-1), b.tabs.leading]).toEqual([false, 'blocked', true])
  })

  test('two at once: one of them leads', async () => {
    const time = new Time()
    const bus = new Bus()
    const [a, b] = [new Win('a', time, { bus }), new Win('b', time, { bus })]
    b.tabs.start()
    a.tabs.start()
    await time.pass(1000)
    expect([a.tabs.leading, b.tabs.leading]).toEqual([true, false])
  })

  test.each(['ab', 'ba', 'abc', 'cba', 'bca'])('all begin before they hear of each other (%s): exactly one stays', async (order) => {
    const time = new Time()
    const bus = new Bus()
    const all = [...order].map((id) => new Win(id, time, { bus }))
    bus.hold()
    for (const w of all) w.tabs.start()
    await time.pass(1000)
    expect(leaders(...all)).toBe(all.length)
    bus.letGo()
    await time.pass(3000)
    expect(leaders(...all)).toBe(1)
    // It claims the store anew, after the others are done with it.
    const stays = all.find((w) => w.tabs.leading)!
    expect(stays.log.filter((x) => !x.includes(':'))).toEqual(['lead', 'stop', 'lead'])
    for (const w of all) if (w !== stays) expect(w.log.at(-1)).toBe('blocked')
  })

  test('whoever waits for a take-over is told that another window has it', async () => {
    const time = new Time()
    const bus = new Bus()
    const [a, b] = [new Win('a', time, { bus }), new Win('b', time, { bus })]
    a.tabs.start()
    await time.pass(1000)
    b.tabs.start()
    await time.pass(1000)
    const took = b.tabs.takeOver()
    const other = new Win('0', time, { bus })
    void other.tabs.takeOver()
    await time.pass(1000)
    expect(await took).toBe(false)
    expect([leaders(a, b, other), other.tabs.leading]).toEqual([1, true])
  })

  test.each([0, 100, 299])('two take over %i ms apart: one of them leads', async (apart) => {
    for (const order of ['bc', 'cb']) {
      for (const gone of [false, true]) {
        const time = new Time()
        const bus = new Bus()
        const all = ['a', 'b', 'c'].map((id) => new Win(id, time, { bus }))
        const [a, ...others] = all as [Win, Win, Win]
        for (const w of all) {
          w.tabs.start()
          await time.pass(1000)
        }
        expect(all.map((w) => w.tabs.leading)).toEqual([true, false, false])
        if (gone) {
          a.freeze() // killed without a word
          a.tabs.leading = false
        }
        if (order === 'cb') others.reverse()
        void others[0]?.tabs.takeOver()
        if (apart > 0) await time.pass(apart)
        void others[1]?.tabs.takeOver()
        await time.pass(2000)
        expect([order, gone, leaders(...all)]).toEqual([order, gone, 1])
        expect(a.tabs.leading).toBe(false)
      }
    }
  })

  test('a blocked window leads when the other closes, or when it looks and nobody is there', async () => {
    const time = new Time()
    const bus = new Bus()
    const [a, b] = [new Win('a', time, { bus }), new Win('b', time, { bus })]
    a.tabs.start()
    await time.pass(1000)
    b.tabs.start()
    await time.pass(1000)
    a.tabs.leave()
    await time.pass(1000)
    expect(b.tabs.leading).toBe(true)
    a.show(true)
    await time.pass(1000)
    expect([a.tabs.leading, a.log.at(-1)]).toEqual([false, 'blocked'])
    b.freeze() // killed without a word
    a.show(true)
    await time.pass(1000)
    expect(a.tabs.leading).toBe(true)
  })
})

test('alone: it leads', () => {
  const w = new Win('a', new Time(), {})
  w.tabs.start()
  expect(w.tabs.leading).toBe(true)
})
