// Changes that people ask for in this window: handed to the core where this window leads, to the leader elsewhere where it
// does not. Nothing is forgotten before it is safe: what a leader in another window has not taken is handed to the next one,
// and so is what this window has not stored when it loses the lead. The uid of an op makes it one change all the same.
import { isSecret } from '../core/outbox.ts'
import type { ItemRec, State } from '../core/record.ts'
import type { Kept, Op, Settled } from '../inner.ts'
import { type Refusal, RefusedError } from '../types.ts'
import { Asks, type WholeAsk } from './asks.ts'
import type { Lead } from './lead.ts'
import { Left, type LeftHost } from './left.ts'
import type { Ask } from './notes.ts'
import type { Write } from './store.ts'
import type { Writer } from './writer.ts'

export const signedOut: Refusal = { reason: 'signed_out', subject: '', retryAfterMs: 0, fields: [] }
export const givenUp: Refusal = { reason: 'given_up', subject: '', retryAfterMs: 0, fields: [] }
export const invalid: Refusal = { reason: 'invalid', subject: '', retryAfterMs: 0, fields: [] }

type OpAsk = Ask & { readonly t: 'op' }

/** uidOf is the op that an ask is about. */
export const uidOf = (a: Ask): string => (a.t === 'op' ? a.op.uid : a.t === 'kept' ? a.kept.op.uid : a.uid)

/** mayStay: an ask that may be left behind: a change but for passwords and pictures, or that a message is not to be sent so. */
const mayStay = (a: Ask): boolean => (a.t === 'op' ? a.op.kind !== 'setPhoto' && a.op.old === undefined && a.op.next === undefined : a.t === 'kept' || a.t === 'giveUp' || a.t === 'replace')

export interface ChangesHost extends LeftHost {
  /** lead is there while this window leads and somebody is logged in. */
  lead(): { readonly lead: Lead; readonly writer: Writer } | null
  leading(): boolean
  loggedIn(): boolean
  uid(): string
  /** standIn shows in this window what no leader has taken yet; returns its local id. */
  standIn(ask: WholeAsk): number
  /** hand gives an ask to the leader elsewhere. */
  hand(no: number, ask: Ask): void
  /** force asks for the lead: the leader takes nothing. */
  force(): void
  after(ms: number, fn: () => void): () => void
}

export class Changes {
  readonly asks = new Asks()
  private readonly host: ChangesHost
  private readonly patience: number
  private stopNag: () => void = () => {}
  /** unsafe: taken by this window's core, not in the store yet. */
  private readonly unsafe = new Map<string, WholeAsk>()
  /** edits taken while this window leads: whoever asked is there to hear of a refusal. */
  private readonly edits = new Set<string>()
  /** leftBehind by this window or another, though it is taken: it could not be stored yet. */
  private readonly leftBehind = new Set<string>()
  private readonly left: Left<readonly Ask[]>

  constructor(host: ChangesHost, patience: number) {
    this.host = host
    this.left = new Left('asks', host)
    this.patience = patience
  }

  /** submit takes an op; `writes` are stored with it. Returns the item's id, a stand-in's while another window leads, 0 if
   * nobody is logged in or it names nothing. */
  submit(op: Op, writes: readonly Write[]): number {
    if (!this.host.loggedIn()) return 0
    const ask: OpAsk = { t: 'op', op, writes }
    const own = this.host.lead()
    if (own) return this.put(own.lead, own.writer, ask)
    const id = this.host.standIn(ask)
    this.ask(ask)
    return id
  }

  /** change takes an op and waits for its verdict. */
  change(op: Omit<Op, 'uid'>, writes: readonly Write[]): Promise<Settled> {
    if (!this.host.loggedIn()) return Promise.reject(new RefusedError(signedOut))
    const whole: Op = { ...op, uid: this.host.uid() }
    const verdict = this.asks.wait(whole.uid)
    if (this.submit(whole, writes) === 0) this.asks.refuse(whole.uid, invalid)
    return verdict
  }

  /** replace gives a message another text, whatever has become of it, and waits for the verdict; a message that is refused with
   * it is kept as any other, and that is no failure. */
  async replace(uid: string, text: string): Promise<void> {
    const ask: Ask = { t: 'replace', uid, next: this.host.uid(), text }
    const verdict = this.asks.wait(ask.next)
    if (!this.ask(ask)) this.asks.refuse(ask.next, givenUp)
    try {
      await verdict
    } catch (e) {
      if (!this.asks.id(ask.next)) throw e
    }
  }

  /** ask has the leader do something; false: it cannot be done. */
  ask(ask: Ask): boolean {
    if (this.host.leading()) return this.carry(ask)
    this.host.hand(this.asks.hand(ask), ask)
    this.nag()
    return true
  }

  /** carry does what was asked, in the leading window; false: it cannot be done. */
  carry(ask: Ask): boolean {
    const own = this.host.lead()
    if (!own) return false
    if (ask.t === 'op' || ask.t === 'kept') return this.put(own.lead, own.writer, ask) !== 0
    const id = this.asks.id(ask.uid)
    let done = true
    own.lead.run((core, now) => {
      switch (ask.t) {
        case 'giveUp':
          core.giveUp(now, id)
          break
        case 'replace':
          done = core.replace(now, core.item(ask.uid), ask.text, ask.next) !== 0
          break
        case 'discard':
          core.discard(id)
          break
        case 'resend':
          core.resend(now, id)
          break
      }
    })
    return done
  }

  /** begin: this window leads from now on. */
  begin(): void {
    this.stopNag()
    for (const ask of this.asks.takeBack()) this.carry(ask)
  }

  /** lost: this window leads no more, and what it has not stored is the next leader's. Until that has taken it, it is shown as
   * what it was before this one took it: the next leader numbers anew. */
  lost(unstored: readonly Write[]): void {
    const asks = this.owed(unstored)
    this.unsafe.clear()
    if (asks.length === 0 || !this.host.loggedIn()) return
    for (const ask of asks) {
      this.asks.hand(ask)
      if (ask.t === 'op' || ask.t === 'kept') this.host.standIn(ask)
    }
    this.handAgain()
  }

  /** owed is what is in memory alone: what could not be stored, then what was taken a moment ago. */
  private owed(unstored: readonly Write[]): readonly Ask[] {
    const failed = unstored.flatMap(({ table, value }) => (table === 'items' && value ? [value as ItemRec] : [])).sort((a, b) => a.order - b.order)
    const kept = unstored.flatMap(({ table, value }) => (table === 'kept' && value ? [value as Kept] : []))
    const asks: Ask[] = kept.map((k) => ({ t: 'kept', kept: k }))
    for (const { op, device, n, tag, giveUp, replace, refusal } of failed) {
      if (isSecret(op.kind)) continue
      asks.push({ t: 'op', op, writes: [], ...(n > 0 ? { named: { device, n, tag: [...tag] } } : {}), ...(this.edits.has(op.uid) ? {} : { orphan: true }) })
      if (replace) asks.push({ t: 'replace', uid: op.uid, next: replace.uid, text: replace.text ?? '' })
      else if (giveUp && !refusal) asks.push({ t: 'giveUp', uid: op.uid })
    }
    const has = new Set(asks.map(uidOf))
    return [...asks, ...[...this.unsafe.values()].filter((a) => !has.has(uidOf(a)))]
  }

  /** handAgain tells a new leader what none has taken. */
  handAgain(): void {
    for (const [no, ask] of this.asks.open) this.host.hand(no, ask)
    if (this.asks.open.length > 0) this.nag()
  }

  /** leave: the page goes away, or may. What would be lost with it is left behind, but for passwords and pictures. */
  leave(): void {
    const own = this.host.lead()
    const owed = this.owed(own?.writer.unstored ?? [])
    for (const a of owed) this.leftBehind.add(uidOf(a))
    this.leaveBehind([...owed, ...this.asks.open.map(([, ask]) => ask)])
  }

  /** leaveBehind what could go with the window that has it. */
  leaveBehind(list: readonly Ask[]): void {
    const asks = list.filter(mayStay)
    if (asks.length === 0) return
    const key = (a: Ask): string => `${a.t === 'kept' ? 'op' : a.t} ${uidOf(a)}`
    const keys = new Set(asks.map(key))
    this.left.write([...(this.left.read() ?? []).filter((a) => !keys.has(key(a))), ...asks])
  }

  /** refused: what was left behind as one to send is one that waits for its author now. */
  refused(kept: Kept): void {
    if (this.leftBehind.has(kept.op.uid)) this.leaveBehind([{ t: 'kept', kept }])
  }

  /** unkept: its author has sent it anew or discarded it, and nobody takes it up again. */
  unkept(uid: string): void {
    this.unsafe.delete(uid)
    this.safe(uid)
  }

  /** revive takes what pages have left: when a page begins, and when it leads, for another may have gone meanwhile. What the store
   * has of it need not be left any more. */
  revive(state: Pick<State, 'items' | 'kept' | 'done'>): void {
    const done = new Set(state.done.map((d) => d.uid))
    const kept = new Set(state.kept.map((k) => k.op.uid))
    const stored = new Set([...kept, ...state.items.map((i) => i.op.uid)])
    const now = new Set<string>()
    for (const ask of this.left.read() ?? []) {
      const uid = uidOf(ask)
      const id = this.asks.id(uid)
      // The store may have a message as open that was refused.
      const known = done.has(uid) || (ask.t === 'kept' ? this.asks.kept.has(id) : id !== 0)
      if (done.has(uid) || (ask.t === 'op' ? stored.has(uid) : ask.t === 'kept' ? kept.has(uid) : !known)) this.safe(uid)
      if (ask.t === 'op' || ask.t === 'kept') {
        if (known) continue
        now.add(uid)
        this.host.standIn(ask)
      } else if (!known || (this.host.leading() && !now.has(uid))) continue // asked for when this page began
      this.ask(ask.t === 'op' ? { ...ask, orphan: true } : ask)
    }
  }

  /** stored: all that could not be stored is in the store. */
  stored(): void {
    const open = new Set(this.asks.open.map(([, a]) => uidOf(a)))
    for (const uid of this.leftBehind) if (!this.unsafe.has(uid) && !open.has(uid)) this.safe(uid)
    this.leftBehind.clear()
  }

  /** safe: an op is in the store, or decided; whoever has left it behind need not have. */
  safe(uid: string): void {
    const left = this.left.read()
    if (!left?.some((a) => uidOf(a) === uid)) return
    const rest = left.filter((a) => uidOf(a) !== uid)
    if (rest.length > 0) this.left.write(rest)
    else this.left.clear()
  }

  /** orphaned: nobody is left to be given the words back that this verdict has refused. */
  orphaned({ op, ok, givenUp }: Settled): boolean {
    return op.kind === 'edit' && !this.edits.delete(op.uid) && !ok && !givenUp && this.host.leading() && !this.asks.awaited(op.uid)
  }

  /** clear ends everything; wipe: also what pages have left. */
  clear(wipe: boolean): void {
    this.stopNag()
    this.unsafe.clear()
    this.edits.clear()
    this.leftBehind.clear()
    this.asks.clear()
    if (wipe) this.left.clear()
  }

  private put(lead: Lead, writer: Writer, ask: WholeAsk): number {
    const uid = uidOf(ask)
    this.unsafe.set(uid, ask)
    if (ask.t === 'op' && ask.op.kind === 'edit' && !ask.orphan) this.edits.add(uid)
    const id = ask.t === 'op' ? lead.submit(ask.op, ask.writes, ask.named ?? null) : lead.run((core, now) => core.restore(now, ask.kept))
    // Behind what the core has just handed to the writer: safe when this is, or with what could not be stored.
    writer.after(() => {
      if (this.unsafe.get(uid) === ask) this.unsafe.delete(uid)
      if (writer.unstored.length === 0) this.safe(uid)
      else this.leftBehind.add(uid)
    })
    return id
  }

  /** nag: a leader that takes nothing for a while is asked for the lead. */
  private nag(): void {
    this.stopNag()
    this.stopNag = this.host.after(this.patience, () => {
      if (this.host.leading() || this.asks.open.length === 0) return
      this.host.force()
      this.nag()
    })
  }
}
