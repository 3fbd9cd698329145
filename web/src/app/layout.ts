// How many panes there are. One on a phone (< 720 px), two on a tablet, three on a desktop (>= 1080 px), counting the rail;
// from 1280 px the room's information opens beside the room, from 1600 px it is there from the start.
import { useSyncExternalStore } from 'react'
import { back, go, lastRoom, route, useRoute } from './route.ts'
import { setSetting, settings, useSetting } from './settings.ts'

export type Layout = 'phone' | 'tablet' | 'desktop' | 'large' | 'wide'

const steps: readonly (readonly [Layout, string])[] = [
  ['wide', '(min-width: 1600px)'],
  ['large', '(min-width: 1280px)'],
  ['desktop', '(min-width: 1080px)'],
  ['tablet', '(min-width: 720px)'],
]

/** layout is the one of the window now. */
export function layout(): Layout {
  return steps.find(([, q]) => matchMedia(q).matches)?.[0] ?? 'phone'
}

/** useLayout draws anew when the window crosses a width that matters. */
export function useLayout(): Layout {
  return useSyncExternalStore(subscribe, layout)
}

/** usePhone: one pane; the visible one is the main landmark and its title the h1. */
export function usePhone(): boolean {
  return useLayout() === 'phone'
}

/** touch: the main pointer is a finger. */
export function touch(): boolean {
  return matchMedia('(pointer: coarse)').matches
}

function subscribe(fn: () => void): () => void {
  const queries = steps.map(([, q]) => matchMedia(q))
  for (const q of queries) q.addEventListener('change', fn)
  return () => {
    for (const q of queries) q.removeEventListener('change', fn)
  }
}

/** useInfoOpen: the room's information is shown, in whatever place. */
export function useInfoOpen(): boolean {
  const r = useRoute()
  const wide = useLayout() === 'wide'
  const closed = useSetting('infoClosed')
  return r.at === 'room' && (r.info === true || (wide && !closed))
}

/** toggleInfo is the button in the room's head. */
export function toggleInfo(): void {
  const r = route()
  if (r.at !== 'room') return
  if (layout() === 'wide') {
    const open = r.info === true || !settings().infoClosed
    setSetting('infoClosed', open)
    if (r.info) go({ at: 'room', id: r.id }, { replace: true })
  } else if (r.info) {
    back()
  } else {
    go({ at: 'room', id: r.id, info: true })
  }
}

/** goChats is the tab 채팅: from another tab it leads back to the room that was open, where there is a pane for it. */
export function goChats(): void {
  const id = layout() === 'phone' || route().at === 'room' ? '' : lastRoom()
  go(id === '' ? { at: 'chats' } : { at: 'room', id })
}
