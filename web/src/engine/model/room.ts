// Room is one room that is or was looked at: its rows (Reader, Log), its members and read marks, who is online, and the
// snapshot of it. It is open while somebody subscribes; closed, it keeps the newest rows for the next time.
import type { Message, ModelIO } from '../inner.ts'
import type { Member, RoomState, Row } from '../types.ts'
import type { Line, World } from './line.ts'
import { Log } from './log.ts'
import { sameParts } from './people.ts'
import { ReadMarks } from './readmarks.ts'
import type { Extent } from './reader.ts'
import { Reader } from './reader.ts'
import type { Sight } from './rows.ts'
import { rowsOf, tailOf } from './rows.ts'
import type { Ticker } from './signal.ts'
import { Source } from './signal.ts'

/** keptRows stay of a room that is closed. */
export const keptRows = 100

/** marksEvery: so often at most the marks are read again of a room that is looked at again and again, ms. */
const marksEvery = 5000
/** viewing: so long the word that a room is looked at takes to the server; from then on marks are told. */
const viewing = 300

const nobody: readonly string[] = []
const noneRead = (): number => 0

export class Room {
  readonly signal: Source<RoomState | null>
  readonly log = new Log()
  readonly reader: Reader
  open = false
  private watching = false
  private line: Line | null = null
  private readonly marks = new ReadMarks()
  private membersKnown = false
  private membersReading = false
  private membersAgain = false
  private membersAt = 0
  /** viewed: eyes are on it in this window; blind: there was a time without since the marks were read, and nobody told of them. */
  private viewed = false
  private blind = false
  /** awayFrom is where all was read when eyes or the connection left it; -1: they are here. */
  private awayFrom = -1
  private stopMarks: (() => void) | null = null
  /** missed: what was told of members while they were being read. */
  private missed: ((m: ReadMarks) => void)[] = []
  private online: RoomState['online'] = null
  private readLine = -1
  private readLineSet = false
  private served: readonly Row[] = []
  private tail: readonly Row[] = []
  private rows: readonly Row[] = []
  private shown: RoomState | null = null
  private version = -1
  private first = 0
  private era = 0

  constructor(
    readonly id: string,
    ticker: Ticker,
    private readonly io: ModelIO,
    private readonly world: World,
    watched: (on: boolean) => void,
  ) {
    this.signal = new Source(ticker, () => this.make(), watched)
    this.reader = new Reader(id, io, this.log, () => this.extent(), () => {
      this.arrived()
      this.watch()
      this.signal.touch()
    }, (m) => this.line?.outbox.told(m))
  }

  /** start opens the room; line is null while nothing is known of it. */
  start(line: Line | null): void {
    if (this.open) return
    this.open = true
    this.readLine = -1
    this.readLineSet = false
    this.blind = false
    this.awayFrom = -1
    const stale = this.membersKnown
    this.setLine(line)
    if (stale) this.readMembers()
    this.watch()
  }

  /** stop closes it and keeps some rows. */
  stop(rows: number): void {
    if (!this.open) return
    this.open = false
    this.online = null
    if (this.watching) this.io.unwatch?.(this.id)
    this.watching = false
    this.stopMarks?.()
    this.stopMarks = null
    this.reader.stop(rows)
    this.forgetShown()
    this.signal.touch()
  }

  /** drop forgets the rows of a closed room. */
  drop(): void {
    if (this.open) return
    this.reader.reset()
    this.line?.outbox.arrived((seq) => seq <= (this.line?.room.lastSeq ?? 0))
    this.era++
    this.membersKnown = this.membersReading = false
    this.missed = []
    this.marks.load([])
    this.forgetShown()
  }

  /** forgetShown lets go of what was last drawn: thousands of rows of a log that has a hundred left. */
  private forgetShown(): void {
    this.served = this.tail = this.rows = []
    this.shown = null
    this.version = -1
    this.log.rebuilt = true
    this.signal.release()
  }

  setLine(line: Line | null): void {
    const gone = this.line !== null && line === null
    this.line = line
    if (gone) {
      this.era++
      this.membersKnown = this.membersReading = false
      this.missed = []
      this.reader.reset()
    }
    this.told(false)
  }

  /** told: the line has changed. far: what was taken for a new room is an old one. */
  told(far: boolean): void {
    this.signal.touch()
    const line = this.line
    if (!line || line.stale) return
    this.log.me = this.world.me
    const { joinedSeq, lastSeq } = line.room
    this.markReadLine()
    if (this.log.loaded && (joinedSeq > this.log.lo || (far && lastSeq > this.log.hi + keptRows))) this.reader.reset()
    if (!this.open) return
    if (!this.log.loaded && !this.reader.opening && !this.reader.failed) this.reader.start()
    else this.reader.heard(lastSeq)
    if (!this.membersKnown && !this.membersReading) this.readMembers()
    this.arrived()
  }

  /** rolledBack: what was known of the room is not so any more. */
  rolledBack(): void {
    this.era++
    this.membersKnown = false
    this.membersReading = false
    this.missed = []
    this.readLine = -1
    this.reader.stop(0)
    this.reader.reset()
    this.signal.touch()
  }

  /** welcomed: the connection is back; what nobody told meanwhile is read. */
  welcomed(): void {
    if (!this.open || !this.line || this.line.stale) return
    this.markReadLine()
    this.readLineSet = true
    if (this.viewed) this.back()
    this.reader.again()
    this.readMembers()
  }

  /** view: eyes are on it, or not any more. The server tells of marks only while they are: what was missed is read. */
  view(on: boolean): void {
    if (this.viewed && !on) this.leave()
    else if (on && this.world.online) this.back()
    this.viewed = on
    if (!on) this.blind = true
    else if (this.blind && this.open) {
      const wait = Math.max(viewing, this.membersAt + marksEvery - this.io.now())
      this.stopMarks ??= this.io.after(wait, () => {
        this.stopMarks = null
        if (this.viewed && this.blind) this.readMembers()
      })
    }
  }

  live(m: Message): void {
    this.log.me = this.world.me
    if (this.open || this.log.loaded) this.reader.live(m)
    else this.reader.heard(m.seq) // what is read when it is opened shows it as it is then
    if (!this.open && this.log.loaded && this.log.hi - this.log.lo >= 2 * keptRows) this.log.keep(keptRows)
    this.member((marks) => {
      if (m.kind === 'invited') marks.joined(m.users, m.seq)
      else if (m.kind === 'left') marks.left(m.author, m.seq)
    })
    this.arrived()
    this.signal.touch()
  }

  read(user: string, seq: number): void {
    this.member((marks) => marks.read(user, seq))
    this.signal.touch()
  }

  presence(count: number, users: readonly string[]): void {
    this.online = { count, users }
    this.signal.touch()
  }

  offline(): void {
    this.online = null
    if (this.viewed) this.leave()
    this.signal.touch()
  }

  /** touchRow: an own change of a row came, changed or went. */
  touchRow(seq: number): void {
    if (seq !== 0) this.log.touch(seq)
    this.arrived()
    this.signal.touch()
  }

  /** unreadAfter counts messages by others after seq, null if the rows after it are not all here. */
  unreadAfter(seq: number): number | null {
    if (!this.log.loaded || this.log.lo > seq + 1 || this.log.hi < (this.line?.room.lastSeq ?? 0)) return null
    let n = 0
    for (let i = this.log.order.length - 1; i >= 0; i--) {
      const m = this.log.order[i]!.m
      if (m.seq <= seq) break
      if (m.kind === 'text' && m.author !== this.world.me) n++
    }
    return n
  }

  /** arrived lets go of acknowledged messages whose rows are here, or will not be seen before they are read. */
  private arrived(): void {
    const line = this.line
    if (!line) return
    const { log, reader } = this
    if (line.outbox.arrived((seq) => log.covers(seq) || (seq <= line.room.lastSeq && !(this.open && reader.following)))) line.touch()
  }

  private watch(): void {
    if (this.watching || !this.open || !this.log.loaded || !this.reader.following) return
    this.watching = true
    this.io.watch?.(this.id, this.log.hi)
  }

  private member(change: (marks: ReadMarks) => void): void {
    if (this.membersReading) this.missed.push(change)
    if (this.membersKnown) change(this.marks)
  }

  private readMembers(): void {
    if (!this.extent().readable) return
    if (this.membersReading) {
      this.membersAgain = true
      return
    }
    const era = this.era
    this.membersAt = this.io.now()
    if (this.viewed) this.blind = false
    this.membersReading = true
    this.membersAgain = false
    this.missed = []
    this.io.members(this.id).then((members) => this.tookMembers(era, members), () => this.tookMembers(era, null))
  }

  private tookMembers(era: number, members: readonly Member[] | null): void {
    if (era !== this.era) return
    this.membersReading = false
    if (!members) this.blind = true
    else {
      this.membersKnown = true
      this.marks.load(members)
      for (const change of this.missed) change(this.marks)
      this.line?.met(members.slice(0, 3).map((m) => m.user))
      this.signal.touch()
    }
    this.missed = []
    if (this.membersAgain && this.open) this.readMembers()
  }

  /** markReadLine fixes where all was read when the room was opened. Before the first welcome the list is an old copy, so
      that what it then turns out to have missed counts as well. */
  private markReadLine(): void {
    if (!this.open || this.readLineSet || !this.line || this.line.stale) return
    const { unread, readSeq } = this.line.room
    // Own messages from another device are counted there; a line before nothing else would lead nowhere.
    if (unread > 0 && this.unreadAfter(readSeq) !== 0) this.readLine = readSeq
    this.readLineSet = this.world.welcomed || unread > 0
  }

  private leave(): void {
    if (!this.open || !this.line || this.awayFrom >= 0) return
    const { unread, readSeq, lastSeq } = this.line.room
    this.awayFrom = unread > 0 ? readSeq : lastSeq
  }

  /** back: what others said meanwhile stands under the line, as if the room were opened now. */
  private back(): void {
    const from = this.awayFrom
    this.awayFrom = -1
    if (!this.open || !this.line || from < 0 || (this.unreadAfter(from) ?? this.line.room.unread) === 0) return
    this.readLine = from
    this.signal.touch()
  }

  private extent(): Extent {
    const line = this.line
    if (!line) return { lastSeq: 0, first: 1, known: false, readable: false }
    const { lastSeq, joinedSeq, group, left } = line.room
    return { lastSeq, first: Math.max(1, joinedSeq), known: !line.stale, readable: !line.provisional && !line.stale && !(group && left) }
  }

  private make(): RoomState | null {
    const line = this.line
    if (!line) {
      this.shown = null
      return null
    }
    const { first } = this.extent()
    const sight: Sight = {
      me: this.world.me, skew: this.world.skew, log: this.log, outbox: line.outbox, first, gone: this.reader.gone,
      ask: (seq) => this.reader.wantQuote(seq),
    }
    if (this.version !== this.log.version || this.first !== first) {
      this.version = this.log.version
      this.first = first
      this.rowsChanged(rowsOf(sight, this.served), this.tail)
    }
    this.rowsChanged(this.served, tailOf(sight, this.tail))
    const marks = this.membersKnown ? this.marks.snapshot() : null
    const now: RoomState = {
      line: line.snapshot(), rows: this.rows, loaded: this.log.loaded, atStart: this.reader.atStart, atEnd: this.reader.atEnd,
      loadingOlder: this.reader.older || (this.reader.opening && !this.log.loaded),
      loadingNewer: this.reader.newer || (this.reader.opening && this.log.loaded),
      failed: this.reader.failed, members: marks ? marks.members : null, unreadAt: marks ? marks.unreadAt : noneRead,
      online: this.world.online ? this.online : null, typing: line.snapshot().typing.length ? line.snapshot().typing : nobody,
      readLine: this.readLine,
    }
    if (!this.shown || !sameParts(this.shown, now)) this.shown = now
    return this.shown
  }

  private rowsChanged(served: readonly Row[], tail: readonly Row[]): void {
    if (served === this.served && tail === this.tail) return
    this.served = served
    this.tail = tail
    this.rows = tail.length === 0 ? served : [...served, ...tail]
  }
}
