// Views that the list of rooms does not need, in files of their own. Once the window is up they are fetched while nothing
// else happens, so that they open at once, and are there when the connection is not.
import { lazy, Suspense, type ReactNode } from 'react'
import type { Engine } from '../engine/types.ts'
import { load } from './load.ts'
import { route } from './route.ts'

const room = () => load(() => import('../views/room/Room.tsx'))
const friends = () => load(() => import('../views/friends/Friends.tsx'))
const more = () => load(() => import('../views/more/More.tsx'))
const info = () => load(() => import('../views/info/RoomInfo.tsx'))
const entry = () => load(() => import('../views/entry/Entry.tsx'))
const people = () => load(() => import('../views/people/dialogs.ts'))
const home = () => load(() => import('./Home.tsx'))
const ops = () => load(() => import('../ops/Ops.tsx'))
const keys = () => load(() => import('./KeysDialog.tsx'))
const palette = () => load(() => import('./Palette.tsx'))

// What the address asks for is on its way before the engine is up.
const at = route()
const first = { room: [room], friends: [friends], more: [more], chats: [], ops: [ops] }[at.at]
for (const view of at.at === 'room' && at.info ? [room, info] : first) void view().catch(() => undefined)

export const Room = lazy(async () => ({ default: (await room()).Room }))
export const Friends = lazy(async () => ({ default: (await friends()).Friends }))
export const FriendsRest = lazy(async () => ({ default: (await friends()).FriendsRest }))
export const MoreList = lazy(async () => ({ default: (await more()).MoreList }))
export const MorePage = lazy(async () => ({ default: (await more()).MorePage }))
export const RoomInfo = lazy(async () => ({ default: (await info()).RoomInfo }))
export const Entry = lazy(async () => ({ default: (await entry()).Entry }))
export const Ended = lazy(async () => ({ default: (await entry()).Ended }))
export const NewPassword = lazy(async () => ({ default: (await entry()).NewPassword }))
export const Home = lazy(async () => ({ default: (await home()).Home }))
export const Welcome = lazy(async () => ({ default: (await home()).Welcome }))
export const Ops = lazy(async () => ({ default: (await ops()).Ops }))

/** openPalette shows the palette. */
export function openPalette(): void {
  void palette().then((m) => m.openPalette())
}

/** openKeys shows the list of keys. */
export function openKeys(): void {
  void keys().then((m) => m.openKeys())
}

/** Later shows nothing while its view is fetched: it is there in an instant, or nothing would be true. */
export function Later({ children }: { readonly children: ReactNode }) {
  return <Suspense fallback={null}>{children}</Suspense>
}

let watched = false

/** fetchViews fetches them ahead; a failure is met again, and told, when the view is opened. */
export function fetchViews(engine: Engine): void {
  // Under an address no authority vouches for the certificate.
  if (!watched && /^https:\/\/([\d.]+|\[.*|.*\.local)(:|$)/.test(location.origin)) {
    watched = true
    void load(() => import('./sockets.tsx')).then((m) => m.watchSockets(engine))
  }
  const get = () => {
    for (const view of [room, friends, people, palette, info, more, home, entry, keys]) void view().catch(() => undefined)
  }
  if (typeof requestIdleCallback === 'function') requestIdleCallback(get, { timeout: 2000 })
  else setTimeout(get, 500)
}
