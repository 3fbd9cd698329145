// The data of a core and the small things that all its parts do with it. Parts are modules of functions over Inside: conn
// (connections), outbox (items and names), send (frames and answers), rooms (rows, lines, history), renew (devices).
import type { Input, Kept, Message, Op, Position, Room } from '../inner.ts'
import type { Refusal, Site } from '../types.ts'
import type { Failure } from './frames.ts'
import type { Output } from './output.ts'
import type { Rand } from './rand.ts'
import { below } from './rand.ts'
import type { Done, Rec, State } from './record.ts'

// Limits of the protocol and of patience, in milliseconds where they are times. docs/protocol.md.
export const nameWindow = 8 // names of a scope under way
export const silenceActive = 1100 // a send under way or a room in view, and no frame
export const silenceShown = 5000 // the same, when the models are told that the connection is not there
export const silenceIdle = 80000 // no frame in an idle session
export const unanswered = 700 // a send without answer, with another site to go to
export const unansweredAlone = 5000 // the same with one site only
export const openLimitActive = 1500 // from opening a connection to Welcome, with another site to go to
export const openLimitIdle = 10000
export const staleOpening = 4000 // a connection that opens for so long is not waited for when somebody comes back
export const historyPage = 200
export const maxFetches = 4
export const maxPending = 128
export const maxGap = 400 // rows of a room that are read one by one; beyond that the line tells
export const ownRowWait = 300 // for answers that stand for rows missing in a room
export const maxFindPages = 200
export const linesEvery = 5000 // lines changed by rows are stored at most that often
export const reconnectingAfter = 400
export const maxRenewals = 3
export const renewalWindow = 3600000
export const maxDone = 256
export const changeSeenAfter = 3000 // when every site that answers knows of a new password: views are at most 1.25 s old

export interface Config {
  /** sites is how many addresses there are, at least 1. Outputs name them by index. */
  readonly sites: number
  /** first is the site that is tried first. */
  readonly first?: number
  readonly rand: Rand
  /** state is what the store held; null at first start. */
  readonly state: State | null
}

/** Open is one change in the outbox, from the call to its verdict. With its name it is frozen. */
export interface Open {
  readonly id: number
  readonly order: number
  readonly scope: Scope
  op: Op
  readonly created: number
  /** The name. n = 0: none yet, because older items of the scope are being recovered after a renewal, or because the change
      is named by its random bytes (createRoom). */
  device: string
  n: number
  tag: Uint8Array
  /** giveUp: a skip is sent in the place of the item. What is known then decides: replace is sent if the item was not in,
      refusal is the reason why it had to be given up. */
  giveUp: boolean
  replace: Op | null
  replaceId: number
  refusal: Refusal | null
  /** storedAt is the persist that makes the latest state of the item safe. */
  storedAt: number
  /** flight is the frame or call under way, 0 = none. */
  flight: number
  /** left: sent at least once by this core. */
  left: boolean
  finding: boolean
}

/** Scope is the order of names in one room, or in the account. */
export interface Scope {
  readonly key: string
  items: Open[]
  inflight: number
  /** goBack: a frame was answered "not now" or "not yet": nothing is sent until every answer is in, then from the lowest. */
  goBack: boolean
  pausedTo: number
  attempts: number
}

/** Flight is one frame that waits for its ack; of an item or of a read mark. */
export interface Flight {
  readonly id: number
  readonly item: Open | null
  readonly mark: string
  readonly at: number
  readonly skip: boolean
}

/** Conn is one connection: opening until welcome, then the current one. */
export interface Conn {
  readonly id: number
  readonly site: number
  readonly openAt: number
  helloId: number
  lastFrame: number
  /** waiting: told to synchronise; nothing is sent until the next welcome. */
  waiting: boolean
  /** seen as stated in hello; fromBase: that was the position stored, so that this opening tells all lines after it. */
  seen: Position | null
  fromBase: boolean
}

/** Track is how far one room has been told to the models, and how far the server is known to be. */
export interface Track {
  readonly id: string
  /** rebase: nothing is known yet; the next row or head is the start. */
  rebase: boolean
  delivered: number
  head: number
  joined: number
  ord: number
  ordKnown: boolean
  changed: Position | null
  queued: boolean
  fetching: boolean
  attempts: number
  retryAt: number
  /** pending rows came while a gap was open, by seq. */
  pending: Message[]
}

export interface Fetch {
  readonly track: Track | null
  readonly item: Open | null
  readonly page: number
  /** that was asked. */
  readonly site: number
}

export interface Mark {
  readonly room: string
  want: number
  got: number
  flying: boolean
}

export class Inside {
  sites: number
  /** dropped sites are no longer part of the system. */
  dropped: readonly boolean[] = []
  /** known is the list as the system has told it last. */
  known: readonly Site[] = []
  readonly rand: Rand
  out: Output[] = []
  online = false
  ended: Refusal | null = null
  /** mustChange: the server takes nothing but a new password. There is no connection until it is changed. */
  mustChange = false
  changedAt = 0 // when a new password was taken

  user = ''
  token = ''
  device = ''

  nextItem = 1
  nextOrder = 1
  items = new Map<number, Open>()
  scopes = new Map<string, Scope>() // with open items, in order of their first
  creating = new Map<string, Open>()
  counters = new Map<string, number>() // by counterKey
  uids = new Map<string, number>()
  kept = new Map<number, Kept>()
  done = new Map<number, Done>()
  touched = new Set<Open>() // the models do not know their state yet
  persistId = 0
  storedUpTo = 0
  recs: Rec[] = []
  strict = false

  cur: Conn | null = null
  next: Conn | null = null
  nextConn = 0
  nextFrame = 0
  site = 0
  httpSite = 0 // where calls and history go: the site of the connection, another after a failure
  failures = 0
  hedges = 0
  connectAt = 0
  restTo = new Map<number, number>() // until when a site that refused a hello is to be left alone
  hedgeAt = 0
  suspect = false
  tried = -1 // the site that was last tried in vain beside a connection that is silent
  pingAt = 0 // of a ping without answer
  tokens = 20000
  tokensAt = 0
  flights = new Map<number, Flight>() // in order of sending
  activeFrom = 0
  nextCall = 0
  calls = new Map<number, { readonly item: Open; readonly skip: boolean }>()
  views: readonly string[] = []
  marks: Mark[] = []
  /** shown is what the models were told of the connection; brokenAt is when it broke, if they were not told yet. */
  shown: 'connecting' | 'online' | 'reconnecting' = 'connecting'
  shownAt = 0
  shownSite = -1 // where the models were last told to be connected
  brokenAt = 0

  seen: Position | null = null
  /** base is the position stored: up to it every line was told by the server, not worked out from rows. */
  base: Position | null = null
  epoch = 0
  lines = new Map<string, Room>()
  stale = new Set<string>() // lines that are not stored as they are
  linesAt = 0 // when they are to be stored, 0 = not needed
  tracks = new Map<string, Track>()
  watches = new Set<string>() // rooms of which a model holds rows and wants each
  behind: Track[] = []
  fetches = new Map<number, Fetch>()
  nextFetch = 0
  wakeFetch = 0

  renewing = false
  renewId = 0
  renewAt = 0
  renewNeeds = 0 // the persist that makes the new device id safe
  renewFails = 0
  renewals: number[] = []

  constructor(cfg: Config) {
    this.sites = Math.max(1, cfg.sites)
    this.site = this.httpSite = cfg.first ?? 0
    this.rand = cfg.rand
  }

  /** after is the site that follows, of those that are still part of the system. */
  after(site: number): number {
    for (let i = 0; i < this.sites; i++) {
      site = (site + 1) % this.sites
      if (!this.dropped[site]) return site
    }
    return site
  }

  /** others: there is another site to go to. */
  get others(): boolean {
    return this.after(this.site) !== this.site
  }

  emit(o: Output): void {
    this.out.push(o)
  }

  tell(input: Input): void {
    this.out.push({ t: 'input', input })
  }

  /** persist adds a record to the ones that leave together at the next take. */
  persist(rec: Rec, strict: boolean): void {
    this.recs.push(rec)
    this.strict ||= strict
  }

  /** pendingId is the persist that the records added now will ride in. */
  get pendingId(): number {
    return this.persistId + 1
  }

  persistMeta(): void {
    this.persist({ t: 'meta', meta: { device: this.device, renewing: this.renewing, nextItem: this.nextItem } }, true)
  }

  below(n: number): number {
    return below(this.rand, n)
  }

  /** jitter is a random time that grows with the attempts. */
  jitter(attempts: number): number {
    return 5 + this.below(Math.min(40 << Math.min(attempts, 7), 3000))
  }

  /** spend takes one attempt from the budget (twenty at once, one more a second, one for each success): 0, or when to try
      again. */
  spend(now: number): number {
    this.tokens = this.tokensAt === 0 || now - this.tokensAt > 60000 ? 20000 : Math.min(20000, this.tokens + now - this.tokensAt)
    this.tokensAt = now
    if (this.tokens < 1000) return now + 1000 - this.tokens
    this.tokens -= 1000
    return 0
  }

  refund(): void {
    this.tokens = Math.min(20000, this.tokens + 1000)
  }
}

export const counterKey = (device: string, scope: string): string => device + ' ' + scope

export function refusalOf(f: Failure): Refusal {
  return { reason: f.reason, subject: f.subject, retryAfterMs: f.retryAfterMs, fields: f.fields }
}
