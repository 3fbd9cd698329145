// Session is the log-in of this device, from its beginning to its end: run by the leading window, made known to the others. When
// it ends, the store is wiped first, whether the server can be told or not; then every window says how it ended.
import { type State, emptyState } from '../core/record.ts'
import type { Input } from '../inner.ts'
import type { Phase } from '../types.ts'
import type { Attention } from './attention.ts'
import type { Changes } from './changes.ts'
import type { Env } from './env.ts'
import { Lead } from './lead.ts'
import type { Notices } from './notices.ts'
import type { ShellNote } from './notes.ts'
import type { Account } from './records.ts'
import type { Reign } from './reign.ts'
import type { Sites } from './sites.ts'
import type { Write } from './store.ts'
import type { Wire } from './wire.ts'

export type Ended = Omit<Extract<Phase, { kind: 'ended' }>, 'kind'>

/** farewellLimit: how long logging out waits for the server to hear of it. */
export const farewellLimit = 2000

export interface SessionHost {
  readonly env: Env
  readonly wire: Wire
  readonly sites: Sites
  readonly reign: Reign
  readonly changes: Changes
  readonly notices: Notices
  readonly attention: Attention
  now(): number
  account(): Account | null
  setAccount(a: Account | null): void
  online(): boolean
  /** told is what the core tells; adopt takes where things stand. */
  told(list: readonly Input[]): void
  adopt(list: readonly Input[]): void
  /** inside: the person sees the rooms; forget: nobody is logged in any more. */
  inside(): void
  forget(ended: Ended | null): void
  post(n: ShellNote): void
}

export class Session {
  /** leaving: the person is logging out, and what the server says of the session is no news. */
  private leaving = false
  private readonly host: SessionHost

  constructor(host: SessionHost) {
    this.host = host
  }

  /** begin runs the core for an account. */
  begin(account: Account, st: State): void {
    const { host } = this
    const l = host.reign.leading
    if (!l) return
    host.setAccount(account)
    const lead = new Lead(
      {
        wire: host.wire,
        sites: host.sites,
        writer: l.writer,
        now: () => host.now(),
        after: host.env.after,
        rand: host.env.rand,
        inputs: (list) => host.told(list),
        ended: () => this.endedByServer(),
      },
      { ...account, device: st.meta?.device ?? account.device },
      st,
    )
    l.lead = lead
    const begun = lead.snapshot()
    host.notices.begin(begun, host.online())
    host.adopt(begun)
    host.attention.begin()
    lead.goOnline()
    host.inside()
  }

  /** enter begins the session that a log-in has opened; `writes` are made in the same transaction. */
  async enter(account: Account, writes: readonly Write[]): Promise<void> {
    const { reign, post } = this.host
    const l = await reign.wanted()
    await l.writer.save([{ table: 'meta', key: 'account', value: account }, ...writes])
    this.begin(account, emptyState)
    post({ t: 'entered', account, inputs: l.lead?.snapshot() ?? [] })
  }

  /** farewell ends the session at the person's own wish. It does not wait long for the server: what is on this device goes in
   * any case. */
  async farewell(tell: () => Promise<void>): Promise<void> {
    await this.host.reign.wanted()
    if (!this.host.account() || this.leaving) return
    this.leaving = true
    try {
      const told = await new Promise<boolean>((resolve) => {
        const stop = this.host.env.after(farewellLimit, () => resolve(false))
        const over = (ok: boolean) => {
          stop()
          resolve(ok)
        }
        tell().then(
          () => over(true),
          () => over(false),
        )
      })
      await this.host.reign.wanted() // it may have lost the lead meanwhile
      await this.leave(told ? null : 'untold')
    } finally {
      this.leaving = false
    }
  }

  /** over: the server does not know a token any more. */
  over(token: string): void {
    if (token !== this.host.account()?.token) return
    if (this.host.reign.leading) this.endedByServer()
    else this.host.post({ t: 'over', token })
  }

  /** leave ends the session here: everything is wiped, in all windows. why null: the person asked for it. */
  async leave(why: Ended['why'] | null): Promise<void> {
    const { host } = this
    const l = host.reign.leading
    if (!l || !host.account()) return
    const ended: Ended | null = why ? { unsent: why === 'untold' ? 0 : (l.lead?.unsent ?? 0), why } : null
    host.setAccount(null)
    await host.reign.wipe(l)
    host.post({ t: 'left', ended })
    host.forget(ended)
    await host.reign.renew(l)
  }

  private endedByServer(): void {
    if (this.leaving) return
    // The end of the account ends its sessions, and that may be heard before the answer.
    const { asks } = this.host.changes
    const closing = [...asks.items.values()].find((i) => i.op.kind === 'deleteAccount')
    if (closing) asks.answer({ ...closing, ok: true, seq: 0, time: 0, room: '', refused: [], givenUp: false, refusal: null })
    void this.leave(closing ? 'closed' : 'revoked')
  }
}
