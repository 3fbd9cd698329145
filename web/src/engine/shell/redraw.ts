// A signal that can be told again as a new object: photos are read through the engine, and who shows a person looks again
// when one has come.
import type { Signal } from '../types.ts'

export interface Redrawable<T> {
  readonly signal: Signal<T>
  redraw(): void
}

export function redrawable<T extends object>(inner: Signal<T>): Redrawable<T> {
  const subscribers = new Set<() => void>()
  let shown = inner.get()
  let copy = shown
  const get = () => {
    const now = inner.get()
    if (now !== shown) {
      shown = now
      copy = now
    }
    return copy
  }
  return {
    signal: {
      get,
      subscribe(fn) {
        const own = () => fn()
        subscribers.add(own)
        const stop = inner.subscribe(own)
        return () => {
          subscribers.delete(own)
          stop()
        }
      },
    },
    redraw() {
      copy = { ...get() }
      for (const fn of [...subscribers]) fn()
    },
  }
}
