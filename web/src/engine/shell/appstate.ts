// AppState of this window, made of what the shell knows and of the model's totals. A snapshot in which nothing changed is the
// same object.
import type { Totals } from '../model/model.ts'
import { type Schedule, Source, Ticker } from '../model/signal.ts'
import type { AppState, PeopleState, Phase, Signal, Sites } from '../types.ts'
import type { Shared } from './notes.ts'
import type { Account } from './records.ts'

const otherWindow: Phase = { kind: 'otherWindow' }

export interface AppParts {
  phase: Phase
  /** blocked: another window talks and this one cannot follow. */
  blocked: boolean
  connection: AppState['connection']
  since: number
  skew: number
  shared: Shared
  sites: Sites
  /** outgrown: the system has sites that this page may not use. */
  outgrown: boolean
  account: Account | null
  leader: boolean
}

export class App {
  readonly signal: Source<AppState>
  private readonly parts: AppParts
  private shown: AppState | null = null
  private readonly make: () => AppState
  readonly stop: () => void

  constructor(parts: AppParts, schedule: Schedule, own: { secure: boolean; build: string }, totals: Signal<Totals>, people: Signal<PeopleState>) {
    this.parts = parts
    this.signal = new Source(new Ticker(schedule), () => this.snapshot())
    this.make = () => {
      const { phase, blocked, connection, since, skew, leader, account, shared, sites, outgrown } = this.parts
      const { server, storage } = shared
      return {
        phase: blocked ? otherWindow : phase,
        connection,
        since,
        me: account ? (people.get().byId.get(account.user) ?? null) : null,
        mustChangePassword: account?.mustChange ?? false,
        storage,
        leader,
        secure: own.secure,
        skew,
        newBuild: (own.build !== '' && server !== null && server.webBuild !== '' && server.webBuild !== own.build) || outgrown,
        server,
        sites,
        ...totals.get(),
      }
    }
    const stops = [totals.subscribe(() => this.signal.touch()), people.subscribe(() => this.signal.touch())]
    this.stop = () => {
      for (const f of stops) f()
    }
  }

  set(change: Partial<AppParts>): void {
    Object.assign(this.parts, change)
    this.signal.touch()
  }

  private snapshot(): AppState {
    const next = this.make()
    const was = this.shown
    if (was && (Object.keys(next) as (keyof AppState)[]).every((k) => was[k] === next[k])) return was
    this.shown = next
    return next
  }
}
