// Shell is one window of a device: it owns the store, finds out which window leads, and either leads (Lead: core, connection,
// writes) or follows. Every window has a model of its own, fed with the same inputs. Guarantees: what a person asks for is
// kept until the leading window, whichever that is, has it safe in the store; it is made once (uid); the model begins with
// what the store remembers and is corrected from there. When nobody is logged in any more, the store is empty before the
// phase says so.
import { Core } from '../core/core.ts'
import { encode } from '../core/ids.ts'
import { bytes } from '../core/rand.ts'
import type { Input, ModelIO, Op, Settled } from '../inner.ts'
import { Model } from '../model/model.ts'
import type { Seed } from '../model/people.ts'
import { Source, Ticker } from '../model/signal.ts'
import type { AppState, Notice, PeopleState, Person, Phase, Refusal, Signal } from '../types.ts'
import { RefusedError } from '../types.ts'
import { Asks } from './asks.ts'
import { Cache, type Stored, cachedRows, folded } from './cache.ts'
import { Clock } from './clock.ts'
import type { Env, Wake } from './env.ts'
import { Lead } from './lead.ts'
import type { Ask, Shared, ShellNote } from './notes.ts'
import { Notices } from './notices.ts'
import { Photos } from './photos.ts'
import { type Account, state } from './records.ts'
import { Sight } from './sight.ts'
import { MemoryStore, type Store, type Write } from './store.ts'
import { Tabs, patience } from './tabs.ts'
import type { Session, Wire } from './wire.ts'
import { Writer } from './writer.ts'

export const signedOut: Refusal = { reason: 'signed_out', subject: '', retryAfterMs: 0, fields: [] }
const sleepCheck = 5000
const retryWrites = 5000

/** Leading is what only the leading window has. */
interface Leading {
  readonly writer: Writer
  readonly cache: Cache
  readonly fence: string
  lead: Lead | null
}

export interface ShellDeps {
  readonly env: Env
  readonly slot: string
  readonly store: Store
  wire(session: Session): Wire
  schedule(fn: () => void): void
}

export class Shell {
  readonly env: Env
  readonly wire: Wire
  readonly model: Model
  readonly asks = new Asks()
  readonly photos: Photos
  readonly notices: Notices
  readonly memory = new Map<string, string>()
  readonly app: Source<AppState>
  readonly people: Signal<PeopleState>
  store: Store
  account: Account | null = null
  private readonly clock: Clock
  private readonly tabs: Tabs
  private readonly ticker: Ticker
  private readonly sight = new Sight()
  private readonly id: string
  private leading: Leading | null = null
  private term = 0
  private ready: (() => void)[] = []
  private phase: Phase = { kind: 'starting' }
  private blocked = false
  private connection: AppState['connection'] = 'connecting'
  private since: number
  private skew = 0
  private shared: Shared
  private shownApp: AppState | null = null
  private views: readonly string[] = []
  private active = false
  /** unsafe: asks that the writer has not stored yet. */
  private readonly unsafe = new Map<number, Ask>()
  private nextUnsafe = 1
  private stopNag: () => void = () => {}
  private stopCheck: () => void = () => {}
  private readonly stops: (() => void)[] = []
  private lastCheck: number
  private lastPing = 0

  constructor(deps: ShellDeps) {
    const env = deps.env
    this.env = env
    this.store = deps.store
    this.id = encode(bytes(env.rand, 10))
    this.clock = new Clock(env.wall, env.mono)
    this.since = this.now()
    this.lastCheck = env.wall()
    this.shared = { storage: deps.store.kind === 'disk' ? 'ok' : 'refused', server: null }
    this.wire = deps.wire({ token: () => this.account?.token ?? '', over: (token) => this.over(token) })
    this.ticker = new Ticker(deps.schedule)
    this.model = new Model(this.io(), deps.schedule)
    this.notices = new Notices((room) => this.sight.sees(room))
    this.app = new Source(this.ticker, () => this.makeApp())
    this.stops.push(this.model.totals.subscribe(() => this.app.touch()), this.model.people.subscribe(() => this.app.touch()))
    const redrawn = redrawable(this.model.people)
    this.people = redrawn.signal
    this.photos = new Photos({
      person: (id) => this.model.people.get().byId.get(id),
      stored: async (name) => (await this.store.get('photos', name)) as Uint8Array | undefined,
      fetch: (users) => this.wire.photos(users),
      keep: (photos) => this.keepCache({ photos }),
      loaded: () => redrawn.redraw(),
      after: env.after,
    })
    // A store in memory is this window's alone, and so is its device.
    const shareable = deps.store.kind === 'disk'
    this.tabs = new Tabs(
      {
        slot: deps.slot,
        id: this.id,
        locks: shareable ? env.locks : null,
        channel: shareable ? env.channel(`bonghwa:${deps.slot}`) : null,
        visible: () => env.visible(),
        after: env.after,
      },
      {
        lead: () => void this.lead(),
        stop: () => this.stopLeading(),
        robbed: () => this.dropLead(),
        blocked: () => this.setBlocked(true),
        note: (n, from) => this.note(n as ShellNote, from),
      },
    )
  }

  now(): number {
    return this.clock.now()
  }

  uid(): string {
    return encode(bytes(this.env.rand, 10))
  }

  // Beginning and end.

  /** start shows what the store remembers, then looks for the lead. */
  async start(): Promise<void> {
    const [account, st, drafts, memory, seed] = await Promise.all([
      this.store.get('meta', 'account'),
      state(this.store),
      this.store.entries('drafts'),
      this.store.entries('memory'),
      this.seed(),
    ])
    for (const [k, v] of memory) this.memory.set(String(k), String(v))
    const known = (account as Account | undefined) ?? null
    if (known) {
      this.account = known
      // A core that never goes online tells models what its state adds up to.
      const core = new Core({ sites: 1, rand: this.env.rand, state: st })
      core.setAccount(known.user, known.token, st.meta?.device ?? known.device)
      this.adopt(core.snapshot())
      for (const [room, text] of drafts) this.model.input({ t: 'draft', room: String(room), text: String(text) })
      this.model.seedPeople(seed)
      this.setPhase({ kind: 'in' })
    } else {
      this.setPhase({ kind: 'signedOut' })
    }
    this.stops.push(this.env.wake((why) => this.wake(why)))
    this.check()
    this.tabs.start()
    if (!this.tabs.leading) this.join()
    void this.askServer()
  }

  close(): void {
    for (const f of this.stops) f()
    this.stopCheck()
    this.stopNag()
    this.dropLead()
    this.tabs.close()
    this.store.close()
  }

  private async seed(): Promise<Seed> {
    const [people, friends, addedMe, blocked] = await Promise.all([
      this.store.entries('people'),
      this.store.get('meta', 'list.friends'),
      this.store.get('meta', 'list.addedMe'),
      this.store.get('meta', 'list.blocked'),
    ])
    return {
      people: people.map(([, p]) => p as Person),
      friends: (friends as readonly string[] | undefined) ?? null,
      addedMe: (addedMe as readonly string[] | undefined) ?? [],
      blocked: (blocked as readonly string[] | undefined) ?? null,
    }
  }

  // Leading.

  private async lead(): Promise<void> {
    const term = ++this.term
    const fence = `${this.id}.${term}`
    this.setBlocked(false)
    try {
      await this.store.claim(fence)
    } catch {
      // Nothing can be written at all: go on in memory, with what can still be read.
      const copy = new MemoryStore()
      for (const table of ['meta', 'items', 'counters', 'kept', 'done', 'lines', 'drafts'] as const) {
        await copy.write((await this.store.entries(table)).map(([key, value]) => ({ table, key, value })))
      }
      await copy.claim(fence)
      this.store = copy
      this.share({ storage: 'refused' })
    }
    const [account, st] = await Promise.all([this.store.get('meta', 'account'), state(this.store)])
    if (term !== this.term || !this.tabs.leading) return
    const writer = new Writer(
      this.store,
      fence,
      (ok) => this.wrote(ok),
      () => this.fenced(),
    )
    this.leading = { writer, cache: new Cache(this.store, fence, this.env.after), fence, lead: null }
    this.account = (account as Account | undefined) ?? null
    if (this.account) this.beginSession(this.account, st)
    else if (this.phase.kind === 'in') this.forget(null)
    this.app.touch()
    for (const ask of this.asks.takeBack()) this.carry(ask)
    this.post(this.snapshot(''))
    const ready = this.ready
    this.ready = []
    for (const f of ready) f()
  }

  /** asLeader ends when this window leads and knows the account. */
  async asLeader(): Promise<Leading> {
    while (!this.leading) {
      const ready = new Promise<void>((resolve) => this.ready.push(resolve))
      await this.tabs.takeOver()
      await ready
    }
    return this.leading
  }

  /** beginSession runs the core for an account. */
  private beginSession(account: Account, st: Awaited<ReturnType<typeof state>>): void {
    const l = this.leading
    if (!l) return
    const lead = new Lead(
      {
        wire: this.wire,
        writer: l.writer,
        now: () => this.now(),
        after: this.env.after,
        rand: this.env.rand,
        inputs: (list) => this.told(list),
        ended: () => void this.leave('revoked'),
      },
      { ...account, device: st.meta?.device ?? account.device },
      st,
    )
    l.lead = lead
    const begun = lead.snapshot()
    this.notices.begin(begun, this.connection === 'online')
    this.adopt(begun)
    this.sight.set(this.id, this.views, this.active)
    lead.run((core, now) => core.view(now, this.sight.rooms))
    lead.goOnline()
    this.setPhase({ kind: 'in' })
  }

  /** enter begins the session that a log-in has opened; `writes` are made in the same transaction. */
  async enter(account: Account, writes: readonly Write[]): Promise<void> {
    const l = await this.asLeader()
    await new Promise<void>((resolve) => l.writer.write([{ table: 'meta', key: 'account', value: account }, ...writes], true, resolve))
    this.account = account
    this.beginSession(account, { meta: null, items: [], counters: [], kept: [], done: [], rooms: [], seen: null })
    this.post({ t: 'entered', account, inputs: l.lead?.snapshot() ?? [] })
  }

  /** leave ends the session here: everything is wiped, in all windows. why null: the person asked for it. */
  async leave(why: 'revoked' | 'closed' | 'password' | null): Promise<void> {
    const l = this.leading
    if (!l || !this.account) return
    const unsent = l.lead?.unsent ?? 0
    this.account = null
    l.lead?.stop()
    l.lead = null
    l.cache.close()
    await l.writer.stop()
    await this.store.wipe().catch(() => undefined)
    const ended = why ? { unsent, why } : null
    this.post({ t: 'left', ended })
    this.forget(ended)
    // The fence went with the rest: begin anew.
    if (this.leading === l) {
      this.leading = null
      await this.lead()
    }
  }

  private forget(ended: { readonly unsent: number; readonly why: 'revoked' | 'closed' | 'password' } | null): void {
    this.account = null
    this.asks.clear()
    this.memory.clear()
    this.photos.clear()
    this.notices.clear()
    this.model.clear()
    this.connection = 'connecting'
    this.since = this.now()
    this.setPhase(ended ? { kind: 'ended', ...ended } : { kind: 'signedOut' })
  }

  /** stopLeading hands everything over: when it ends, another window finds all of it in the store. */
  private async stopLeading(): Promise<void> {
    const l = this.leading
    this.term++
    this.leading = null
    this.app.touch()
    if (!l) return
    l.lead?.stop()
    await l.cache.flush()
    l.cache.close()
    await l.writer.stop()
  }

  /** dropLead ends leading without a word: somebody else leads already. What is not safe yet is handed to whoever leads. */
  private dropLead(): void {
    const l = this.leading
    for (const ask of this.unsafe.values()) this.asks.hand(ask)
    this.unsafe.clear()
    this.term++
    this.leading = null
    l?.lead?.stop()
    l?.cache.close()
    void l?.writer.stop()
    this.app.touch()
  }

  private fenced(): void {
    this.dropLead()
    this.tabs.leave()
    if (this.tabs.way === 'locks') this.tabs.start()
    else this.setBlocked(true)
  }

  takeOver(): void {
    if (this.blocked) void this.tabs.takeOver()
  }

  private wrote(ok: boolean): void {
    this.share({ storage: ok ? 'ok' : 'full' })
    if (!ok) this.retryLater()
  }

  private retryLater(): void {
    this.env.after(retryWrites, () => {
      const l = this.leading
      if (!l || this.shared.storage !== 'full') return
      l.writer.retry()
      this.retryLater()
    })
  }

  // What is told.

  /** told takes what the core tells, for this window and the others. */
  private told(list: readonly Input[]): void {
    this.post({ t: 'inputs', inputs: list })
    this.apply(list)
    const l = this.leading
    if (!l) return
    for (const i of list) {
      if (i.t === 'message') l.cache.add({ rows: [i.message] })
      else if (i.t === 'rolledBack') void l.cache.forgetRows()
      else if (i.t === 'welcomed') {
        this.photos.retry()
        void this.askServer()
      } else if (i.t === 'rooms') for (const r of i.rooms) if (r.left && r.group) l.cache.forget(r.id)
    }
    this.notices.see(list, this.account?.user ?? '', (room) => this.model.rooms.get().byId.get(room)?.muted ?? false)
  }

  onNotice(fn: (n: Notice) => void): () => void {
    return this.notices.listen(fn)
  }

  /** apply hands inputs to this window's model and to whoever waits for a verdict. */
  private apply(list: readonly Input[]): void {
    const verdicts: Settled[] = []
    for (const i of list) {
      for (const before of this.asks.see(i)) this.model.input(before)
      this.model.input(i)
      if (i.t === 'connection') {
        this.connection = i.state
        this.since = i.since
        this.app.touch()
      } else if (i.t === 'welcomed') {
        this.skew = i.localTime - i.serverTime
        this.app.touch()
      } else if (i.t === 'settled') {
        verdicts.push(i.settled)
        this.settled(i.settled)
      }
    }
    for (const v of verdicts) this.asks.answer(v)
  }

  private settled(s: Settled): void {
    const l = this.leading
    if (!l || !s.ok || !this.account) return
    if (s.op.kind === 'deleteAccount') void this.leave('closed')
    else if (s.op.kind === 'changePassword' && this.account.mustChange) {
      this.account = { ...this.account, mustChange: false }
      l.writer.write([{ table: 'meta', key: 'account', value: this.account }], true)
      this.app.touch()
    }
  }

  /** adopt takes where things stand, told whole: by the store, by a new leader, by the core. */
  private adopt(inputs: readonly Input[]): void {
    const missing = this.asks.missing(inputs)
    this.apply(inputs)
    for (const i of missing) {
      this.asks.see(i)
      this.model.input(i)
    }
  }

  // What is asked for.

  /** submit takes a change; `writes` are stored with it. Returns the item's id; a stand-in's while another window leads. */
  submit(op: Op, writes: readonly Write[] = []): number {
    if (!this.account) return 0
    const lead = this.leading?.lead
    if (lead) return this.put(lead, { t: 'op', op, writes })
    const standIn = this.asks.standIn(op, this.now())
    this.apply([standIn])
    this.ask({ t: 'op', op, writes })
    return standIn.item.id
  }

  /** change takes a change and waits for its verdict. */
  change(op: Omit<Op, 'uid'>, writes: readonly Write[] = []): Promise<Settled> {
    if (!this.account) return Promise.reject(new RefusedError(signedOut))
    const whole: Op = { ...op, uid: this.uid() }
    const verdict = this.asks.wait(whole.uid)
    if (this.submit(whole, writes) === 0) this.asks.refuse(whole.uid, { ...signedOut, reason: 'invalid' })
    return verdict
  }

  /** ask has the leader do something about an item. */
  ask(ask: Ask): void {
    if (this.leading) {
      this.carry(ask)
      return
    }
    const no = this.asks.hand(ask)
    this.post({ t: 'ask', no, ask })
    this.nag()
  }

  /** nag: a leader that takes nothing for a while is asked for the lead. */
  private nag(): void {
    this.stopNag()
    this.stopNag = this.env.after(patience, () => {
      if (this.leading || this.asks.open.length === 0) return
      this.tabs.want(true)
      this.nag()
    })
  }

  /** carry does what was asked, in the leading window; false: it cannot be done. */
  private carry(ask: Ask): boolean {
    const lead = this.leading?.lead
    if (!lead) return false
    if (ask.t === 'op') return this.put(lead, ask) !== 0
    const id = this.asks.id(ask.uid)
    lead.run((core, now) => {
      switch (ask.t) {
        case 'giveUp':
          core.giveUp(now, id)
          break
        case 'replace':
          core.replace(now, id, ask.text)
          break
        case 'discard':
          core.discard(id)
          break
        case 'resend':
          core.resend(now, id)
          break
      }
    })
    return true
  }

  /** put hands an op to the core; until it is stored, it goes to the next leader if this window loses the lead. */
  private put(lead: Lead, ask: Ask & { t: 'op' }): number {
    const no = this.nextUnsafe++
    this.unsafe.set(no, ask)
    const id = lead.submit(ask.op, ask.writes)
    this.leading?.writer.write([], false, () => this.unsafe.delete(no))
    return id
  }

  view(rooms: readonly string[], active: boolean): void {
    this.views = rooms
    this.active = active
    this.sight.set(this.id, rooms, active)
    if (this.leading) this.look()
    else this.post({ t: 'view', rooms, active })
  }

  private look(): void {
    this.leading?.lead?.run((core, now) => core.view(now, this.sight.rooms))
  }

  get viewing(): readonly string[] {
    return this.views
  }

  markRead(room: string, seq: number): void {
    const lead = this.leading?.lead
    if (lead) lead.run((core, now) => core.markRead(now, room, seq))
    else this.post({ t: 'read', room, seq })
  }

  typing(room: string, stopped: boolean): void {
    const lead = this.leading?.lead
    if (lead) lead.run((core) => core.typing(room, stopped))
    else this.post({ t: 'typing', room, stopped })
  }

  /** draft keeps a text that is being written. */
  draft(room: string, text: string): void {
    if (!this.account) return
    this.model.input({ t: 'draft', room, text })
    this.post({ t: 'draft', room, text })
    this.storeDraft(room, text)
  }

  private storeDraft(room: string, text: string): void {
    this.leading?.writer.write([{ table: 'drafts', key: room, ...(text ? { value: text } : {}) }], false)
  }

  /** remember keeps a small value on this device. */
  remember(key: string, value: string): void {
    if (!this.account) return
    this.memory.set(key, value)
    this.post({ t: 'memory', key, value })
    this.leading?.writer.write([{ table: 'memory', key, value }], false)
  }

  keepCache(stored: Stored): void {
    if (!this.account) return
    if (this.leading) this.leading.cache.add(stored)
    else this.post({ t: 'cache', stored })
  }

  get unsent(): number {
    return this.leading?.lead?.unsent ?? this.asks.unsent
  }

  // Other windows.

  private join(): void {
    if (!this.tabs.leading) this.post({ t: 'join' })
  }

  private snapshot(to: string): ShellNote {
    return { t: 'snapshot', to, account: this.account, inputs: this.leading?.lead?.snapshot() ?? [], shared: this.shared }
  }

  private post(n: ShellNote): void {
    this.tabs.post(n)
  }

  private note(n: ShellNote, from: string): void {
    switch (n.t) {
      case 'join':
        // A window that only begins to lead tells everybody when it knows where things stand.
        if (this.leading) this.post(this.snapshot(from))
        return
      case 'snapshot':
        if ((n.to === this.id || n.to === '') && !this.leading) this.follow(n.account, n.inputs, n.shared)
        return
      case 'inputs':
        if (!this.leading && this.account) this.apply(n.inputs)
        return
      case 'shared':
        if (this.leading) return
        this.shared = n.shared
        this.app.touch()
        return
      case 'ask': {
        const l = this.leading
        if (!l) return
        const ok = this.carry(n.ask)
        // Queued behind what the core has just handed to the writer: safe when this is.
        l.writer.write([], false, () => this.post({ t: 'taken', to: from, no: n.no, ok }))
        return
      }
      case 'taken': {
        if (n.to !== this.id) return
        const ask = this.asks.taken(n.no)
        if (n.ok || ask?.t !== 'op') return
        for (const i of this.asks.withdraw(ask.op.uid)) this.model.input(i)
        this.asks.refuse(ask.op.uid, { ...signedOut, reason: 'invalid' })
        return
      }
      case 'view':
        this.sight.set(from, n.rooms, n.active)
        this.look()
        return
      case 'gone':
        this.sight.gone(from)
        this.look()
        return
      case 'read':
        if (this.leading) this.markRead(n.room, n.seq)
        return
      case 'typing':
        if (this.leading) this.typing(n.room, n.stopped)
        return
      case 'draft':
        if (!this.account) return
        this.model.input({ t: 'draft', room: n.room, text: n.text })
        this.storeDraft(n.room, n.text)
        return
      case 'memory':
        if (!this.account) return
        this.memory.set(n.key, n.value)
        this.leading?.writer.write([{ table: 'memory', key: n.key, value: n.value }], false)
        return
      case 'cache':
        if (this.leading && this.account) this.leading.cache.add(n.stored)
        return
      case 'over':
        this.over(n.token)
        return
      case 'entered':
        if (!this.leading) this.follow(n.account, n.inputs, this.shared)
        return
      case 'left':
        if (!this.leading) this.forget(n.ended)
        return
    }
  }

  /** follow takes over what the leader says, and hands on what no leader has taken. */
  private follow(account: Account | null, inputs: readonly Input[], shared: Shared): void {
    this.shared = shared
    if (account) {
      this.account = account
      this.adopt(inputs)
      this.setPhase({ kind: 'in' })
      this.post({ t: 'view', rooms: this.views, active: this.active })
      for (const [no, ask] of this.asks.open) this.post({ t: 'ask', no, ask })
    } else if (this.account) {
      this.forget(null)
    }
    this.app.touch()
  }

  /** over: the server does not know a token any more. */
  private over(token: string): void {
    if (token !== this.account?.token) return
    if (this.leading) void this.leave('revoked')
    else this.post({ t: 'over', token })
  }

  // Time and network.

  private wake(why: Wake): void {
    switch (why) {
      case 'hide':
        // The page ends, and with it the lock and the connection. Until then what others on this page still want is stored.
        this.post({ t: 'gone' })
        if (this.tabs.way === 'channel') this.tabs.leave()
        return
      case 'frozen':
        this.post({ t: 'gone' })
        this.dropLead()
        this.tabs.leave()
        return
      case 'thawed':
        this.tabs.start()
        this.join()
        return
      case 'hidden':
        return
      case 'visible':
        this.tabs.shown()
        this.ping()
        return
      default:
        this.ping()
    }
  }

  private ping(): void {
    const now = this.now()
    if (now - this.lastPing < 1000) return
    this.lastPing = now
    this.leading?.lead?.run((core, at) => core.ping(at))
  }

  /** check notices that the machine slept: a timer came much later than it was set for. */
  private check(): void {
    this.stopCheck = this.env.after(sleepCheck, () => {
      const late = this.env.wall() - this.lastCheck - sleepCheck
      this.lastCheck = this.env.wall()
      // The timers of a hidden window come once a minute.
      if (late > (this.env.visible() ? 10_000 : 75_000)) this.ping()
      this.check()
    })
  }

  private async askServer(): Promise<void> {
    try {
      this.share({ server: await this.wire.server() })
    } catch {
      // asked again at the next welcome
    }
  }

  // State of the app.

  share(change: Partial<Shared>): void {
    this.shared = { ...this.shared, ...change }
    if (this.leading) this.post({ t: 'shared', shared: this.shared })
    this.app.touch()
  }

  setPhase(p: Phase): void {
    this.phase = p
    this.app.touch()
  }

  get ended(): boolean {
    return this.phase.kind === 'ended'
  }

  private setBlocked(on: boolean): void {
    this.blocked = on
    this.app.touch()
  }

  private makeApp(): AppState {
    const me = this.account ? (this.model.people.get().byId.get(this.account.user) ?? null) : null
    const { server, storage } = this.shared
    const next: AppState = {
      phase: this.blocked ? { kind: 'otherWindow' } : this.phase,
      connection: this.connection,
      since: this.since,
      me,
      mustChangePassword: this.account?.mustChange ?? false,
      storage,
      leader: this.leading !== null,
      secure: this.env.secure,
      skew: this.skew,
      newBuild: this.env.ownBuild !== '' && server !== null && server.webBuild !== '' && server.webBuild !== this.env.ownBuild,
      server,
      ...this.model.totals.get(),
    }
    const was = this.shownApp
    if (was && was.phase.kind === next.phase.kind && next.phase.kind === 'otherWindow') Object.assign(next, { phase: was.phase })
    const same = was !== null && (Object.keys(next) as (keyof AppState)[]).every((k) => was[k] === next[k])
    if (!same) this.shownApp = next
    return same && was ? was : next
  }

  /** io is how the model reads more. */
  private io(): ModelIO {
    const people = (list: readonly Person[]): readonly Person[] => {
      this.keepCache({ people: list })
      return list
    }
    const listed = (name: string) => (list: readonly Person[]): readonly Person[] => {
      this.keepCache({ people: list, lists: { [name]: list.map((p) => p.id) } })
      return list
    }
    return {
      history: async (room, from, backward, limit) => {
        const page = await this.wire.history({ room, from, backward, limit, atLeast: this.leading?.lead?.seen ?? null })
        if (page.messages.at(-1)?.seq === page.lastSeq) this.keepCache({ rows: page.messages })
        return page
      },
      members: (room) => this.wire.members(room),
      room: (id) => this.wire.room(id),
      users: async (ids) => people(await this.wire.users(ids)),
      friends: async () => listed('friends')(await this.wire.friends()),
      addedMe: async () => listed('addedMe')(await this.wire.addedMe()),
      blocked: async () => {
        const blocked = await this.wire.blocked()
        this.keepCache({ lists: { blocked } })
        return blocked
      },
      presence: (ids) => this.wire.presence(ids),
      cached: async (room) => {
        const rows = folded(await cachedRows(this.store, room), this.account?.user ?? '')
        const joined = this.model.rooms.get().byId.get(room)?.joinedSeq ?? 0
        return rows.filter((m) => m.seq >= joined)
      },
      now: () => this.now(),
      after: this.env.after,
    }
  }
}

/** redrawable is a signal that can be made to tell again what it told, as a new object. */
function redrawable<T extends object>(inner: Signal<T>): { readonly signal: Signal<T>; redraw(): void } {
  const subscribers = new Set<() => void>()
  let shown = inner.get()
  let copy = shown
  return {
    signal: {
      get() {
        const now = inner.get()
        if (now !== shown) {
          shown = now
          copy = now
        }
        return copy
      },
      subscribe(fn) {
        const own = () => fn()
        subscribers.add(own)
        const stop = inner.subscribe(own)
        return () => {
          subscribers.delete(own)
          stop()
        }
      },
    },
    redraw() {
      shown = inner.get()
      copy = { ...shown }
      for (const fn of [...subscribers]) fn()
    },
  }
}
