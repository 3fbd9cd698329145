// What tests put in the place of the browser: a clock that is moved by hand, Web Locks and a BroadcastChannel in memory.
import type { Channel } from './tabs.ts'

/** Time passes only when told to. */
export class Time {
  now = 1_700_000_000_000
  private timers: { at: number; fn: () => void }[] = []

  after = (ms: number, fn: () => void): (() => void) => {
    const t = { at: this.now + ms, fn }
    this.timers.push(t)
    return () => {
      this.timers = this.timers.filter((x) => x !== t)
    }
  }

  /** settle lets promises and messages that wait for nothing come through. */
  async settle(): Promise<void> {
    for (let i = 0; i < 40; i++) await new Promise<void>((r) => setImmediate(r))
  }

  async pass(ms: number): Promise<void> {
    const until = this.now + ms
    await this.settle()
    for (;;) {
      const next = this.timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.timers = this.timers.filter((t) => t !== next)
      this.now = Math.max(this.now, next.at)
      next.fn()
      await this.settle()
    }
    this.now = until
  }
}

/** Bus is a BroadcastChannel: everybody else hears, later, a copy. */
export class Bus {
  /** held messages wait until they are let go. */
  private held: (() => void)[] | null = null

  hold(): void {
    this.held = []
  }

  letGo(): void {
    for (const f of this.held ?? []) setImmediate(f)
    this.held = null
  }

  private readonly ends: Channel[] = []

  channel(): Channel {
    const end: Channel = {
      onmessage: null,
      postMessage: (m: unknown) => {
        const copy = structuredClone(m)
        for (const other of this.ends) {
          if (other === end) continue
          const deliver = () => other.onmessage?.(new MessageEvent('message', { data: copy }))
          if (this.held) this.held.push(deliver)
          else setImmediate(deliver)
        }
      },
      close: () => {
        const i = this.ends.indexOf(end)
        if (i >= 0) this.ends.splice(i, 1)
        end.onmessage = null
      },
    }
    this.ends.push(end)
    return end
  }
}

interface Request {
  readonly name: string
  readonly owner: string
  readonly run: () => unknown
  readonly resolve: (v: unknown) => void
  readonly reject: (e: unknown) => void
}

/** Locks grants each name to one holder at a time, in order, like navigator.locks; kill frees all of a window. */
export class Locks {
  private readonly held = new Map<string, Request>()
  private queue: Request[] = []

  window(owner: string): Pick<LockManager, 'request'> {
    const request = (name: string, options: LockOptions, callback: (lock: Lock | null) => unknown): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const r: Request = { name, owner, resolve, reject, run: () => callback({ name, mode: 'exclusive' }) }
        if (options.steal) {
          this.held.get(name)?.reject(new DOMException('stolen', 'AbortError'))
          this.grant(r)
          return
        }
        options.signal?.addEventListener('abort', () => {
          if (!this.queue.includes(r)) return
          this.queue = this.queue.filter((x) => x !== r)
          reject(new DOMException('aborted', 'AbortError'))
        })
        this.queue.push(r)
        this.pump()
      })
    return { request } as unknown as Pick<LockManager, 'request'>
  }

  kill(owner: string): void {
    this.queue = this.queue.filter((r) => r.owner !== owner)
    for (const [name, r] of this.held) if (r.owner === owner) this.held.delete(name)
    this.pump()
  }

  private grant(r: Request): void {
    this.held.set(r.name, r)
    queueMicrotask(() => {
      if (this.held.get(r.name) !== r) return
      void Promise.resolve(r.run()).then((v) => {
        if (this.held.get(r.name) !== r) return
        this.held.delete(r.name)
        r.resolve(v)
        this.pump()
      })
    })
  }

  private pump(): void {
    for (const r of [...this.queue]) {
      if (this.held.has(r.name)) continue
      this.queue = this.queue.filter((x) => x !== r)
      this.grant(r)
    }
  }
}
