// Writer puts the writes of the leading window into the store, one transaction after the other. While one is under way,
// what comes gathers for the next. A write that fails (no room left) is not lost: it is told once (`onState`), the caller goes
// on as if it were stored, and everything that failed goes into the next transaction again, so that the store is never
// half of something. Only a lost lead ends it.
import type { AppState } from '../types.ts'
import { type Store, StoreError, type Write } from './store.ts'

const retryAfter = 5000

type StorageState = AppState['storage']

interface Batch {
  readonly writes: readonly Write[]
  readonly strict: boolean
  readonly done: (() => void)[]
}

export class Writer {
  /** fenced: the store belongs to another window, and what was handed in last is not in it. */
  fenced = false
  private queue: Batch[] = []
  /** making: the batches of the transaction under way. */
  private making: readonly Batch[] = []
  private running = false
  private stopped = false
  /** told is what onState was last told. */
  private told: StorageState = 'ok'
  /** failed writes by table and key, latest value. */
  private readonly failed = new Map<string, Write>()
  private idle: (() => void)[] = []
  private readonly losers = new Set<() => void>()
  private readonly store: Store
  private readonly fence: string
  private readonly later: (ms: number, fn: () => void) => () => void
  private readonly onState: (state: StorageState) => void
  private readonly onFenced: () => void

  constructor(
    store: Store,
    fence: string,
    later: (ms: number, fn: () => void) => () => void,
    onState: (state: StorageState) => void,
    onFenced: () => void,
  ) {
    this.store = store
    this.fence = fence
    this.later = later
    this.onState = onState
    this.onFenced = onFenced
  }

  /** write calls done when the writes are in the store, or when they could not be put there and are kept in memory. */
  write(writes: readonly Write[], strict: boolean, done?: () => void): void {
    if (this.stopped) return
    this.queue.push({ writes, strict, done: done ? [done] : [] })
    if (!this.running) void this.run()
  }

  /** after calls done when everything handed in so far is; it makes no transaction of its own. */
  after(done: () => void): void {
    const last = this.queue.at(-1) ?? this.making.at(-1)
    if (last) last.done.push(done)
    else queueMicrotask(done)
  }

  /** unstored is what is in memory alone: it could not be put into the store, or the store is one of memory. */
  get unstored(): readonly Write[] {
    return [...(this.store.changes?.() ?? []), ...this.failed.values()]
  }

  /** save ends when the writes are made as far as they can be; it rejects if this window leads no more. */
  save(writes: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const lost = () => reject(new StoreError('fenced'))
      if (this.stopped) return lost()
      this.losers.add(lost)
      this.write(writes, true, () => {
        this.losers.delete(lost)
        resolve()
      })
    })
  }

  /** retry tries what failed again, until it works. */
  private retry(): void {
    this.later(retryAfter, () => {
      if (this.stopped || this.told === 'ok') return
      this.write([], false)
      this.retry()
    })
  }

  /** settled ends when everything handed in so far is decided. */
  settled(): Promise<void> {
    if (!this.running) return Promise.resolve()
    return new Promise((resolve) => this.idle.push(resolve))
  }

  /** stop takes no more writes; what is queued is still made. */
  stop(): Promise<void> {
    const p = this.settled()
    this.stopped = true
    return p
  }

  private tell(state: StorageState): void {
    if (state === this.told) return
    this.told = state
    this.onState(state)
  }

  private async run(): Promise<void> {
    this.running = true
    while (this.queue.length > 0) {
      const batches = this.queue
      this.queue = []
      this.making = batches
      const merged = new Map(this.failed)
      for (const b of batches) for (const w of b.writes) merged.set(`${w.table}/${typeof w.key}/${w.key}`, w)
      const strict = batches.some((b) => b.strict)
      try {
        await this.store.write([...merged.values()], { strict, fence: this.fence })
        this.failed.clear()
        this.tell('ok')
      } catch (e) {
        if (e instanceof StoreError && e.why === 'fenced') {
          this.queue = []
          this.stopped = this.fenced = true
          for (const f of this.losers) f()
          this.onFenced()
          break
        }
        for (const [k, w] of merged) this.failed.set(k, w)
        const was = this.told
        this.tell(e instanceof StoreError && e.why === 'refused' ? 'refused' : 'full')
        if (was === 'ok') this.retry()
      }
      this.making = []
      for (const b of batches) for (const f of b.done) f()
    }
    this.making = []
    this.running = false
    const idle = this.idle
    this.idle = []
    for (const f of idle) f()
  }
}
