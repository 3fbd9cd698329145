// Reign is this window's time of leading: it claims the store, reads what is in it, and has the writer, the cache and the lead
// (core and connection) until it ends. Guarantees: nothing of an earlier time of leading acts in a later one; a session goes on
// only from what was read of the store, never from nothing; whoever waits for this window to lead is always answered.
import { RefusedError } from '../types.ts'
import { Cache } from './cache.ts'
import { invalid } from './changes.ts'
import type { Lead } from './lead.ts'
import { type Opened, claimed } from './opening.ts'
import { MemoryStore, type Store, type Write } from './store.ts'
import type { Shared } from './notes.ts'
import type { Tabs } from './tabs.ts'
import { Writer } from './writer.ts'

/** Leading is what only the leading window has. lead is there while somebody is logged in. */
export interface Leading {
  readonly writer: Writer
  readonly cache: Cache
  lead: Lead | null
}

export interface ReignHost {
  /** id of this window. */
  readonly id: string
  after(ms: number, fn: () => void): () => void
  tabs(): Tabs
  store(): Store
  /** useStore: from now on this one is worked with. */
  useStore(s: Store): void
  storage(state: Shared['storage']): void
  /** began: this window leads; what the store holds is what there is. */
  began(opened: Opened): void
  /** ending: this window leads no more. */
  ending(): void
  /** unsafe: what this window has taken and not stored is for the next leader; some of it could not be stored. */
  unsafe(unstored: readonly Write[]): void
  /** unreadable: what the store holds cannot be known. */
  unreadable(): void
  blocked(on: boolean): void
}

export class Reign {
  leading: Leading | null = null
  /** term grows with each beginning and end; what an earlier one still does is nobody's. */
  private term = 0
  private waiting: (() => void)[] = []
  private readonly host: ReignHost

  constructor(host: ReignHost) {
    this.host = host
  }

  get lead(): Lead | null {
    return this.leading?.lead ?? null
  }

  /** begin: this window has got the lead. */
  async begin(): Promise<void> {
    const { host } = this
    const term = ++this.term
    const fence = `${host.id}.${term}`
    host.blocked(false)
    const opened = await claimed(host.store(), fence, host.after, () => term === this.term).catch(() => null)
    if (term !== this.term || !host.tabs().leading) return
    if (!opened) return host.unreadable()
    const { store } = opened
    if (store !== host.store()) host.useStore(store)
    const writer: Writer = new Writer(store, fence, host.after, (state) => host.storage(state), () => this.fenced(writer))
    this.leading = { writer, cache: new Cache(store, fence, host.after), lead: null }
    host.storage(store.kind === 'disk' ? 'ok' : 'refused')
    host.began(opened)
    this.wake()
  }

  /** wanted ends when this window leads and knows the account; it rejects if another window keeps the lead. */
  async wanted(): Promise<Leading> {
    while (!this.leading) {
      const change = new Promise<void>((resolve) => this.waiting.push(resolve))
      if (!(await this.host.tabs().takeOver())) throw new RefusedError({ ...invalid, reason: 'other_window' })
      if (!this.leading) await change
    }
    return this.leading
  }

  /** stop hands everything over: when it ends, another window finds all of it in the store. */
  async stop(): Promise<void> {
    const l = this.end()
    if (!l) return
    l.lead?.stop()
    await l.cache.flush()
    l.cache.close()
    await l.writer.stop()
    this.host.unsafe(l.writer.unstored)
  }

  /** drop ends leading without a word: somebody else leads already. */
  drop(): void {
    const l = this.end()
    l?.lead?.stop()
    this.host.unsafe(l?.writer.unstored ?? [])
    l?.cache.close()
    void l?.writer.stop()
  }

  /** wipe ends the session and empties the store. This window still leads; renew begins anew. */
  async wipe(l: Leading): Promise<void> {
    l.lead?.stop()
    l.lead = null
    l.cache.close()
    await l.writer.stop()
    try {
      await this.host.store().wipe()
    } catch {
      // It stays as it is until it can be emptied. Whoever logs in here next must not go on with what is in it.
      this.host.useStore(new MemoryStore())
      this.host.storage('refused')
    }
  }

  /** renew begins anew after wipe: the fence went with the rest. */
  async renew(l: Leading): Promise<void> {
    if (this.leading !== l) return
    this.leading = null
    await this.begin()
  }

  private end(): Leading | null {
    const l = this.leading
    this.term++
    this.leading = null
    this.host.ending()
    this.wake()
    return l
  }

  /** fenced: the store belongs to another window. */
  private fenced(writer: Writer): void {
    if (this.leading?.writer !== writer) return
    this.drop()
    const tabs = this.host.tabs()
    tabs.leave()
    if (tabs.way === 'locks') tabs.start()
    else this.host.blocked(true)
  }

  private wake(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const f of waiting) f()
  }
}
