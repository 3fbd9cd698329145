// The row that shows its tools: under the mouse, or with the focus. It is kept beside React's state of the log, so that a
// mouse that moves over the log draws two rows anew and not the log.
import { createContext, useContext, useSyncExternalStore } from 'react'

export class Hover {
  private key: string | null = null
  private readonly heard = new Set<() => void>()

  get = (): string | null => this.key

  set(key: string | null): void {
    if (key === this.key) return
    this.key = key
    for (const fn of this.heard) fn()
  }

  subscribe = (fn: () => void): (() => void) => {
    this.heard.add(fn)
    return () => this.heard.delete(fn)
  }
}

export const HoverContext = createContext(new Hover())

/** useHovered: the row of this key shows its tools. */
export function useHovered(key: string): boolean {
  const hover = useContext(HoverContext)
  return useSyncExternalStore(hover.subscribe, () => hover.get() === key)
}
