// Signals whose value is made when it is asked for. What changed is marked; a value is made again at the next look or when
// the injected schedule (an animation frame, a microtask) tells the subscribers, so a burst of inputs costs one round.
// A value that comes out as the same object is no change and is not told.
import type { Signal } from '../types.ts'

/** Schedule runs fn later, once. */
export type Schedule = (fn: () => void) => void

/** all calls every one, then throws the first error there was. */
function all(list: readonly (() => void)[]): void {
  const errors: unknown[] = []
  for (const fn of list) {
    try {
      fn()
    } catch (e) {
      errors.push(e)
    }
  }
  if (errors.length > 0) throw errors[0]
}

/** Ticker gathers what changed and tells it in one round. */
export class Ticker {
  private readonly waiting = new Set<{ tell(): void }>()
  private due = false

  constructor(private readonly schedule: Schedule) {}

  add(source: { tell(): void }): void {
    this.waiting.add(source)
    if (this.due) return
    this.due = true
    this.schedule(() => this.flush())
  }

  /** flush tells at once what is waiting; what changes meanwhile waits for the next round. One that throws does not keep the
   * others from being told: the first error is thrown when the round is over. */
  flush(): void {
    this.due = false
    const round = [...this.waiting]
    this.waiting.clear()
    all(round.map((source) => () => source.tell()))
  }
}

/** Source is a Signal made by a function. */
export class Source<T> implements Signal<T> {
  private value!: T
  private made = false
  private stale = true
  /** moved: the value is another one than the subscribers were told of. */
  private moved = false
  private readonly subscribers = new Set<() => void>()

  /** watched is called when the first subscriber comes (true) and the last one goes (false). */
  constructor(
    private readonly ticker: Ticker,
    private readonly make: () => T,
    private readonly watched?: (on: boolean) => void,
  ) {}

  get(): T {
    if (this.stale) {
      this.stale = false
      const value = this.make()
      if (this.made && value !== this.value) this.moved = true
      this.made = true
      this.value = value
    }
    return this.value
  }

  subscribe(fn: () => void): () => void {
    // Of its own, so that one function can subscribe twice.
    const own = () => fn()
    this.get()
    if (this.subscribers.size === 0) this.moved = false
    this.subscribers.add(own)
    if (this.subscribers.size === 1) this.watched?.(true)
    return () => {
      if (this.subscribers.delete(own) && this.subscribers.size === 0) this.watched?.(false)
    }
  }

  get inUse(): boolean {
    return this.subscribers.size > 0
  }

  /** release lets go of a value that nobody subscribes to; it is made again for whoever asks. */
  release(): void {
    if (this.inUse) return
    this.made = false
    this.stale = true
    this.value = undefined as T
  }

  /** touch says that the value may be another one now. */
  touch(): void {
    this.stale = true
    this.ticker.add(this)
  }

  tell(): void {
    if (this.subscribers.size === 0) return // made when somebody looks
    this.get()
    if (!this.moved) return
    this.moved = false
    all([...this.subscribers])
  }
}
