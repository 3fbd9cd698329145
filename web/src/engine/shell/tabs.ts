// Which window of an account slot leads: it alone runs the core, the connection and the writes. Three ways, the best that
// the browser has:
//   locks   the leader holds the Web Lock `bonghwa:<slot>`; all others queue for it. A killed leader frees it. A hidden
//           leader gives it to a visible window that wants it; one that does not answer loses it (steal).
//   channel no Web Locks (plain http): windows ask each other; one leads, the others are blocked until they take over.
//   alone   neither: every window leads, and the store's fence decides (the one opened last).
// Without locks two windows may begin at once, when messages are late: then the smaller id stays, and begins anew.
// In every way the store refuses the writes of a window that leads no more (store.ts, fence). At most one window leads
// while the browser keeps its promises; no window waits for ever for one that is gone.

/** Note is anything that can be cloned; Tabs adds who sent it. */
export interface Note {
  readonly t: string
}

export interface Channel {
  postMessage(message: unknown): void
  onmessage: ((e: MessageEvent) => void) | null
  close(): void
}

export interface TabsEnv {
  readonly slot: string
  /** id of this window, random. */
  readonly id: string
  readonly locks: Pick<LockManager, 'request'> | null
  readonly channel: Channel | null
  visible(): boolean
  after(ms: number, fn: () => void): () => void
}

export interface TabsEvents {
  /** lead: this window leads from now on. */
  lead(): void
  /** stop ends what a leader does; when the promise ends, another window may lead. */
  stop(): Promise<void>
  /** robbed: another window leads already; stop at once, write nothing. */
  robbed(): void
  /** blocked: another window talks and this one cannot follow (without locks). */
  blocked(): void
  note(note: Note, from: string): void
  /** keeps: this window holds what another would not find in the store; it gives the lead to nobody who only wants it. */
  keeps(): boolean
}

type Own = { readonly t: 'tabs.lead' | 'tabs.want' | 'tabs.force' | 'tabs.here' | 'tabs.who' | 'tabs.take' | 'tabs.bye' }
interface Envelope {
  readonly from: string
  readonly note: Note | Own
}

/** patience with a leader that does not answer. */
export const patience = 3000
const probe = 300
/** refused: the browser gives no lock and says so at once; it is asked again after this, ms. */
const refused = 1000

export class Tabs {
  leading = false
  private readonly env: TabsEnv
  private readonly events: TabsEvents
  private channel: Channel | null
  private open = false
  private release: (() => void) | null = null
  private pending: AbortController | null = null
  /** wanted: a visible window waits behind this one. */
  private wanted = false
  private stealing = false
  private stopPatience: () => void = () => {}
  private stopProbe: () => void = () => {}
  private probing = false
  /** taking: this window takes the lead of another (without locks). */
  private taking = false
  /** waiters for a take-over are told whether it came to it. */
  private waiters: ((leads: boolean) => void)[] = []
  /** round grows with each start: the queue of an earlier one has ended. */
  private round = 0

  constructor(env: TabsEnv, events: TabsEvents) {
    this.env = env
    this.events = events
    this.channel = env.channel
    if (env.channel) env.channel.onmessage = (e) => this.hear(e.data as Envelope)
  }

  get way(): 'locks' | 'channel' | 'alone' {
    if (!this.channel) return 'alone'
    return this.env.locks ? 'locks' : 'channel'
  }

  /** start looks for the lead. */
  start(): void {
    if (this.open) return
    this.open = true
    switch (this.way) {
      case 'locks':
        void this.queue(++this.round)
        if (this.env.visible()) this.want()
        break
      case 'channel':
        this.ask()
        break
      case 'alone':
        this.begin()
    }
  }

  /** leave gives up the lead and the wish for it: the page is going away, or the lead was lost by the fence. */
  leave(): void {
    if (!this.open) return
    this.open = false
    this.stopPatience()
    this.stopProbe()
    this.probing = false
    this.taking = false
    const was = this.leading
    this.leading = false
    if (was && this.way === 'channel') this.post({ t: 'tabs.bye' })
    this.release?.()
    this.release = null
    this.pending?.abort()
    this.answer(false)
  }

  /** secede: this window has another store than the others from now on, and leads by itself. */
  secede(): void {
    this.leave()
    this.round++
    this.channel?.close()
    this.channel = null
    this.start()
  }

  close(): void {
    this.leave()
    this.channel?.close()
  }

  /** want asks a hidden leader for the lead; force asks any. */
  want(force = false): void {
    if (this.leading || !this.open) return
    if (this.way !== 'locks') return
    this.post({ t: force ? 'tabs.force' : 'tabs.want' })
    this.stopPatience()
    this.stopPatience = this.env.after(patience, () => {
      if (this.leading || !this.open) return
      this.stealing = true
      this.pending?.abort()
    })
  }

  /** shown: this window became visible. It wants the lead, or looks whether the window that blocked it is still there. */
  shown(): void {
    if (this.way === 'locks') this.want()
    else if (!this.open && this.way === 'channel') {
      this.open = true
      this.ask()
    }
  }

  /** takeOver makes this window lead; the promise ends with true when it does, with false when another window has taken it or
   * this one is left. */
  takeOver(): Promise<boolean> {
    if (this.leading) return Promise.resolve(true)
    const done = new Promise<boolean>((resolve) => this.waiters.push(resolve))
    if (this.way === 'locks') {
      if (!this.open) this.start()
      this.want(true)
    } else {
      this.open = true
      this.probing = false
      this.taking = true
      this.stopProbe()
      this.post({ t: 'tabs.take' })
      this.stopProbe = this.env.after(probe, () => this.begin())
    }
    return done
  }

  post(note: Note | Own): void {
    this.channel?.postMessage({ from: this.env.id, note } satisfies Envelope)
  }

  private begin(): void {
    this.leading = true
    this.probing = false
    this.taking = false
    this.wanted = false
    this.stopPatience()
    this.stopProbe()
    this.post({ t: 'tabs.lead' })
    this.events.lead()
    this.answer(true)
  }

  private answer(leads: boolean): void {
    const w = this.waiters
    this.waiters = []
    for (const f of w) f(leads)
  }

  /** queue holds the lock whenever it is granted, and queues anew after giving it away. */
  private async queue(round: number): Promise<void> {
    const locks = this.env.locks
    const current = (): boolean => this.open && round === this.round
    const hold = async (): Promise<void> => {
      if (!current()) return
      if (this.wanted && !this.env.visible()) {
        this.wanted = false
        return
      }
      const released = new Promise<void>((resolve) => (this.release = resolve))
      this.begin()
      await released
    }
    while (current() && locks) {
      const pending = new AbortController()
      this.pending = pending
      const steal = this.stealing
      this.stealing = false
      try {
        await locks.request(`bonghwa:${this.env.slot}`, steal ? { steal: true } : { signal: pending.signal }, hold)
      } catch {
        // Aborted to ask in another way, or the lock was stolen from this window.
        if (this.leading && current()) {
          this.leading = false
          this.release = null
          this.events.robbed()
        } else if (!pending.signal.aborted && !steal) {
          // Refused out of hand, as by WebKit in a page that is being left: it must not be asked without pause.
          await new Promise<void>((resolve) => this.env.after(refused, resolve))
        }
      }
    }
  }

  private async giveAway(): Promise<void> {
    if (!this.leading) return
    this.leading = false
    await this.events.stop()
    this.release?.()
    this.release = null
  }

  private ask(): void {
    this.probing = true
    this.post({ t: 'tabs.who' })
    this.stopProbe = this.env.after(probe, () => {
      if (this.probing) this.begin()
    })
  }

  private block(): void {
    this.probing = false
    this.taking = false
    this.stopProbe()
    this.open = false
    this.events.blocked()
    this.answer(false)
  }

  private hear(e: Envelope): void {
    if (e === null || typeof e !== 'object' || typeof e.from !== 'string' || e.from === this.env.id) return
    switch (e.note.t) {
      case 'tabs.lead':
        this.stopPatience()
        if (this.way === 'channel') {
          // Both began at once. The store may be the other's: who stays takes over like anybody else.
          if (this.leading) void this.giveAway().then(() => (this.env.id < e.from ? void this.takeOver() : this.block()))
          else if (this.open && !this.taking) this.block()
          return
        }
        // A hidden window got the lead before this visible one.
        if (this.open && !this.leading && this.env.visible()) this.want(this.waiters.length > 0)
        return
      case 'tabs.want':
        if (!this.leading) this.wanted = true
        else if (this.env.visible() || this.events.keeps()) this.post({ t: 'tabs.here' })
        else void this.giveAway()
        return
      case 'tabs.force':
        if (this.leading) void this.giveAway()
        return
      case 'tabs.here':
        if (this.way === 'locks') this.stopPatience()
        else if (this.probing) this.block()
        return
      case 'tabs.who':
        if (this.leading || (this.probing && this.env.id < e.from)) this.post({ t: 'tabs.here' })
        return
      case 'tabs.take':
        if (this.leading) {
          void this.giveAway().then(() => {
            this.post({ t: 'tabs.bye' })
            this.block()
          })
        } else if (this.taking && this.env.id < e.from) {
          // Two at once: the smaller id has it. The other one may have begun only after it heard of this.
          this.post({ t: 'tabs.take' })
        } else if (this.taking || this.probing) this.block()
        return
      case 'tabs.bye':
        // The leader is gone. Whoever takes over begins; a blocked window looks again.
        if (this.taking) this.begin()
        else if (!this.open && this.way === 'channel' && this.env.visible()) {
          this.open = true
          this.ask()
        }
        return
      default:
        this.events.note(e.note, e.from)
    }
  }
}
