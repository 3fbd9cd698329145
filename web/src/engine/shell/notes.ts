// What the windows of one device tell each other. Only windows of the same origin and account slot hear it. A leading window
// answers `join` with `snapshot`; `inputs` that follow go on from there.
import type { Input, Kept, Named, Op, Position } from '../inner.ts'
import type { AppState, Phase, ServerInfo } from '../types.ts'
import type { Stored } from './cache.ts'
import type { Account } from './records.ts'
import type { Write } from './store.ts'

/** Shared is the part of AppState that the leader decides. */
export interface Shared {
  readonly storage: AppState['storage']
  readonly server: ServerInfo | null
}

/** Ask is what a window wants from the leader about changes; items are named by the uid of their op. */
export type Ask =
  /** named: it left under this name, and whoever led then could not store that. orphan: whoever asked for it is gone. */
  | { readonly t: 'op'; readonly op: Op; readonly writes: readonly Write[]; readonly named?: Named; readonly orphan?: true }
  /** kept: it was refused, and whoever led then could not store that. It is not sent: its author decides. */
  | { readonly t: 'kept'; readonly kept: Kept }
  | { readonly t: 'giveUp'; readonly uid: string }
  /** next is the uid of what comes in its place. */
  | { readonly t: 'replace'; readonly uid: string; readonly next: string; readonly text: string }
  | { readonly t: 'discard'; readonly uid: string }
  | { readonly t: 'resend'; readonly uid: string }

/** ofAll are the notes that a window hears whoever is logged in there: they tell who is. */
export const ofAll: ReadonlySet<string> = new Set(['join', 'gone', 'snapshot', 'entered', 'left', 'shared', 'over', 'taken'])

/** ours: a note is about the session of this window. An earlier version of the page does not say whose its notes are. */
export function ours(by: string | undefined, device: string): boolean {
  return !by || device === '' || by === device
}

/** by is the session of the window that says it, by its device; '' if nobody is logged in. seen: how far the leading one is. */
export type ShellNote = { readonly by?: string; readonly seen?: Position | null } & Said

type Said =
  /** join: tell me where things stand. */
  | { readonly t: 'join' }
  /** snapshot is for one window, or for all ('') when a window begins to lead. */
  | { readonly t: 'snapshot'; readonly to: string; readonly account: Account | null; readonly inputs: readonly Input[]; readonly shared: Shared }
  | { readonly t: 'inputs'; readonly inputs: readonly Input[] }
  | { readonly t: 'shared'; readonly shared: Shared }
  /** ask carries a number so that the leader can say what is safe. */
  | { readonly t: 'ask'; readonly no: number; readonly ask: Ask }
  /** unstored: the leader has it in memory alone. */
  | { readonly t: 'taken'; readonly to: string; readonly no: number; readonly ok: boolean; readonly unstored?: boolean }
  | { readonly t: 'view'; readonly rooms: readonly string[]; readonly active: boolean }
  | { readonly t: 'watch'; readonly room: string; readonly seq: number }
  | { readonly t: 'unwatch'; readonly room: string }
  | { readonly t: 'gone' }
  | { readonly t: 'read'; readonly room: string; readonly seq: number }
  | { readonly t: 'typing'; readonly room: string; readonly stopped: boolean }
  | { readonly t: 'draft'; readonly room: string; readonly text: string; readonly reply?: number; readonly at: number }
  | { readonly t: 'memory'; readonly key: string; readonly value: string }
  | { readonly t: 'cache'; readonly stored: Stored }
  /** over: the server has refused this token. */
  | { readonly t: 'over'; readonly token: string }
  /** entered: somebody has logged in; left: nobody is logged in any more. */
  | { readonly t: 'entered'; readonly account: Account; readonly inputs: readonly Input[] }
  | { readonly t: 'left'; readonly ended: Omit<Extract<Phase, { kind: 'ended' }>, 'kind'> | null }
