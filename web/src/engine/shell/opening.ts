// Reading the store of a session at a beginning: of a page, or of leading. Reading is tried a few times; a store that cannot be
// read never counts as an empty one, because names begun anew would be taken for those of other changes. One that says nothing is
// not waited for without end: WebKit lets a page wait for a transaction of another one that it has stopped.
import type { State } from '../core/record.ts'
import type { Seed } from '../model/people.ts'
import { type Account, seed, state } from './records.ts'
import { type Key, type Store, StoreError, inMemory } from './store.ts'

const pauses = [200, 800] as const
/** silence of a store that counts as a failure, ms. */
const silence = 8000

type After = (ms: number, fn: () => void) => () => void

/** patiently tries a few times, with pauses. */
export async function patiently<T>(after: After, f: () => Promise<T>): Promise<T> {
  for (const pause of pauses) {
    try {
      return await answered(after, f)
    } catch {
      await new Promise<void>((resolve) => after(pause, resolve))
    }
  }
  return answered(after, f)
}

async function answered<T>(after: After, f: () => Promise<T>): Promise<T> {
  let stop = () => {}
  const silent = new Promise<never>((_, reject) => (stop = after(silence, () => reject(new StoreError('unreadable')))))
  try {
    return await Promise.race([f(), silent])
  } finally {
    stop()
  }
}

type Entries = readonly (readonly [Key, unknown])[]

/** Session is who is logged in, what the core goes on with, and what was being written. */
export interface Session {
  readonly account: Account | null
  readonly state: State
  readonly drafts: Entries
}

async function session(s: Store): Promise<Session> {
  const [account, st, drafts] = await Promise.all([s.get('meta', 'account'), state(s), s.entries('drafts')])
  return { account: (account as Account | undefined) ?? null, state: st, drafts }
}

/** Remembered is what a page shows at its beginning. */
export interface Remembered extends Session {
  readonly memory: Entries
  readonly people: Seed
}

export async function remembered(s: Store): Promise<Remembered> {
  const [who, memory, people] = await Promise.all([session(s), s.entries('memory'), seed(s)])
  return { ...who, memory, people }
}

/** Opened is a session with the store that it goes on in. */
export interface Opened extends Session {
  readonly store: Store
}

/** claimed claims the store for a window that begins to lead and reads it. If nothing can be written, it is a copy in memory. It
 * rejects if the store cannot be read. One that is not wanted any more claims nothing: another window may lead by then. */
export async function claimed(s: Store, fence: string, after: After, wanted: () => boolean): Promise<Opened> {
  try {
    return await patiently(after, async () => {
      await s.claim(fence, wanted)
      return { ...(await session(s)), store: s }
    })
  } catch {
    const copy = await answered(after, () => inMemory(s))
    await copy.claim(fence)
    return { ...(await session(copy)), store: copy }
  }
}
