// Whether somebody is at this window: it is visible and was touched within the last minute.
import type { Engine } from '../engine/types.ts'

const IDLE = 60_000

/** watchActive tells the engine; the result ends it. */
export function watchActive(engine: Engine): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let active: boolean | undefined
  const set = (on: boolean) => {
    if (on === active) return
    active = on
    engine.setActive(on)
  }
  const touch = () => {
    clearTimeout(timer)
    if (document.hidden) return set(false)
    set(true)
    timer = setTimeout(() => set(false), IDLE)
  }
  const events = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'] as const
  for (const e of events) addEventListener(e, touch, { passive: true, capture: true })
  document.addEventListener('visibilitychange', touch)
  touch()
  return () => {
    clearTimeout(timer)
    for (const e of events) removeEventListener(e, touch, { capture: true })
    document.removeEventListener('visibilitychange', touch)
  }
}
