// Where a person is, as an address: /friends, /chats, /room/<id>, /room/<id>/info, /more, /more/<page>, /ops, /ops/<tab>. A second account
// lives under /u/<slot>/. The browser's history is the one memory of the way back, so the back key of a phone works.
import { useLayoutEffect, useRef, useSyncExternalStore } from 'react'

export const morePages = ['screen', 'devices', 'link', 'password', 'invitations', 'blocked'] as const
export type MorePageName = (typeof morePages)[number]

export const opsTabs = ['sites', 'drills', 'backups', 'acts'] as const
export type OpsTab = (typeof opsTabs)[number]

export type Route =
  | { readonly at: 'friends' }
  | { readonly at: 'chats' }
  | { readonly at: 'room'; readonly id: string; readonly info?: boolean }
  | { readonly at: 'more'; readonly page?: MorePageName }
  | { readonly at: 'ops'; readonly tab: OpsTab }

/** parsePath reads an address; one that is not known is the chats. */
export function parsePath(path: string): { readonly slot: number; readonly route: Route } {
  let parts = path.split('/').filter((p) => p !== '')
  let slot = 0
  if (parts[0] === 'u' && /^[1-9]\d?$/.test(parts[1] ?? '')) {
    slot = Number(parts[1])
    parts = parts.slice(2)
  }
  const [first, second, third] = parts
  switch (first) {
    case 'friends':
      return { slot, route: { at: 'friends' } }
    case 'room': {
      const id = decode(second ?? '')
      if (id === '') break
      return { slot, route: third === 'info' ? { at: 'room', id, info: true } : { at: 'room', id } }
    }
    case 'ops':
      return { slot, route: { at: 'ops', tab: opsTabs.find((o) => o === second) ?? 'sites' } }
    case 'more': {
      const page = morePages.find((p) => p === second)
      return { slot, route: page ? { at: 'more', page } : { at: 'more' } }
    }
  }
  return { slot, route: { at: 'chats' } }
}

function decode(s: string): string {
  try {
    return decodeURIComponent(s)
  } catch {
    return ''
  }
}

/** formatPath is the address of a route. */
export function formatPath(route: Route, slot = 0): string {
  const prefix = slot > 0 ? `/u/${slot}` : ''
  switch (route.at) {
    case 'room':
      return `${prefix}/room/${encodeURIComponent(route.id)}${route.info ? '/info' : ''}`
    case 'more':
      return `${prefix}/more${route.page ? `/${route.page}` : ''}`
    case 'ops':
      return `${prefix}/ops${route.tab === 'sites' ? '' : `/${route.tab}`}`
    default:
      return `${prefix}/${route.at}`
  }
}

/** parentOf is where back leads when there is no history to go back in. */
export function parentOf(route: Route): Route {
  if (route.at === 'room') return route.info ? { at: 'room', id: route.id } : { at: 'chats' }
  if (route.at === 'more' && route.page) return { at: 'more' }
  if (route.at === 'ops') return { at: 'more' }
  return { at: 'chats' }
}

// On the server's side of a test there is no address; nothing below is called there.
let last = ''
let current: { slot: number; route: Route } = typeof location === 'undefined' ? parsePath('/') : parsePath(location.pathname)
const listeners = new Set<() => void>()

/** slot is the account's place in this browser; 0 is the first. */
export function slot(): number {
  return current.slot
}

/** route is where the person is now. */
export function route(): Route {
  return current.route
}

/** lastRoom is the room that was left for another tab, '' if it was left for the list. */
export function lastRoom(): string {
  return last
}

function arrive(to: typeof current): void {
  const { route: from } = current
  if (from.at === 'room') last = from.id
  if (to.route.at === 'chats') last = ''
  current = to
  for (const fn of listeners) fn()
}

/** useRoute draws anew when it changes. */
export function useRoute(): Route {
  return useSyncExternalStore(subscribe, route)
}

/** go leads to a route; replace leaves no way back to where it was called. */
export function go(to: Route, options?: { readonly replace?: boolean }): void {
  const path = formatPath(to, current.slot)
  const same = path === formatPath(current.route, current.slot)
  writes.push(() => {
    const depth = depthNow()
    if (options?.replace || same) history.replaceState({ depth }, '', path)
    else history.pushState({ depth: depth + 1 }, '', path)
  })
  settle()
  if (same) return
  arrive({ slot: current.slot, route: to })
}

/** back goes to where the person came from, or up if they came from outside. */
export function back(): void {
  if (moving) writes.push(back)
  else if (depthNow() > 0) history.go(-1 - kept('over'))
  else go(parentOf(current.route), { replace: true })
}

const depthNow = (): number => kept('depth')

/** kept in the entry of the history: depth, how many of ours are below it; over, how many layers lie over its place. */
function kept(what: 'depth' | 'over'): number {
  const s = history.state as Record<string, unknown> | null
  const n = s?.[what]
  return typeof n === 'number' ? n : 0
}

// The way back closes the topmost layer (a dialog, a menu, the picker, the find bar) before it leaves the place below. Each layer
// has an entry of the history with the place's own address, which goes when the layer does, however it was closed.
const layers: (() => void)[] = []
/** writes wait until the entries of layers are gone. */
const writes: (() => void)[] = []
/** moving: entries are being given up; the browser says popstate when they are. It is the timer that ends the waiting for that. */
let moving: ReturnType<typeof setTimeout> | 0 = 0

/** useLayer makes a view that lies over the page one that the way back closes. */
export function useLayer(close: () => void): void {
  const latest = useRef(close)
  useLayoutEffect(() => {
    latest.current = close
  })
  useLayoutEffect(() => {
    const layer = () => latest.current()
    layers.push(layer)
    queueMicrotask(settle)
    return () => {
      const at = layers.indexOf(layer)
      if (at >= 0) layers.splice(at, 1)
      queueMicrotask(settle)
    }
  }, [])
}

/** settle brings the history in line with the layers and makes the writes. */
function settle(): void {
  if (moving) return
  const least = writes.length > 0 ? 0 : layers.length
  if (kept('over') > least) {
    history.go(least - kept('over'))
    // A browser that was asked too often ignores it without a word.
    moving = setTimeout(() => {
      moving = 0
      for (const write of writes.splice(0)) write()
    }, 2000)
    return
  }
  for (const write of writes.splice(0)) write()
  for (let over = kept('over'); over < layers.length; ) history.pushState({ depth: depthNow(), over: ++over }, '')
}

/** watchRoute follows the browser's own back and forward, gives the first address its proper form and takes an invitation out. */
export function watchRoute(): void {
  invitation = invitationIn(location.hash)
  addEventListener('popstate', () => {
    if (moving) {
      clearTimeout(moving)
      moving = 0
    } else {
      for (const close of layers.splice(kept('over')).reverse()) close()
      arrive(parsePath(location.pathname))
    }
    settle()
  })
  history.replaceState({ depth: depthNow(), over: kept('over') }, '', formatPath(current.route, current.slot))
  settle()
}

let invitation = ''

/** invitationIn is the secret in a fragment #i/<secret>, or empty. */
export function invitationIn(hash: string): string {
  return /^#i\/([A-Za-z0-9_-]{1,128})$/.exec(hash)?.[1] ?? ''
}

/** takeInvitation is the secret the page was opened with; it is out of the address and of the history by then. */
export function takeInvitation(): string {
  return invitation
}

function subscribe(fn: () => void): () => void {
  listeners.add(fn)
  return () => listeners.delete(fn)
}
