// What a core asks its driver to do, in this order.
import type { Input, Op } from '../inner.ts'
import type { Refusal } from '../types.ts'
import type { HistoryRequest, Name, UpFrame } from './frames.ts'
import type { Rec } from './record.ts'

export type Output =
  /** open asks for a connection to a site; answered by opened or lost with the same conn. */
  | { readonly t: 'open'; readonly conn: number; readonly site: number }
  /** close ends a connection; nothing more is expected of it. */
  | { readonly t: 'close'; readonly conn: number }
  | { readonly t: 'frame'; readonly conn: number; readonly frame: UpFrame }
  /** persist writes records, all or none, in order of id; answered by stored, when they are safe or the person was told that
      nothing is. strict: safe from a power cut where the store can promise that. */
  | { readonly t: 'persist'; readonly id: number; readonly recs: readonly Rec[]; readonly strict: boolean }
  /** call makes a named change of the account; answered by called. skip: SkipAccountCommand instead, under oldDevice if that
      is not empty. */
  | { readonly t: 'call'; readonly id: number; readonly site: number; readonly op: Op; readonly name: Name; readonly skip: boolean; readonly oldDevice: string }
  /** fetch reads history; answered by fetched. */
  | { readonly t: 'fetch'; readonly id: number; readonly site: number; readonly request: HistoryRequest }
  /** renew gives the session a new device id (PeopleService.RenewDevice); answered by renewed. */
  | { readonly t: 'renew'; readonly id: number; readonly site: number; readonly device: string }
  /** input goes to every model. Verdicts are among them (settled). */
  | { readonly t: 'input'; readonly input: Input }
  /** ended: the session is over; the core stays offline until the next setAccount. */
  | { readonly t: 'ended'; readonly why: Refusal }
