// What goes over the wire, as plain objects: the shell turns these into protobuf and back. Numbers stand for 64-bit
// values, reasons are ErrorInfo.reason without its prefix in lower case. docs/protocol.md.
import type { Message, Op, Page, Position, Room } from '../inner.ts'
import type { Site } from '../types.ts'

/** Name of a change that is made exactly once (CommandName). */
export interface Name {
  readonly n: number
  readonly tag: Uint8Array
  readonly base: number
  readonly epoch: number
}

/** Failure is an answer that is not success (ErrorInfo). */
export interface Failure {
  readonly reason: string
  readonly subject: string
  /** fields refused, only with invalid. */
  readonly fields: readonly string[]
  readonly consumed: boolean
  readonly again: boolean
  readonly n: number
  readonly retryAfterMs: number
}

/** UpFrame goes to the server. An id of 0 asks for no answer. */
export type UpFrame =
  | { readonly t: 'hello'; readonly id: number; readonly token: string; readonly device: string; readonly seen: Position | null }
  /** change: a change of a room, block or unblock. A send goes to op.peer if that is given, else to op.room. A createRoom has
      no name; its random is op.bytes, its title op.text, its members op.list. */
  | { readonly t: 'change'; readonly id: number; readonly op: Op; readonly name: Name | null; readonly epoch: number }
  /** skip gives a name up. room and peer may both be empty: the account's scope within chat. device: of an earlier name, or ''. */
  | { readonly t: 'skip'; readonly id: number; readonly name: Name; readonly room: string; readonly peer: string; readonly device: string }
  | { readonly t: 'markRead'; readonly id: number; readonly room: string; readonly seq: number; readonly epoch: number }
  | { readonly t: 'typing'; readonly room: string; readonly stopped: boolean }
  | { readonly t: 'view'; readonly rooms: readonly string[] }
  | { readonly t: 'ping' }

export interface Ack {
  readonly t: 'ack'
  readonly id: number
  readonly position: Position | null
  readonly time: number
  readonly seq: number
  readonly room: string
  readonly repeated: boolean
  readonly refused: readonly string[]
  readonly error: Failure | null
}

/** DownFrame comes from the server. A kind that is not known here is left out by the shell. */
export type DownFrame =
  | { readonly t: 'welcome'; readonly user: string; readonly position: Position | null; readonly time: number; readonly rolledBack: boolean; readonly cut: Position | null }
  | Ack
  | { readonly t: 'message'; readonly position: Position | null; readonly message: Message }
  | { readonly t: 'read'; readonly position: Position | null; readonly room: string; readonly user: string; readonly seq: number }
  | { readonly t: 'typing'; readonly position: Position | null; readonly room: string; readonly user: string; readonly stopped: boolean }
  | { readonly t: 'room'; readonly position: Position | null; readonly room: Room }
  | {
      readonly t: 'people'
      readonly position: Position | null
      readonly me: boolean
      readonly friends: boolean
      readonly devices: boolean
      readonly blocked: boolean
      readonly users: readonly string[]
    }
  | { readonly t: 'presence'; readonly room: string; readonly online: number; readonly users: readonly string[] }
  | { readonly t: 'beat'; readonly position: Position | null; readonly heads: readonly { readonly room: string; readonly lastSeq: number }[]; readonly time: number }
  | { readonly t: 'rooms'; readonly rooms: readonly Room[] }
  | { readonly t: 'sites'; readonly sites: readonly Site[] }
  | { readonly t: 'resync' }
  | { readonly t: 'bye'; readonly error: Failure | null; readonly reconnect: boolean; readonly afterMs: number }

/** HistoryRequest and HistoryPage: ChatService.History. */
export interface HistoryRequest {
  readonly room: string
  readonly from: number
  readonly backward: boolean
  readonly limit: number
  readonly atLeast: Position | null
}

export interface HistoryPage extends Page {
  readonly position: Position | null
}

/** CallAnswer is the success of a named change over calls (ChangeResponse). */
export interface CallAnswer {
  readonly seq: number
  readonly time: number
  readonly repeated: boolean
}

/** failure makes a Failure; what is not said is empty. */
export function failure(reason: string, more: Partial<Failure> = {}): Failure {
  return { reason, subject: '', fields: [], consumed: false, again: false, n: 0, retryAfterMs: 0, ...more }
}

export function less(a: Position | null, b: Position | null): boolean {
  const ae = a?.epoch ?? 0, be = b?.epoch ?? 0
  return ae < be || (ae === be && (a?.n ?? 0) < (b?.n ?? 0))
}
