// Pressing a message for its menu: the right button of a mouse, or a finger held on it. Browsers that send contextmenu for a
// held finger are answered there, the others by a timer.
import { type MouseEvent, type PointerEvent, useRef } from 'react'

const holdMs = 450
const slop = 4

/** usePress gives the handlers; open is called with what was pressed and says whether it has a menu. */
export function usePress(open: (target: Element) => boolean) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const stop = () => clearTimeout(timer.current)
  // The finger is still down when the sheet comes up under it; lifting it must choose nothing.
  const hold = (target: Element): boolean => {
    const opened = open(target)
    if (!opened) return false
    const done = new AbortController()
    const end = (e: TouchEvent) => {
      if (e.type === 'touchend' && e.cancelable) e.preventDefault()
      done.abort()
    }
    // A lift that never comes (touchcancel) must not swallow the next one.
    for (const type of ['touchend', 'touchcancel', 'touchstart'] as const) addEventListener(type, end, { capture: true, passive: false, signal: done.signal })
    return true
  }
  return {
    onPointerDown: (e: PointerEvent) => {
      stop()
      const target = e.target as Element
      if (e.pointerType !== 'mouse' && !target.closest('button, a')) timer.current = setTimeout(() => hold(target), holdMs)
    },
    onPointerMove: (e: PointerEvent) => {
      if (e.pointerType !== 'mouse' && Math.hypot(e.movementX, e.movementY) > slop) stop()
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onContextMenu: (e: MouseEvent) => {
      const target = e.target as Element
      // Selected words and links keep the browser's own menu.
      if (target.closest('a') || !getSelection()?.isCollapsed) return
      stop()
      const touched = (e.nativeEvent as globalThis.PointerEvent).pointerType === 'touch'
      if (touched ? hold(target) : open(target)) e.preventDefault()
    },
  }
}
