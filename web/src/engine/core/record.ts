// What the store of an account holds for the core, and how it changes. The shell writes the records of one persist in ONE
// transaction, persists strictly in order and none left out, and gives back what they add up to as a State.
//
// Rec            in the store                          State
// meta           one value                             meta
// item, itemGone items by id                           items
// counter        the last n by device and scope        counters
// kept, unkept   refused sends by id                   kept
// done, doneGone verdicts of settled items by id       done
// line, lineGone lines of the room list by room        rooms
// seen           one value, may be null                seen
// sites          one value                             sites
//
// seen stands for the lines: every line that changed up to it is in the store as the server told it (later ones may be
// there too). So a store that has lost its lines must also lose seen. Passwords are in no record.
import type { Kept, Op, Position, Room, Settled } from '../inner.ts'
import type { Refusal, Site } from '../types.ts'

/** Meta: whose names these are. */
export interface Meta {
  /** device that names are taken under; the shell passes it to setAccount at the next start. */
  readonly device: string
  /** renewing: a copied profile was noticed, the session is to get `device`. */
  readonly renewing: boolean
  /** nextItem is above every id of an item, for ever. */
  readonly nextItem: number
}

/** ItemRec is an open item with its name. n = 0: no name yet, or named by random bytes (createRoom). */
export interface ItemRec {
  readonly id: number
  /** order within the scope: names grow with it. It differs from that of the ids where a text replaced another. */
  readonly order: number
  readonly scope: string
  readonly device: string
  readonly n: number
  readonly tag: Uint8Array
  readonly op: Op
  readonly created: number
  readonly giveUp: boolean
  readonly replace: Op | null
  readonly replaceId: number
  readonly refusal: Refusal | null
}

export interface Counter {
  readonly device: string
  readonly scope: string
  readonly n: number
}

/** Done remembers a verdict for a window that asks again with the same uid. */
export interface Done {
  readonly id: number
  readonly uid: string
  readonly settled: Settled
}

export type Rec =
  | { readonly t: 'meta'; readonly meta: Meta }
  | { readonly t: 'item'; readonly item: ItemRec }
  | { readonly t: 'itemGone'; readonly id: number }
  | { readonly t: 'counter'; readonly counter: Counter }
  | { readonly t: 'kept'; readonly kept: Kept }
  | { readonly t: 'unkept'; readonly id: number }
  | { readonly t: 'done'; readonly done: Done }
  | { readonly t: 'doneGone'; readonly id: number }
  | { readonly t: 'line'; readonly room: Room }
  | { readonly t: 'lineGone'; readonly id: string }
  | { readonly t: 'seen'; readonly seen: Position | null }
  | { readonly t: 'sites'; readonly sites: readonly Site[] }

/** State is what the records add up to; every list may be in any order. */
export interface State {
  readonly meta: Meta | null
  readonly items: readonly ItemRec[]
  readonly counters: readonly Counter[]
  readonly kept: readonly Kept[]
  readonly done: readonly Done[]
  readonly rooms: readonly Room[]
  readonly seen: Position | null
  /** sites as the system has told them last; none: it is one machine, as far as is known. */
  readonly sites: readonly Site[]
}

export const emptyState: State = { meta: null, items: [], counters: [], kept: [], done: [], rooms: [], seen: null, sites: [] }
