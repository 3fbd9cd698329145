// Lead is what the leading window does while somebody is logged in: it drives the core with the socket, the calls, the store
// and the clock, and hands what the core tells to the models of all windows. Outputs are carried out in their order, each
// persist as one transaction; what the caller wants stored together with a change (the cleared draft) goes into the same.
import { Core } from '../core/core.ts'
import type { Output } from '../core/output.ts'
import type { State } from '../core/record.ts'
import type { Input, Named, Op } from '../inner.ts'
import type { Refusal, Site } from '../types.ts'
import { type Account, write } from './records.ts'
import type { Sites } from './sites.ts'
import type { Write } from './store.ts'
import type { Live, Wire } from './wire.ts'
import type { Writer } from './writer.ts'

export interface LeadDeps {
  readonly wire: Wire
  readonly writer: Writer
  now(): number
  after(ms: number, fn: () => void): () => void
  rand(): number
  /** inputs go to the models of all windows, in order. */
  inputs(list: readonly Input[]): void
  /** ended: the server has ended the session. */
  ended(why: Refusal): void
  readonly sites: Sites
}

export class Lead {
  private readonly core: Core
  private readonly deps: LeadDeps
  private readonly sockets = new Map<number, Live>()
  private extra: Write[] = []
  private depth = 0
  private stopTimer: () => void = () => {}
  private wakeAt: number | null = null
  private over = false

  constructor(deps: LeadDeps, account: Account, state: State) {
    this.deps = deps
    this.core = new Core({ sites: deps.sites.urls.length, first: deps.sites.first, rand: deps.rand, state })
    deps.sites.tell(state.sites)
    this.run((core, now) => core.setSites(now, deps.sites.urls.length, deps.sites.dropped))
    this.run((core) => core.setAccount(account.user, account.token, account.device))
  }

  snapshot(): Input[] {
    return this.core.snapshot()
  }

  get unsent(): number {
    return this.core.unsent
  }

  get seen() {
    return this.core.seen
  }

  goOnline(): void {
    this.run((core, now) => core.goOnline(now))
  }

  /** stop closes the connection and makes no more of anything; what the core wanted stored is handed to the writer. */
  stop(): void {
    if (this.over) return
    this.run((core, now) => core.goOffline(now))
    this.over = true
    this.stopTimer()
    for (const s of this.sockets.values()) s.close()
    this.sockets.clear()
  }

  /** run lets the core do something and carries out what follows from it. */
  run<T>(f: (core: Core, now: number) => T): T {
    this.depth++
    let result: T
    try {
      result = f(this.core, this.deps.now())
    } finally {
      this.depth--
    }
    // An output may lead back here (a socket that is refused at once): the outermost call carries out everything.
    if (this.depth === 0 && !this.over) {
      this.depth++
      try {
        for (let out = this.core.take(); out.length > 0; out = this.core.take()) this.carryOut(out)
      } finally {
        this.depth--
      }
      if (this.extra.length > 0) {
        this.deps.writer.write(this.extra, true)
        this.extra = []
      }
      this.schedule()
    }
    return result
  }

  /** submit takes a change; `writes` are made in the transaction that stores it. */
  submit(op: Op, writes: readonly Write[], named: Named | null): number {
    this.extra.push(...writes)
    return this.run((core, now) => core.submit(now, op, named))
  }

  private carryOut(out: readonly Output[]): void {
    const inputs: Input[] = []
    for (const o of out) {
      if (this.over) return
      switch (o.t) {
        case 'persist': {
          const writes = [...o.recs.map(write), ...this.extra]
          this.extra = []
          this.deps.writer.write(writes, o.strict, () => {
            if (!this.over) this.run((core, now) => core.stored(now, o.id))
          })
          break
        }
        case 'input':
          inputs.push(o.input)
          if (o.input.t === 'sites') this.know(o.input.sites)
          break
        case 'open':
          this.open(o.conn, o.site)
          break
        case 'close':
          this.sockets.get(o.conn)?.close()
          this.sockets.delete(o.conn)
          break
        case 'frame':
          this.sockets.get(o.conn)?.write(o.frame)
          break
        case 'call':
          void this.deps.wire.change(o.site, o.op, o.name, o.skip, o.oldDevice).then(({ answer, failure }) =>
            this.answered((core, now) => core.called(now, o.id, answer, failure, !answer && !failure)),
          )
          break
        case 'fetch':
          void this.deps.wire.fetch(o.site, o.request).then(({ answer, failure }) =>
            this.answered((core, now) => core.fetched(now, o.id, answer, failure)),
          )
          break
        case 'renew':
          void this.deps.wire.renew(o.site, o.device).then(({ answer, failure }) =>
            this.answered((core, now) => core.renewed(now, o.id, failure, !answer && !failure)),
          )
          break
        case 'ended':
          if (inputs.length > 0) this.deps.inputs(inputs.splice(0))
          this.deps.ended(o.why)
          break
      }
    }
    if (inputs.length > 0) this.deps.inputs(inputs)
  }

  private answered(f: (core: Core, now: number) => void): void {
    if (!this.over) this.run(f)
  }

  /** know: the system has told of its sites. */
  private know(list: readonly Site[]): void {
    const { sites } = this.deps
    sites.tell(list)
    this.run((core, now) => core.setSites(now, sites.urls.length, sites.dropped))
  }

  private open(conn: number, site: number): void {
    const live = this.deps.wire.connect(site, {
      opened: () => this.answered((core, now) => core.opened(now, conn)),
      frame: (f) => this.answered((core, now) => core.frame(now, conn, f)),
      lost: () => {
        this.sockets.delete(conn)
        this.answered((core, now) => core.lost(now, conn))
      },
    })
    this.sockets.set(conn, live)
  }

  private schedule(): void {
    const at = this.core.nextWake
    if (at === this.wakeAt) return
    this.stopTimer()
    this.wakeAt = at
    this.stopTimer = () => {}
    if (at === null) return
    this.stopTimer = this.deps.after(Math.max(0, at - this.deps.now()), () => {
      this.wakeAt = null
      this.answered((core, now) => core.tick(now))
    })
  }
}
