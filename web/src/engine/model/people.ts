// People is who this client has looked up, friends, those who added me, blocked people and who is online. Lists are read at
// each welcome and when the server says that they changed; people by id in batches, again when they are shown a while later,
// because the server does not tell of everybody. What fails is asked again at the next welcome: until then the views draw what
// they have.
import type { Input, ModelIO } from '../inner.ts'
import type { PeopleState, Person } from '../types.ts'
import type { World } from './line.ts'
import { equal } from './rows.ts'
import type { Ticker } from './signal.ts'
import { Source } from './signal.ts'

/** batch is the most people that one call may name. */
const batch = 200
/** freshMs: who was read longer ago is read again when wanted. */
export const freshMs = 30_000
/** heardMs: the same for who is only heard of, by a message: in big rooms nobody else tells of a new name. */
export const heardMs = 600_000

/** Again runs a reading one at a time: asked for meanwhile, it runs once more. */
class Again {
  private running = false
  private wanted = false

  constructor(private readonly read: () => Promise<void>) {}

  run(): void {
    this.wanted = true
    if (!this.running) void this.loop()
  }

  private async loop(): Promise<void> {
    this.running = true
    while (this.wanted) {
      this.wanted = false
      await this.read().catch(() => undefined)
    }
    this.running = false
  }
}

/** Seed is what this device's store remembers of people, for the first paint. */
export interface Seed {
  readonly people: readonly Person[]
  readonly friends: readonly string[] | null
  readonly addedMe: readonly string[]
  readonly blocked: readonly string[] | null
}

export class People {
  readonly signal: Source<PeopleState>
  private byId = new Map<string, Person>()
  private shownById: ReadonlyMap<string, Person> | null = null
  private friends: readonly string[] | null = null
  private addedMe: readonly string[] = []
  private blocked: readonly string[] = []
  private online: ReadonlySet<string> = new Set()
  private last: PeopleState | null = null
  /** wanted: to be looked up, for the first time or again; asking: being looked up. */
  private wanted = new Set<string>()
  private asking = new Set<string>()
  /** readAt is when each was last read; not of those known from the store only. */
  private readAt = new Map<string, number>()
  /** recent: those who were wanted last, the newest at the end: after a break they are read again. */
  private recent = new Set<string>()
  /** era grows when all is forgotten: an answer to an earlier question is nobody's. */
  private era = 0
  private readonly lookUp = new Again(() => this.readPeople())
  private readonly readFriends: Again
  private readonly readAddedMe: Again
  private readonly readBlocked: Again

  constructor(
    ticker: Ticker,
    private readonly io: ModelIO,
    private readonly world: World,
    /** blockedChanged is told after world.blocked changed. */
    private readonly blockedChanged: () => void,
  ) {
    this.signal = new Source(ticker, () => this.make())
    this.readFriends = this.list(() => io.friends(), (people) => {
      this.know(people)
      this.friends = keep(this.friends, people.map((p) => p.id))
    })
    this.readAddedMe = this.list(() => io.addedMe(), (people) => {
      this.know(people)
      this.addedMe = keep(this.addedMe, people.map((p) => p.id))
    })
    this.readBlocked = this.list(() => io.blocked(), (ids) => this.setBlocked(ids))
  }

  /** want looks up people that are not known, or were not read for a while; of very many the former only. */
  want(ids: readonly string[], fresh = freshMs): void {
    const before = this.wanted.size
    const now = this.io.now()
    for (const id of ids) {
      if (id === '') continue
      this.recent.delete(id)
      this.recent.add(id)
      const at = this.readAt.get(id)
      if (!this.asking.has(id) && (at === undefined || (ids.length <= batch && Math.abs(now - at) >= fresh))) this.wanted.add(id)
    }
    for (const id of this.recent) {
      if (this.recent.size <= batch) break
      this.recent.delete(id)
    }
    if (this.wanted.size > before) this.lookUp.run()
  }

  /** welcomed: what was not told while away is read again, and what failed. */
  welcomed(): void {
    this.readFriends.run()
    this.readAddedMe.run()
    this.readBlocked.run()
    for (const id of this.recent) if (this.readAt.has(id)) this.wanted.add(id)
    if (this.world.me) this.wanted.add(this.world.me)
    this.lookUp.run()
  }

  told(i: Extract<Input, { t: 'people' }>): void {
    if (i.friends) {
      this.readFriends.run()
      this.readAddedMe.run()
    }
    if (i.blocked) this.readBlocked.run()
    for (const id of i.users) if (this.byId.has(id) || this.asking.has(id)) this.wanted.add(id)
    if (i.me && this.world.me) this.wanted.add(this.world.me)
    if (this.wanted.size > 0) this.lookUp.run()
  }

  /** block notes an acknowledged block or its end. */
  block(user: string, on: boolean): void {
    if (!this.world.blocked || this.world.blocked.has(user) === on) return
    this.setBlocked(on ? [...this.blocked, user] : this.blocked.filter((u) => u !== user))
    this.signal.touch()
  }

  /** presence asks who of these is online; the others keep what was said of them. */
  async presence(ids: readonly string[]): Promise<void> {
    const era = this.era
    for (let i = 0; i < ids.length; i += batch) {
      const some = ids.slice(i, i + batch)
      let there: readonly string[]
      try {
        there = await this.io.presence(some)
      } catch {
        return // not known is not online
      }
      if (era !== this.era || !this.world.online) return
      const next = new Set(this.online)
      for (const id of some) next.delete(id)
      for (const id of there) next.add(id)
      if (next.size !== this.online.size || there.some((id) => !this.online.has(id))) {
        this.online = next
        this.signal.touch()
      }
    }
  }

  /** offline: nobody is known to be online. */
  offline(): void {
    if (this.online.size === 0) return
    this.online = new Set()
    this.signal.touch()
  }

  /** seed fills in what is not known better. */
  seed(s: Seed): void {
    for (const p of s.people) {
      if (this.byId.has(p.id)) continue
      this.byId.set(p.id, p)
    }
    this.shownById = null
    if (!this.friends && s.friends) this.friends = s.friends
    if (this.addedMe.length === 0) this.addedMe = s.addedMe
    if (!this.world.blocked && s.blocked) this.setBlocked(s.blocked)
    this.signal.touch()
  }

  clear(): void {
    this.era++
    this.byId = new Map()
    this.shownById = null
    this.friends = null
    this.addedMe = []
    this.blocked = []
    this.world.blocked = null
    this.online = new Set()
    this.wanted = new Set()
    this.asking = new Set()
    this.readAt = new Map()
    this.recent = new Set()
    this.signal.touch()
  }

  private list<T>(read: () => Promise<readonly T[]>, take: (list: readonly T[]) => void): Again {
    return new Again(async () => {
      const era = this.era
      const list = await read()
      if (era !== this.era) return
      take(list)
      this.signal.touch()
    })
  }

  private async readPeople(): Promise<void> {
    const era = this.era
    while (this.wanted.size > 0) {
      const some = [...this.wanted].slice(0, batch)
      for (const id of some) this.wanted.delete(id) // who changes while being asked about is asked about once more
      this.asking = new Set(some)
      let found: readonly Person[] | null = null
      try {
        found = await this.io.users(some)
      } finally {
        if (era === this.era) {
          this.asking.clear()
          if (!found) for (const id of some) this.wanted.add(id)
        }
      }
      if (era !== this.era) return
      this.know(found)
      const had = new Set(found.map((p) => p.id))
      // Nobody of that id: shown like a closed account, and not asked for again and again.
      this.know(some.filter((id) => !had.has(id)).map((id) => (
        { id, handle: '', name: '', status: '', closed: true, photo: '', simulated: false }
      )))
      this.signal.touch()
    }
  }

  private know(people: readonly Person[]): void {
    const now = this.io.now()
    for (const p of people) {
      this.readAt.set(p.id, now)
      if (equal(this.byId.get(p.id), p)) continue
      this.byId.set(p.id, p)
      this.shownById = null
    }
  }

  private setBlocked(ids: readonly string[]): void {
    this.blocked = keep(this.blocked, ids)
    this.world.blocked = new Set(ids)
    this.blockedChanged()
  }

  private make(): PeopleState {
    this.shownById ??= new Map(this.byId)
    const now: PeopleState = {
      friends: this.friends ?? none, friendsLoaded: this.friends !== null, addedMe: this.addedMe, blocked: this.blocked,
      byId: this.shownById, online: this.online,
    }
    if (!this.last || !sameParts(this.last, now)) this.last = now
    return this.last
  }
}

const none: readonly string[] = []

function keep(was: readonly string[] | null, now: readonly string[]): readonly string[] {
  return was && equal(was, now) ? was : now
}

/** sameParts: every field is the same object. */
export function sameParts<T extends object>(a: T, b: T): boolean {
  for (const k of Object.keys(a) as (keyof T)[]) if (a[k] !== b[k]) return false
  return true
}
