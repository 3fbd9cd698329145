// Reader loads the rows of a room into its log: the newest stretch when the room is opened (this device's copy first), older
// and newer pages, the stretch around a row, single messages that are quoted. One reading goes on at a time in each
// direction. Whatever an answer belongs to may be gone when it comes (`era`); then nobody wants it any more.
//
// Of a long log only the rows around the one that is looked at are kept; the others are read again, in either direction.
//
// A log that follows reaches the newest row and grows with the live rows. When rows are missing between its end and a live
// row (they came while nobody looked), they are read; if they are many, the log stops following and the views page on.
import type { Message, ModelIO, Page } from '../inner.ts'
import type { Refusal } from '../types.ts'
import { RefusedError } from '../types.ts'
import { keptAround, keptToFind, stride } from './kept.ts'
import type { Log } from './log.ts'

export const pageSize = 100
/** catchUpPages are read on their own to close the gap before a live row. */
const catchUpPages = 3
/** aheadMax bounds the live rows kept while those before them are read; what does not fit is read too. */
const aheadMax = 300
/** settling: a line may be told just before its row; only what is still missing then is read. */
const settling = 400
/** quotesAtOnce are read at the same time. */
const quotesAtOnce = 2

export function refusalOf(e: unknown): Refusal {
  if (e instanceof RefusedError) return e.refusal
  return { reason: 'unreachable', subject: '', retryAfterMs: 0, fields: [] }
}

export interface Extent {
  readonly lastSeq: number
  /** first seq that may be read. */
  readonly first: number
  /** known: there is a line to go by. */
  readonly known: boolean
  /** readable: the server would answer. */
  readonly readable: boolean
}

export class Reader {
  older = false
  newer = false
  /** opening: the first rows are being read. */
  opening = false
  failed: Refusal | null = null
  /** following: the log is to reach the newest row. */
  following = true
  readonly gone = new Set<number>()
  /** head is the newest row that was heard of. */
  private head = 0
  private era = 0
  private ahead: Message[] = []
  private stopTimer: (() => void) | null = null
  private readonly quotesWanted = new Set<number>()
  private quotesRunning = 0
  private readonly quotesAsked = new Set<number>()
  private active = false
  private jumps = 0
  /** eye is the row that is looked at, 0: the newest; finding: somebody finds words in the rows. */
  private eye = 0
  private finding = false

  constructor(
    private readonly id: string,
    private readonly io: ModelIO,
    readonly log: Log,
    private readonly extent: () => Extent,
    private readonly changed: () => void,
    /** took is told of each row of a page before the log is. */
    private readonly took: (m: Message) => void,
  ) {}

  get atStart(): boolean {
    return this.log.loaded && this.log.lo <= this.extent().first
  }

  get atEnd(): boolean {
    return this.log.loaded && this.log.hi >= this.top()
  }

  /** start reads what an opened room shows. */
  start(): void {
    this.active = true
    this.failed = null
    this.following = true
    if (!this.extent().known) return
    if (this.log.loaded) {
      if (!this.atEnd) void this.newest()
    } else if (!this.opening) {
      void this.open()
    }
  }

  /** stop keeps the newest stretch, if it is that, and drops what is asked for. */
  stop(rows: number): void {
    this.active = false
    this.eye = 0
    this.finding = false
    this.abandon()
    if (this.following && this.atEnd) this.log.keep(rows)
    else this.log.clear()
  }

  /** reset forgets everything. */
  reset(): void {
    this.abandon()
    this.log.clear()
    this.head = 0
    this.gone.clear()
    this.quotesAsked.clear()
    this.following = true
    if (this.active) this.start()
    this.changed()
  }

  /** again tries what failed, after a new connection. */
  again(): void {
    if (!this.active) return
    this.failed = null
    if (!this.log.loaded) this.start()
    else this.heard(0)
    if (this.quotesWanted.size > 0 && this.quotesRunning === 0) void this.readQuotes()
    this.changed()
  }

  /** live takes a row in its turn. */
  live(m: Message): void {
    this.head = Math.max(this.head, m.seq)
    this.log.live(m)
    this.trim()
    if (this.log.loaded && m.seq <= this.log.hi) return
    if (!this.following || !this.active) return
    if (this.ahead.length < aheadMax) this.ahead.push(m)
    if (this.log.loaded) this.heard(m.seq)
  }

  /** heard: the room has got as far as seq. */
  heard(seq: number): void {
    this.head = Math.max(this.head, seq)
    if (!this.active || !this.following || !this.log.loaded || this.log.hi >= this.top() || this.stopTimer) return
    this.stopTimer = this.io.after(settling, () => {
      this.stopTimer = null
      if (this.active && this.following && !this.atEnd) void this.catchUp()
    })
  }

  loadOlder(): void {
    if (!this.log.loaded) {
      if (!this.opening) this.start()
      return
    }
    if (!this.older && !this.atStart && this.extent().readable) void this.readOlder()
  }

  loadNewer(): void {
    if (this.log.loaded && !this.newer && !this.atEnd && this.extent().readable) void this.readNewer()
  }

  /** look: the row that is looked at, 0 for the newest, and whether somebody finds words in what is loaded. */
  look(seq: number, finding: boolean): void {
    this.eye = seq
    if (this.finding === finding) return
    this.finding = finding
    if (this.trim()) this.changed()
  }

  /** jump makes the log hold a row and its surroundings, 0: the newest rows. */
  async jump(seq: number): Promise<void> {
    const { first, readable } = this.extent()
    if (seq !== 0) seq = Math.max(first, Math.min(seq, this.top()))
    if (seq === 0 ? this.atEnd : this.log.covers(seq)) {
      if (seq === 0) this.following = true
      return
    }
    if (!readable) return
    this.jumps++
    try {
      await this.go(seq)
    } finally {
      this.jumps--
    }
    if (this.trim()) this.changed()
  }

  private async go(seq: number): Promise<void> {
    const era = this.era
    const page = seq === 0
      ? await this.io.history(this.id, 0, true, pageSize)
      : await this.io.history(this.id, seq + pageSize / 2, true, pageSize)
    if (era !== this.era) return
    this.eye = seq
    this.place(page)
    if (seq === 0 || this.log.covers(seq)) return
    // Long messages: the page ended before it got there.
    const rest = await this.io.history(this.id, seq, false, pageSize)
    if (era === this.era) this.place(rest)
  }

  /** wantQuote asks for one message that is answered. */
  wantQuote(seq: number): void {
    if (this.quotesAsked.has(seq)) return
    this.quotesAsked.add(seq)
    this.quotesWanted.add(seq)
    if (this.quotesRunning < quotesAtOnce) void this.readQuotes()
  }

  /** trim lets go of rows far from what is looked at; returns whether it did. Not while anything is being read: a change that
      was told of a row on its way has to be known when the row comes. */
  private trim(): boolean {
    const { log } = this
    const most = this.finding ? keptToFind : keptAround
    if (log.order.length < most + stride || this.older || this.newer || this.opening || this.jumps > 0) return false
    const { hi } = log
    log.around(this.eye, most)
    if (log.hi < hi) {
      this.following = false
      this.ahead = []
    }
    return true
  }

  private top(): number {
    return Math.max(this.head, this.extent().lastSeq)
  }

  private abandon(): void {
    this.era++
    this.older = this.newer = this.opening = false
    this.failed = null
    this.ahead = []
    this.stopTimer?.()
    this.stopTimer = null
    this.quotesWanted.clear()
    this.quotesRunning = 0
    this.quotesAsked.clear()
  }

  private async open(): Promise<void> {
    const { first, lastSeq, readable } = this.extent()
    if (!readable || lastSeq < first) {
      this.log.begin(Math.max(first, lastSeq + 1))
      this.drain()
      this.changed()
      return
    }
    const era = this.era
    this.opening = true
    this.changed()
    const cached = contiguous(await this.io.cached(this.id).catch(() => []), this.extent().first)
    if (era !== this.era) return
    this.opening = false
    if (!this.log.loaded) this.take(cached, (m) => m.seq)
    this.drain()
    this.changed()
    if (!this.atEnd) await this.newest()
  }

  private async newest(): Promise<void> {
    if (this.opening || !this.extent().readable) return
    const era = this.era
    this.opening = true
    this.failed = null
    this.changed()
    try {
      const page = await this.io.history(this.id, 0, true, pageSize)
      if (era !== this.era) return
      this.opening = false
      this.place(page)
    } catch (e) {
      if (era !== this.era) return
      this.opening = false
      this.failed = refusalOf(e)
    }
    this.changed()
  }

  private async catchUp(): Promise<void> {
    const era = this.era
    for (let i = 0; i < catchUpPages && !this.atEnd && !this.newer; i++) {
      const before = this.log.hi
      await this.readNewer()
      if (era !== this.era || this.failed || this.log.hi <= before) return
    }
    if (!this.atEnd) {
      this.following = false
      this.ahead = []
    }
    this.changed()
  }

  private async readOlder(): Promise<void> {
    const era = this.era
    this.older = true
    await this.read(era, this.log.lo - 1, true)
    if (era !== this.era) return
    this.older = false
    this.trim()
    this.changed()
  }

  private async readNewer(): Promise<void> {
    const era = this.era
    this.newer = true
    await this.read(era, this.log.hi + 1, false)
    if (era !== this.era) return
    this.newer = false
    this.trim()
    this.heard(0)
    this.changed()
  }

  /** read takes the page next to the log. */
  private async read(era: number, from: number, backward: boolean): Promise<void> {
    this.failed = null
    this.changed()
    try {
      const page = await this.io.history(this.id, from, backward, pageSize)
      if (era !== this.era) return
      this.heads(page)
      const first = page.messages[0]
      const last = page.messages[page.messages.length - 1]
      // The log may have grown meanwhile, or been replaced by a jump: only what touches it is taken.
      if (first && last && first.seq <= this.log.hi + 1 && last.seq >= this.log.lo - 1) this.take(page.messages, () => page.lastSeq)
      if (this.log.hi >= page.lastSeq) this.following = true
      this.drain()
    } catch (e) {
      if (era === this.era) this.failed = refusalOf(e)
    }
  }

  /** place takes a page that may lie elsewhere than the log. */
  private place(page: Page): void {
    this.heads(page)
    if (page.messages.length > 0) this.take(page.messages, () => page.lastSeq)
    else if (!this.log.loaded) this.log.begin(page.lastSeq + 1)
    this.following = this.log.hi >= page.lastSeq
    if (!this.following) this.ahead = []
    this.drain()
    if (this.following) this.heard(0)
    this.failed = null
    this.changed()
  }

  private take(messages: readonly Message[], label: (m: Message) => number): void {
    for (const m of messages) this.took(m)
    this.log.page(messages, label)
  }

  private heads(page: Page): void {
    this.head = Math.max(this.head, page.lastSeq)
  }

  private drain(): void {
    if (!this.log.loaded) return
    const ahead = this.ahead.sort((a, b) => a.seq - b.seq)
    this.ahead = []
    for (const m of ahead) {
      this.log.live(m)
      if (m.seq > this.log.hi) this.ahead.push(m)
    }
  }

  private async readQuotes(): Promise<void> {
    const era = this.era
    this.quotesRunning++
    for (const seq of this.quotesWanted) {
      this.quotesWanted.delete(seq)
      try {
        const page = await this.io.history(this.id, seq, false, 1)
        if (era !== this.era) return
        const m = page.messages[0]
        if (m?.seq === seq) this.log.quoted(m, page.lastSeq)
        // Rows that answer it may go, and it with them: it is asked for again when they come back.
        if (this.log.get(seq)) this.quotesAsked.delete(seq)
        else this.gone.add(seq)
        this.log.touch(seq)
        this.changed()
      } catch {
        if (era !== this.era) return
        this.quotesWanted.add(seq) // after the next connection
        break
      }
    }
    this.quotesRunning--
  }
}

/** contiguous is the newest run of rows without a hole, from the first that may be read. */
function contiguous(rows: readonly Message[], first: number): readonly Message[] {
  const sorted = rows.filter((m) => m.seq >= first).sort((a, b) => a.seq - b.seq)
  let i = sorted.length - 1
  while (i > 0 && sorted[i - 1]!.seq === sorted[i]!.seq - 1) i--
  return i < 0 ? [] : sorted.slice(i)
}
