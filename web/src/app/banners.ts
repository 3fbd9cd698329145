// Which notice stands above the panes: one at a time, the gravest first.
import type { AppState } from '../engine/types.ts'

export type BannerKind = 'refused' | 'full' | 'plain' | 'clock' | 'build'

/** CLOCK is how far the local clock may be off before it is said. */
const CLOCK = 5 * 60_000

/** bannerOf chooses; those closed by the person stay away for the life of the page. Losing words cannot be closed away. */
export function bannerOf(a: Pick<AppState, 'storage' | 'secure' | 'skew' | 'newBuild'>, closed: ReadonlySet<BannerKind>): BannerKind | null {
  if (a.storage === 'refused') return 'refused'
  if (a.storage === 'full') return 'full'
  if (a.newBuild) return 'build'
  if (!a.secure && !closed.has('plain')) return 'plain'
  if (Math.abs(a.skew) > CLOCK && !closed.has('clock')) return 'clock'
  return null
}

/** spanOf rounds a difference of clocks to a unit people say. */
export function spanOf(ms: number): { readonly unit: 'minutes' | 'hours' | 'days'; readonly n: number } {
  const minutes = Math.round(Math.abs(ms) / 60_000)
  if (minutes < 90) return { unit: 'minutes', n: minutes }
  const hours = Math.round(minutes / 60)
  return hours < 24 ? { unit: 'hours', n: hours } : { unit: 'days', n: Math.round(hours / 24) }
}
