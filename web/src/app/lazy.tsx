// Views that the first paint does not need, in files of their own. Once the window is up they are fetched while nothing else
// happens, so that they are there when the connection is not.
import { lazy, Suspense, type ReactNode } from 'react'
import { load } from './reload.ts'

const entry = () => load(() => import('../views/entry/Entry.tsx'))
const more = () => load(() => import('../views/more/More.tsx'))
const info = () => load(() => import('../views/info/RoomInfo.tsx'))

export const Entry = lazy(async () => ({ default: (await entry()).Entry }))
export const Ended = lazy(async () => ({ default: (await entry()).Ended }))
export const NewPassword = lazy(async () => ({ default: (await entry()).NewPassword }))
export const MoreList = lazy(async () => ({ default: (await more()).MoreList }))
export const MorePage = lazy(async () => ({ default: (await more()).MorePage }))
export const RoomInfo = lazy(async () => ({ default: (await info()).RoomInfo }))

/** Later shows nothing while its view is fetched: it is there in an instant, or nothing would be true. */
export function Later({ children }: { readonly children: ReactNode }) {
  return <Suspense fallback={null}>{children}</Suspense>
}

/** fetchViews fetches them ahead; a failure is met again, and told, when the view is opened. */
export function fetchViews(): void {
  const get = () => {
    for (const view of [more, info, entry]) void view().catch(() => undefined)
  }
  if (typeof requestIdleCallback === 'function') requestIdleCallback(get, { timeout: 5000 })
  else setTimeout(get, 2000)
}
