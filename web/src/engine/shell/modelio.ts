// How the model of this window reads more: by calls of its own, each window for itself. What it reads is kept for the next
// start.
import type { ModelIO, Position, Room } from '../inner.ts'
import { type Person, RefusedError } from '../types.ts'
import { type Stored, cachedRows, folded } from './cache.ts'
import { signedOut } from './changes.ts'
import type { Store } from './store.ts'
import type { Wire } from './wire.ts'

export interface ModelIOHost {
  readonly wire: Wire
  store(): Store
  me(): string
  /** mustChange: the server answers nothing before a new password; what is wanted is asked for after that. */
  mustChange(): boolean
  /** restored: the server was restored since this page began; what the store has of rows may be of messages that were lost. */
  restored(): boolean
  /** seen is the largest position known here. */
  seen(): Position | null
  keep(s: Stored): void
  joinedSeq(room: string): number
  /** line is a line of the list as the server gives it. */
  line(room: Room): void
  counted(room: string, readSeq: number, unread: number): void
  watch(room: string, seq: number): void
  unwatch(room: string): void
  now(): number
  after(ms: number, fn: () => void): () => void
}

export function modelIO(h: ModelIOHost): ModelIO {
  /** own is an answer to a question of this account. When somebody else is logged in by then, it is nobody's. */
  const own = async <T>(answer: Promise<T>): Promise<T> => {
    const me = h.me()
    const got = await answer
    if (h.me() !== me) throw new RefusedError(signedOut)
    return got
  }
  const listed = (name: string, people: readonly Person[]): readonly Person[] => {
    h.keep({ people, lists: { [name]: people.map((p) => p.id) } })
    return people
  }
  return {
    async history(room, from, backward, limit) {
      const page = await own(h.wire.history({ room, from, backward, limit, atLeast: h.seen() }))
      if (page.messages.at(-1)?.seq === page.lastSeq) h.keep({ rows: page.messages })
      return page
    },
    members: (room) => h.wire.members(room),
    async room(id) {
      const room = await own(h.wire.room(id))
      if (room) h.line(room)
      return room
    },
    async users(ids) {
      if (h.mustChange()) throw new RefusedError(signedOut)
      const people = await own(h.wire.users(ids))
      h.keep({ people })
      return people
    },
    friends: async () => listed('friends', await own(h.wire.friends())),
    addedMe: async () => listed('addedMe', await own(h.wire.addedMe())),
    async blocked() {
      const blocked = await own(h.wire.blocked())
      h.keep({ lists: { blocked } })
      return blocked
    },
    presence: (ids) => h.wire.presence(ids),
    async cached(room) {
      h.keep({ opened: room })
      if (h.restored()) return []
      const rows = folded(await cachedRows(h.store(), room), h.me())
      return rows.filter((m) => m.seq >= h.joinedSeq(room))
    },
    counted: (room, readSeq, unread) => h.counted(room, readSeq, unread),
    watch: (room, seq) => h.watch(room, seq),
    unwatch: (room) => h.unwatch(room),
    now: () => h.now(),
    after: h.after,
  }
}
