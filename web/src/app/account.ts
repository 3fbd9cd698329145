// Several accounts in one browser: each has a window of its own under /u/<slot>, and a store of its own.
import { slot } from './route.ts'

const KEY = 'bonghwa.slots'
const MOST = 9

/** openOtherAccount opens a window for the next account: the first slot that was not used yet, then round again. */
export function openOtherAccount(): void {
  const next = nextSlot(used(), slot())
  remember(next)
  window.open(`/u/${next}/`, `bonghwa-${next}`, 'noopener,width=1120,height=820')
}

/** nextSlot is the lowest one that is neither used nor this one. */
export function nextSlot(taken: readonly number[], here: number): number {
  for (let n = 1; n <= MOST; n++) if (n !== here && !taken.includes(n)) return n
  return here === MOST ? 1 : here + 1
}

function used(): number[] {
  try {
    const v: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(v) ? v.filter((n): n is number => Number.isInteger(n)) : []
  } catch {
    return []
  }
}

/** rememberSlot notes that this slot has an account, or has none any more. */
export function rememberSlot(has: boolean): void {
  const here = slot()
  if (here === 0) return
  const others = used().filter((n) => n !== here)
  save(has ? [...others, here] : others)
}

function remember(n: number): void {
  save([...used().filter((x) => x !== n), n])
}

function save(slots: readonly number[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(slots))
  } catch {
    // Storage is refused: the next window may meet an account that is there already.
  }
}
