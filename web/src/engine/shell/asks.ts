// What this window has asked for: verdicts that somebody waits for, asks that a leader in another window has not taken yet,
// and the open items as this window knows them. Until the leader has given an item its id, a stand-in with a local id is
// shown in its place.
import type { Input, Item, Kept, Settled } from '../inner.ts'
import { type Refusal, RefusedError } from '../types.ts'
import type { Ask } from './notes.ts'

/** firstLocal is above every id that a leader gives, so that stand-ins are shown last. */
const firstLocal = 2 ** 52
/** lately: so many items are still known by their ids when they are decided. */
const lately = 200

/** WholeAsk has all of what is to be done in it. */
export type WholeAsk = Ask & { readonly t: 'op' | 'kept' }

interface Waiter {
  resolve(s: Settled): void
  reject(e: RefusedError): void
}

export class Asks {
  readonly items = new Map<number, Item>()
  readonly kept = new Map<number, Kept>()
  /** uids of items that were shown lately: a view may still show what was decided a moment ago. */
  private readonly uids = new Map<number, string>()
  private readonly ids = new Map<string, number>()
  private readonly waiters = new Map<string, Waiter[]>()
  /** handed to a leader elsewhere, in order, until it says that they are safe. */
  private readonly handed = new Map<number, Ask>()
  private nextNo = 1
  private nextLocal = firstLocal

  uid(id: number): string {
    return this.items.get(id)?.op.uid ?? this.kept.get(id)?.op.uid ?? this.uids.get(id) ?? ''
  }

  id(uid: string): number {
    return this.ids.get(uid) ?? 0
  }

  /** see follows an input and returns what models must be told before it. */
  see(i: Input): readonly Input[] {
    switch (i.t) {
      case 'item': {
        const before = this.ids.get(i.item.op.uid)
        this.items.set(i.item.id, i.item)
        this.uids.set(i.item.id, i.item.op.uid)
        if (this.uids.size > lately) for (const old of this.uids.keys()) if (this.uids.delete(old)) break
        this.ids.set(i.item.op.uid, i.item.id)
        return before !== undefined && before >= firstLocal && before !== i.item.id ? this.vanish(before) : []
      }
      case 'settled': {
        const before = this.ids.get(i.settled.op.uid)
        this.items.delete(i.settled.id)
        if ((before === i.settled.id && !this.kept.has(before)) || (before ?? 0) >= firstLocal) this.ids.delete(i.settled.op.uid)
        return before !== undefined && before >= firstLocal ? this.vanish(before) : []
      }
      case 'kept': {
        const before = this.ids.get(i.kept.op.uid)
        this.kept.set(i.kept.id, i.kept)
        this.ids.set(i.kept.op.uid, i.kept.id)
        return before !== undefined && before >= firstLocal && before !== i.kept.id ? this.vanish(before) : []
      }
      case 'unkept': {
        const uid = this.kept.get(i.id)?.op.uid
        this.kept.delete(i.id)
        if (uid !== undefined && this.ids.get(uid) === i.id) this.ids.delete(uid)
        return []
      }
      default:
        return []
    }
  }

  /** answer tells whoever waits for this verdict. */
  answer(s: Settled): void {
    const list = this.waiters.get(s.op.uid)
    this.waiters.delete(s.op.uid)
    for (const w of list ?? []) {
      if (s.ok || s.givenUp) w.resolve(s)
      else w.reject(new RefusedError(s.refusal ?? { reason: 'internal', subject: '', retryAfterMs: 0, fields: [] }))
    }
  }

  /** missing: a leader tells of all that is open; what this window knows beside that was decided while nobody told. */
  missing(inputs: readonly Input[]): readonly Input[] {
    const open = new Set<number>()
    const kept = new Set<number>()
    for (const i of inputs) {
      if (i.t === 'item') open.add(i.item.id)
      else if (i.t === 'kept') kept.add(i.kept.id)
    }
    const out: Input[] = []
    for (const id of [...this.items.keys()]) if (!open.has(id) && id < firstLocal) out.push(...this.vanish(id))
    for (const id of this.kept.keys()) if (!kept.has(id) && id < firstLocal) out.push({ t: 'unkept', id })
    return out
  }

  awaited(uid: string): boolean {
    return this.waiters.has(uid)
  }

  /** wait ends with the verdict of an op; a refusal rejects. */
  wait(uid: string): Promise<Settled> {
    return new Promise((resolve, reject) => {
      const list = this.waiters.get(uid)
      if (list) list.push({ resolve, reject })
      else this.waiters.set(uid, [{ resolve, reject }])
    })
  }

  /** refuse ends the waiting for an op that was never taken. */
  refuse(uid: string, why: Refusal): void {
    const list = this.waiters.get(uid)
    this.waiters.delete(uid)
    for (const w of list ?? []) w.reject(new RefusedError(why))
  }

  /** standIn shows an op, or a message that was refused, before a leader has taken it. */
  standIn(ask: WholeAsk, now: number): Input & { t: 'item' | 'kept' } {
    if (ask.t === 'kept') return { t: 'kept', kept: { ...ask.kept, id: this.nextLocal++ } }
    const { bytes: _bytes, old: _old, next: _next, ...shown } = ask.op
    return { t: 'item', item: { id: this.nextLocal++, op: shown, created: now, n: 0, state: 'waiting' } }
  }

  /** withdraw takes the stand-in of an op away that no leader can take. */
  withdraw(uid: string): readonly Input[] {
    const id = this.ids.get(uid) ?? 0
    if (id < firstLocal) return []
    this.ids.delete(uid)
    return this.vanish(id)
  }

  hand(ask: Ask): number {
    const no = this.nextNo++
    this.handed.set(no, ask)
    return no
  }

  /** taken: the leader has made it safe, or cannot do it. */
  taken(no: number): Ask | undefined {
    const ask = this.handed.get(no)
    this.handed.delete(no)
    return ask
  }

  get open(): readonly (readonly [number, Ask])[] {
    return [...this.handed]
  }

  /** takeBack takes everything that was handed out: this window leads now. */
  takeBack(): readonly Ask[] {
    const list = [...this.handed.values()]
    this.handed.clear()
    return list
  }

  /** unsent is how many messages would be lost with the store. */
  get unsent(): number {
    let n = this.kept.size
    for (const i of this.items.values()) if (i.op.kind === 'send' && i.state !== 'givingUp') n++
    return n
  }

  /** clear ends everything: nobody is logged in any more. */
  clear(): void {
    const waiting = [...this.waiters.keys()]
    this.items.clear()
    this.kept.clear()
    this.uids.clear()
    this.ids.clear()
    this.handed.clear()
    for (const uid of waiting) this.refuse(uid, { reason: 'signed_out', subject: '', retryAfterMs: 0, fields: [] })
  }

  /** vanish ends what is shown under an id without a verdict, or a decision. */
  vanish(id: number): readonly Input[] {
    const item = this.items.get(id)
    if (!item) return this.kept.delete(id) ? [{ t: 'unkept', id }] : []
    this.items.delete(id)
    const settled: Settled = { id, op: item.op, ok: false, seq: 0, time: 0, room: item.op.room ?? '', refused: [], givenUp: true, refusal: null }
    return [{ t: 'settled', settled }]
  }
}
