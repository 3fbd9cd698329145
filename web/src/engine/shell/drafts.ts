// Drafts: what is being written in each room. Each text carries the time of its last key, so that one that comes late (from
// another window, from a store that was behind) never wins over a newer one; an empty text with its time says that the draft
// was sent or deleted. What was written in this window is told again to each new leader, and left behind by a page that goes away.
import type { Input } from '../inner.ts'
import { Left, type LeftHost } from './left.ts'
import type { Key, Write } from './store.ts'

export interface Draft {
  readonly text: string
  readonly at: number
  /** reply is the seq of the message that it answers. */
  readonly reply?: number
}

/** forgotten: an empty draft that nobody can come late with any more. */
const forgotten = 7 * 86_400_000

export interface DraftsHost extends LeftHost {
  now(): number
  /** show tells the model of this window. */
  show(i: Input): void
  /** write stores, if this window leads. */
  write(w: Write): void
  /** tell tells the other windows. */
  tell(room: string, d: Draft): void
}

type Drafted = Readonly<Record<string, Draft>>

export class Drafts {
  private readonly all = new Map<string, Draft>()
  /** own: rooms whose latest text was written in this window. */
  private readonly own = new Set<string>()
  /** leaving: the page may end at any time. */
  private leaving = false
  private readonly host: DraftsHost
  private readonly left: Left<Drafted>

  constructor(host: DraftsHost) {
    this.host = host
    this.left = new Left('drafts', host)
  }

  /** begin takes what the store holds and what a page that went away has left. */
  begin(stored: readonly (readonly [Key, unknown])[]): void {
    for (const [room, v] of stored) this.know(String(room), read(v))
    for (const [room, d] of Object.entries(this.left.read() ?? {})) if (this.know(room, d)) this.own.add(room)
  }

  /** set takes a text written in this window. */
  set(room: string, text: string, reply = 0): void {
    const d = this.put(room, text, reply)
    if (d) this.host.write(write(room, d))
  }

  /** give puts words back that were not taken, behind what is being written. */
  give(room: string, text: string): void {
    const before = this.all.get(room)
    this.set(room, before?.text ? `${before.text}\n${text}` : text, before?.reply)
  }

  /** sent clears the draft of a room and returns the write to be made with the message. */
  sent(room: string): Write {
    return write(room, this.put(room, '', 0) ?? { text: '', at: 0 })
  }

  /** take takes a text of another window. */
  take(room: string, told: Draft): void {
    // A window of an earlier version tells no time.
    const d = Number.isFinite(told.at) ? told : { ...told, at: this.host.now() }
    if (this.host.owner() === '' || !this.know(room, d)) return
    this.own.delete(room)
    this.host.write(write(room, d))
  }

  /** repeat tells a new leader elsewhere what was written here. */
  repeat(): void {
    for (const room of this.own) this.host.tell(room, this.all.get(room)!)
  }

  /** lead: this window leads, and the store holds these. What is newer here is stored, and what nobody can come late with any
   * more is dropped. */
  lead(stored: readonly (readonly [Key, unknown])[]): void {
    this.begin(stored)
    const inStore = new Map(stored.map(([room, v]) => [String(room), read(v).at]))
    for (const [room, d] of this.all) {
      if (d.at > (inStore.get(room) ?? 0)) this.host.write(write(room, d))
      else if (d.text === '' && !d.reply && d.at < this.host.now() - forgotten) this.host.write({ table: 'drafts', key: room })
    }
  }

  /** inputs tell a window that begins. */
  inputs(): Input[] {
    return [...this.all].map(([room, d]) => ({ t: 'draft', room, ...d }))
  }

  /** leave: the page is hidden or goes away; stay: it is back. */
  leave(): void {
    this.leaving = true
    this.leaveBehind()
  }

  stay(): void {
    this.leaving = false
  }

  /** clear forgets everything; wipe: also what pages have left. */
  clear(wipe: boolean): void {
    this.all.clear()
    this.own.clear()
    if (wipe) this.left.clear()
  }

  private put(room: string, text: string, reply: number): Draft | null {
    if (this.host.owner() === '') return null
    const before = this.all.get(room)
    // Later than what is known, whatever the clocks of other windows say: a person has just written it.
    const d = { text, at: Math.max(this.host.now(), (before?.at ?? 0) + 1), ...(reply > 0 ? { reply } : {}) }
    this.know(room, d)
    this.own.add(room)
    this.host.tell(room, d)
    if (this.leaving) this.leaveBehind()
    return d
  }

  /** know returns false if something newer is known. */
  private know(room: string, d: Draft): boolean {
    const before = this.all.get(room)
    if (before && before.at >= d.at) return false
    this.all.set(room, d)
    this.host.show({ t: 'draft', room, ...d })
    return true
  }

  private leaveBehind(): void {
    if (this.host.owner() === '' || this.own.size === 0) return
    const drafts: Record<string, Draft> = {}
    for (const [room, d] of Object.entries(this.left.read() ?? {})) if (d.at > (this.all.get(room)?.at ?? 0)) drafts[room] = d
    for (const room of this.own) drafts[room] ??= this.all.get(room)!
    this.left.write(drafts)
  }
}

/** draftOf a note; a window of an earlier version tells no time, which is NaN here. */
export function draftOf(n: { readonly text: string; readonly at?: number; readonly reply?: number }): Draft {
  return { text: n.text, at: n.at ?? NaN, ...(n.reply ? { reply: n.reply } : {}) }
}

/** read takes a draft of the store; an earlier version kept the text alone. */
function read(v: unknown): Draft {
  return typeof v === 'string' ? { text: v, at: 1 } : (v as Draft)
}

const write = (room: string, value: Draft): Write => ({ table: 'drafts', key: room, value })
