// Shell is one window of a device: it owns the store, finds out which window leads, and either leads (Reign, Lead: core,
// connection, writes) or follows. Every window has a model of its own, fed with the same inputs. Guarantees: what a person asks
// for is kept until the leading window, whichever that is, has it safe in the store; it is made once (uid); the model begins
// with what the store remembers and is corrected from there. When nobody is logged in any more, the store is empty before the
// phase says so. A store that cannot be read ends what this window shows, and leaves what it holds to the next start.
import { Core } from '../core/core.ts'
import { encode } from '../core/ids.ts'
import { bytes } from '../core/rand.ts'
import type { Input, Position, Settled } from '../inner.ts'
import { Model } from '../model/model.ts'
import type { AppState, PeopleState, Phase, Signal } from '../types.ts'
import { App } from './appstate.ts'
import { Attention } from './attention.ts'
import { Changes, givenUp, invalid, uidOf } from './changes.ts'
import { Clock } from './clock.ts'
import { Drafts, draftOf } from './drafts.ts'
import { type Env, Mark } from './env.ts'
import { Errands } from './errands.ts'
import { modelIO } from './modelio.ts'
import { type Shared, type ShellNote, ofAll, ours } from './notes.ts'
import { Notices } from './notices.ts'
import { type Opened, type Remembered, patiently, remembered } from './opening.ts'
import { type Peer, hear } from './peers.ts'
import { Photos } from './photos.ts'
import { Pulse } from './pulse.ts'
import type { Account } from './records.ts'
import { redrawable } from './redraw.ts'
import { type Leading, Reign } from './reign.ts'
import { type Ended, Session } from './session.ts'
import { Sites } from './sites.ts'
import { MemoryStore, type Store } from './store.ts'
import { Tabs, patience } from './tabs.ts'
import { woken } from './wakes.ts'
import type { Wire, Session as WireSession } from './wire.ts'

export interface ShellDeps {
  readonly env: Env
  readonly slot: string
  readonly store: Store
  wire(session: WireSession, sites: Sites): Wire
  schedule(fn: () => void): void
}

export class Shell {
  readonly env: Env
  readonly wire: Wire
  readonly model: Model
  readonly changes: Changes
  readonly photos: Photos
  readonly attention: Attention
  readonly notices: Notices
  readonly drafts: Drafts
  readonly people: Signal<PeopleState>
  readonly app: Signal<AppState>
  readonly session: Session
  readonly errands: Errands
  private readonly sites: Sites
  store: Store
  private readonly own: App
  private readonly clock: Clock
  private readonly tabs: Tabs
  private readonly id: string
  private current: Account | null = null
  /** seen is the largest position that the leader elsewhere has told of. */
  private seen: Position | null = null
  private restored = false
  /** epoch of the server that the model knows the rooms of, 0: of none yet. */
  private epoch = 0
  private phase: Phase = { kind: 'starting' }
  private shared: Shared
  private readonly reign: Reign
  private connection: AppState['connection'] = 'connecting'
  private readonly pulse: Pulse
  private readonly mark: Mark
  /** apart: this window has a store of its own; what is beside the database is not for it. */
  private apart: boolean
  private stopWake: () => void = () => {}

  constructor(deps: ShellDeps) {
    const env = deps.env
    this.env = env
    this.store = deps.store
    this.id = encode(bytes(env.rand, 10))
    this.mark = new Mark(env.rescue, deps.slot)
    this.apart = deps.store.kind === 'memory'
    this.clock = new Clock(env.wall, env.mono)
    this.pulse = new Pulse(env, () => this.reign.lead?.run((core, now) => core.ping(now)))
    this.attention = new Attention(
      env,
      this.id,
      () => this.reign.lead,
      () => this.leads,
      (n) => this.post(n),
    )
    this.shared = { storage: deps.store.kind === 'disk' ? 'ok' : 'refused', server: null }
    this.sites = new Sites(env.origin, env.elsewhere, env.kept)
    this.wire = deps.wire({ token: () => this.current?.token ?? '', over: (token) => this.session.over(token) }, this.sites)
    this.model = new Model(
      modelIO({
        wire: this.wire,
        store: () => this.store,
        me: () => this.current?.user ?? '',
        mustChange: () => this.current?.mustChange ?? false,
        restored: () => this.restored,
        seen: () => (this.reign.lead ? this.reign.lead.seen : this.seen),
        keep: (s) => this.errands.keepCache(s),
        joinedSeq: (room) => this.model.rooms.get().byId.get(room)?.joinedSeq ?? 0,
        // What other windows find out of lines, the model of the leading one finds out itself.
        line: (room) => this.reign.lead?.run((core, now) => core.takeLine(now, room)),
        counted: (room, readSeq, unread) => this.reign.lead?.run((core, now) => core.counted(now, room, readSeq, unread)),
        watch: (room, seq) => this.attention.watch(room, seq),
        unwatch: (room) => this.attention.unwatch(room),
        now: () => this.now(),
        after: env.after,
      }),
      deps.schedule,
    )
    const people = redrawable(this.model.people)
    this.people = people.signal
    this.own = new App(
      { phase: this.phase, blocked: false, connection: 'connecting', since: this.now(), skew: 0, shared: this.shared, sites: this.sites.state, outgrown: false, account: null, leader: false },
      deps.schedule,
      { secure: env.secure, build: env.ownBuild },
      this.model.totals,
      this.model.people,
    )
    this.app = this.own.signal
    this.notices = new Notices((room) => this.attention.sees(room))
    this.photos = new Photos({
      person: (id) => this.model.people.get().byId.get(id),
      stored: async (name) => (await this.store.get('photos', name)) as Uint8Array | undefined,
      fetch: (users) => this.wire.photos(users),
      keep: (photos) => this.errands.keepCache({ photos }),
      loaded: () => people.redraw(),
      after: env.after,
    })
    const left = { slot: deps.slot, rescue: () => (this.apart ? null : env.rescue), owner: () => this.current?.device ?? '' }
    this.drafts = new Drafts({
      ...left,
      now: () => this.now(),
      show: (i) => this.model.input(i),
      write: (w) => this.reign.leading?.writer.write([w], false),
      tell: (room, d) => this.post({ t: 'draft', room, ...d }),
    })
    this.changes = new Changes(
      {
        ...left,
        lead: () => {
          const l = this.reign.leading
          return l?.lead ? { lead: l.lead, writer: l.writer } : null
        },
        leading: () => this.leads,
        loggedIn: () => this.current !== null,
        uid: () => this.uid(),
        standIn: (ask) => {
          const { asks } = this.changes
          const before = asks.id(uidOf(ask))
          const i = asks.standIn(ask, this.now())
          this.apply([i])
          for (const gone of asks.vanish(before)) this.model.input(gone)
          return i.t === 'item' ? i.item.id : i.kept.id
        },
        hand: (no, ask) => this.post({ t: 'ask', no, ask }),
        force: () => this.tabs.want(true),
        after: env.after,
      },
      patience,
    )
    this.reign = new Reign({
      id: this.id,
      after: env.after,
      tabs: () => this.tabs,
      store: () => this.store,
      useStore: (s) => (this.store = s),
      storage: (storage) => {
        this.share({ storage })
        if (storage === 'ok') this.changes.stored()
      },
      began: (o) => this.began(o),
      ending: () => this.own.set({ leader: false }),
      unsafe: (unstored) => this.changes.lost(unstored),
      unreadable: () => this.unreadable(),
      blocked: (blocked) => this.own.set({ blocked }),
    })
    this.errands = new Errands(this.reign, () => this.current !== null, (n) => this.post(n))
    this.session = new Session({
      env,
      wire: this.wire,
      sites: this.sites,
      reign: this.reign,
      changes: this.changes,
      notices: this.notices,
      attention: this.attention,
      now: () => this.now(),
      account: () => this.current,
      setAccount: (a) => this.setAccount(a),
      online: () => this.connection === 'online',
      told: (list) => this.told(list),
      adopt: (list) => this.adopt(list, this.reign.lead?.seen ?? null),
      inside: () => this.setPhase({ kind: 'in' }),
      forget: (ended) => this.forget(ended),
      post: (n) => this.post(n),
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
        lead: () => void this.reign.begin(),
        stop: () => this.reign.stop(),
        robbed: () => this.robbed(),
        // What could not be stored is in memory here, and nowhere else.
        keeps: () => this.shared.storage !== 'ok',
        blocked: () => this.own.set({ blocked: true }),
        note: (n, from) => {
          const note = n as ShellNote
          if (note.seen !== undefined && (peer.leader === from || note.t === 'snapshot' || note.t === 'entered')) this.seen = note.seen
          if (ours(note.by, this.current?.device ?? '') || ofAll.has(note.t)) hear(peer, note, from)
          // One of the two has slept through the end of a session: whoever follows is told how things are.
          else if (this.leads) this.post(this.snapshot(from))
          else this.post({ t: 'join' })
        },
      },
    )
    const peer: Peer = {
      id: this.id,
      leader: '',
      attention: this.attention,
      leads: () => this.leads,
      draft: (room, d) => this.drafts.take(room, d),
      memory: (key, value) => this.errands.takeMemory(key, value),
      taken: (no, ok, stored) => this.taken(no, ok, stored),
      tellState: (to) => this.post(this.snapshot(to)),
      carry: (ask, safe) => {
        const ok = this.changes.carry(ask)
        const writer = this.reign.leading?.writer
        writer?.after(() => safe(ok, writer.unstored.length === 0))
      },
      markRead: (room, seq) => this.errands.markRead(room, seq),
      typing: (room, stopped) => this.errands.typing(room, stopped),
      keepCache: (stored) => this.errands.keepCache(stored),
      over: (token) => this.session.over(token),
      post: (n) => this.post(n),
      follow: (account, inputs, shared) => this.follow(account, inputs, shared ?? this.shared),
      inputs: (list) => {
        if (this.current) this.apply(list)
      },
      share: (shared) => this.share(shared),
      left: (ended) => this.forget(ended),
    }
  }

  now(): number {
    return this.clock.now()
  }

  uid(): string {
    return encode(bytes(this.env.rand, 10))
  }

  get account(): Account | null {
    return this.current
  }

  get ended(): boolean {
    return this.phase.kind === 'ended'
  }

  get leads(): boolean {
    return this.reign.leading !== null
  }

  get unsent(): number {
    return this.reign.lead?.unsent ?? this.changes.asks.unsent
  }

  // Beginning and end.

  /** start shows what the store remembers, then looks for the lead. */
  async start(): Promise<void> {
    // The database could not be opened, and there was one.
    const lost = this.apart && this.mark.there
    const held = lost ? null : await patiently(this.env.after, () => remembered(this.store)).catch(() => null)
    this.stopWake = this.env.wake((why) =>
      woken({ drafts: this.drafts, changes: this.changes, reign: this.reign, tabs: this.tabs, pulse: this.pulse, store: () => this.store, post: (n) => this.post(n) }, why),
    )
    this.pulse.start()
    this.attention.start()
    if (held) {
      this.show(held)
      this.tabs.start()
      if (!this.tabs.leading) this.post({ t: 'join' })
    } else {
      this.unreadable()
    }
    void this.askServer()
  }

  private show(held: Remembered): void {
    for (const [k, v] of held.memory) this.errands.memory.set(String(k), String(v))
    const { account, state } = held
    this.setAccount(account)
    if (!account) {
      return this.forget(null)
    }
    // A core that never goes online tells models what its state adds up to.
    const core = new Core({ sites: this.sites.urls.length, first: this.sites.first, rand: this.env.rand, state })
    core.setAccount(account.user, account.token, state.meta?.device ?? account.device)
    this.adopt(core.snapshot(), core.seen)
    this.drafts.begin(held.drafts)
    this.model.seedPeople(held.people)
    this.changes.revive(state)
    this.setPhase({ kind: 'in' })
  }

  /** unreadable: what the store holds cannot be known, the names that were taken least of all. Nothing may go on from nothing:
   * whoever logs in now does it as another device, in memory, apart from the other windows. What is in the store stays there. */
  private unreadable(): void {
    this.store.close()
    this.store = new MemoryStore()
    this.apart = true
    this.share({ storage: 'refused' })
    this.forget({ unsent: 0, why: 'storage' })
    this.tabs.secede()
  }

  /** close ends this window as a killed page would, but frees the lead. */
  close(): void {
    this.stopWake()
    this.pulse.stop()
    this.attention.stop()
    this.own.stop()
    this.reign.drop()
    this.changes.clear(false)
    this.tabs.close()
    this.store.close()
  }

  // Leading.

  /** began: this window leads, and this is what the store holds. */
  private began(o: Opened): void {
    this.own.set({ leader: true })
    if (o.account) {
      this.change(o.account)
      this.session.begin(o.account, o.state)
      this.drafts.lead(o.drafts)
    } else if (this.current) {
      // Logged out in another window, or the browser has cleared its data: then words may be lost.
      const { unsent } = this
      this.forget(unsent > 0 ? { unsent, why: 'storage' } : null)
    }
    this.changes.begin()
    if (o.account) this.changes.revive(o.state)
    this.post(this.snapshot(''))
  }

  /** asLeader ends when this window leads and knows the account. */
  asLeader(): Promise<Leading> {
    return this.reign.wanted()
  }

  /** change: somebody else is logged in now, and this window missed how the session of before ended. Nothing of that is theirs. */
  private change(to: Account): void {
    if (this.current && this.current.token !== to.token) this.forget(null)
  }

  private forget(ended: Ended | null): void {
    const wipe = ended?.why !== 'storage'
    this.changes.clear(wipe)
    this.errands.memory.clear()
    this.drafts.clear(wipe)
    this.setAccount(null)
    if (wipe && !this.apart) this.mark.set(false)
    this.photos.clear()
    this.notices.clear()
    this.model.clear()
    this.sites.forget()
    this.seen = null
    this.restored = false
    this.epoch = 0
    this.connection = 'connecting'
    this.own.set({ connection: 'connecting', since: this.now(), sites: this.sites.state, outgrown: false })
    this.setPhase(ended ? { kind: 'ended', ...ended } : { kind: 'signedOut' })
  }

  /** robbed: another window took the lead from this one, which may have missed how it began. */
  private robbed(): void {
    this.reign.drop()
    this.post({ t: 'join' })
  }

  takeOver(): void {
    void this.tabs.takeOver()
  }

  // What is told.

  /** told takes what the core tells, for this window and the others. */
  private told(list: readonly Input[]): void {
    this.post({ t: 'inputs', inputs: list })
    this.apply(list)
    const l = this.reign.leading
    if (!l) return
    for (const i of list) {
      if (i.t === 'message') l.cache.add({ rows: [i.message] })
      else if (i.t === 'rolledBack') void l.cache.forgetRows().then(() => l.cache.flush()) // the next page must not find them
      else if (i.t === 'welcomed') void this.askServer()
      else if (i.t === 'rooms') {
        for (const r of i.rooms) if (r.left && r.group) l.cache.forget(r.id)
      }
    }
    this.notices.see(list, this.current?.user ?? '', (room) => this.model.rooms.get().byId.get(room)?.muted ?? false)
  }

  /** apply hands inputs to this window's model and to whoever waits for a verdict. */
  private apply(list: readonly Input[]): void {
    const verdicts: Settled[] = []
    for (const i of list) {
      if (i.t === 'draft') {
        this.drafts.take(i.room, draftOf(i))
        continue
      }
      if (i.t === 'rolledBack') this.restored = true
      if (i.t === 'unkept') this.changes.unkept(this.changes.asks.kept.get(i.id)?.op.uid ?? '')
      else if (i.t === 'kept') this.changes.refused(i.kept)
      for (const before of this.changes.asks.see(i)) this.model.input(before)
      this.model.input(i)
      if (i.t === 'connection') {
        this.connection = i.state
        this.sites.go(i.site, i.state === 'online', this.now())
        this.own.set({ connection: i.state, since: i.since || this.now() })
        this.tellSites()
      } else if (i.t === 'sites') {
        this.sites.tell(i.sites)
        this.tellSites()
      } else if (i.t === 'welcomed') {
        this.epoch = i.position.epoch
        this.own.set({ skew: i.localTime - i.serverTime })
        this.photos.retry()
        this.mustChange(false) // whom the server welcomes has a password
      } else if (i.t === 'mustChange') {
        this.mustChange(true)
      } else if (i.t === 'settled') {
        verdicts.push(i.settled)
        this.changes.safe(i.settled.op.uid)
        this.settled(i.settled)
      }
    }
    for (const v of verdicts) this.changes.asks.answer(v)
  }

  /** tellSites: a list that is only remembered makes nobody load the page again. */
  private tellSites(): void {
    this.own.set({ sites: this.sites.state, outgrown: this.connection === 'online' && this.sites.outgrown })
  }

  /** settled: what a verdict changes beside rooms and people. */
  private settled(s: Settled): void {
    const account = this.current
    if (!account) return
    if (this.changes.orphaned(s)) this.drafts.give(s.op.room ?? s.room, s.op.text ?? '')
    if (!s.ok) return
    if (s.op.kind === 'deleteAccount') void this.session.leave('closed')
    else if (s.op.kind === 'changePassword') this.mustChange(false)
  }

  /** mustChange: a new password must be chosen first, or need not any more. */
  private mustChange(must: boolean): void {
    const account = this.current
    if (!account || account.mustChange === must) return
    this.setAccount({ ...account, mustChange: must })
    this.reign.leading?.writer.write([{ table: 'meta', key: 'account', value: this.current }], true)
  }

  /** adopt takes where things stand, told whole: by the store, by a new leader, by the core. */
  private adopt(inputs: readonly Input[], at: Position | null): void {
    // This window slept while the server was restored.
    if (at && this.epoch !== 0 && at.epoch !== this.epoch) this.apply([{ t: 'rolledBack', cut: null }])
    if (at) this.epoch = at.epoch
    const missing = this.changes.asks.missing(inputs)
    this.apply(inputs)
    for (const i of missing) {
      this.changes.asks.see(i)
      this.model.input(i)
    }
  }

  // Other windows.

  private snapshot(to: string): ShellNote {
    return { t: 'snapshot', to, account: this.current, inputs: [...(this.reign.lead?.snapshot() ?? []), ...this.drafts.inputs()], shared: this.shared }
  }

  private post(n: ShellNote): void {
    const { lead } = this.reign
    this.tabs.post({ ...n, by: this.current?.device ?? '', ...(lead ? { seen: lead.seen } : {}) } as ShellNote)
  }

  /** follow takes over what the leader says, and hands on what no leader has taken. */
  private follow(account: Account | null, inputs: readonly Input[], shared: Shared): void {
    this.share(shared)
    if (!account) {
      if (this.current) this.forget(null)
      return
    }
    this.change(account)
    this.setAccount(account)
    this.adopt(inputs, this.seen)
    this.setPhase({ kind: 'in' })
    this.attention.tell()
    this.drafts.repeat()
    this.changes.handAgain()
  }

  private taken(no: number, ok: boolean, stored: boolean): void {
    const ask = this.changes.asks.taken(no)
    if (!ok && ask?.t === 'replace') this.changes.asks.refuse(ask.next, givenUp)
    if (ask?.t !== 'op' && ask?.t !== 'kept') return
    const uid = uidOf(ask)
    const { asks } = this.changes
    // The leader may have it in memory alone, and may be killed.
    if (!ok || stored) this.changes.safe(uid)
    else if ((ask.t === 'op' ? asks.items : asks.kept).has(asks.id(uid))) this.changes.leaveBehind([ask])
    if (ok) return
    for (const i of asks.withdraw(uid)) this.model.input(i)
    asks.refuse(uid, invalid)
  }

  private async askServer(): Promise<void> {
    try {
      this.share({ server: await this.wire.server() })
    } catch {
      // asked again at the next welcome
    }
  }

  // State of the app.

  private share(change: Partial<Shared>): void {
    this.shared = { ...this.shared, ...change }
    this.own.set({ shared: this.shared })
    if (this.leads) this.post({ t: 'shared', shared: this.shared })
  }

  setPhase(p: Phase): void {
    this.phase = p
    this.own.set({ phase: p })
  }

  private setAccount(a: Account | null): void {
    this.current = a
    if (a && !this.apart) this.mark.set(true)
    this.own.set({ account: a })
  }
}
