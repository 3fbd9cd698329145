// What the data centres are called. The well-known names of cities are in the messages; any other name is its own.
import type { AppState } from '../engine/types.ts'
import { tryText } from '../lib/messages.ts'

/** MOVED is how long it is said that this device has gone to another data centre, ms. */
export const MOVED = 4000

export function siteName(name: string): string {
  return tryText(`shell.site_${name}`) ?? name
}

// From north to south; what is not known stands behind, as it came.
const north = ['chuncheon', 'seoul', 'incheon', 'sejong', 'daejeon', 'daegu', 'ulsan', 'gwangju', 'busan', 'jeju']

/** inOrder is the order in which people name them. */
export function inOrder<S extends { readonly name: string }>(list: readonly S[]): S[] {
  const place = ({ name }: S) => (north.indexOf(name) + 1 || 99)
  return list.toSorted((a, b) => place(a) - place(b))
}

/** several: the system runs in more than one data centre. */
export const several = (a: AppState): boolean => a.sites.list.length > 1
