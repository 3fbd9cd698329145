// The contracts between the three parts of the engine: core (protocol, outbox, names: no clock, no I/O), model (what the
// views read, made from inputs) and shell (IndexedDB, WebSocket, calls, windows). Everything here can be cloned by
// postMessage: plain objects, numbers for 64-bit values, Uint8Array for bytes.

export interface Position {
  readonly epoch: number
  readonly n: number
}

export type MessageKind = 'text' | 'edit' | 'delete' | 'reaction' | 'created' | 'invited' | 'left' | 'renamed' | 'other'

/** Message is a row of a room as the server gives it (api.v1.Message). */
export interface Message {
  readonly room: string
  readonly seq: number
  readonly kind: MessageKind
  readonly author: string
  readonly time: number
  readonly ord: number
  readonly text: string
  readonly replyTo: number
  readonly edited: number
  readonly deleted: boolean
  readonly target: number
  readonly reaction: number
  readonly users: readonly string[]
  readonly reactions: readonly number[]
  readonly myReaction: number
  readonly changed: Message | null
  /** n is the name under which this device sent it, else 0. */
  readonly n: number
}

/** Room is a line of the list as the server gives it (api.v1.Room). */
export interface Room {
  readonly id: string
  readonly group: boolean
  readonly title: string
  readonly peer: string
  readonly lastSeq: number
  readonly joinedSeq: number
  readonly readSeq: number
  readonly unread: number
  readonly memberCount: number
  readonly muted: boolean
  readonly pinned: boolean
  readonly left: boolean
  readonly last: Message | null
  readonly changed: Position
  readonly blocked: boolean
  /** owed: readSeq is of this device, and the server has not confirmed it. */
  readonly owed?: true
}

/** Op is one change that a person asks for. uid makes it one change, however often a window hands it on. */
export interface Op {
  readonly uid: string
  readonly kind:
    | 'send' | 'edit' | 'delete' | 'react' | 'invite' | 'leave' | 'rename' | 'mute' | 'pin' | 'block' | 'unblock' | 'createRoom'
    | 'addFriend' | 'removeFriend' | 'setProfile' | 'setPhoto' | 'changePassword' | 'deleteAccount' | 'revokeDevices' | 'labelDevice'
    | 'createInvitation' | 'revokeInvitation'
  readonly room?: string
  readonly peer?: string
  readonly seq?: number
  readonly text?: string
  readonly replyTo?: number
  readonly readSeq?: number
  readonly reaction?: number
  readonly on?: boolean
  readonly list?: readonly string[]
  readonly bytes?: Uint8Array
  readonly uses?: number
  readonly days?: number
  readonly name?: string
  readonly status?: string
  /** old and next passwords; never stored. */
  readonly old?: string
  readonly next?: string
}

/** Named is the name under which an op may have left before: under it, it is one change also on the server. */
export interface Named {
  readonly device: string
  readonly n: number
  readonly tag: readonly number[]
}

/** Item is an open item of the outbox as the model sees it. id grows in the order of the calls and is kept over restarts. */
export interface Item {
  readonly id: number
  readonly op: Op
  /** created, local time. */
  readonly created: number
  /** state: stored and waiting, on the wire, sent without an answer (the connection broke or time ran out), being given up. */
  readonly state: 'waiting' | 'sending' | 'unknown' | 'givingUp'
  /** n is the name under which it goes, if it has one: a row with this n is this item, though its answer is still on the way. */
  readonly n?: number
}

/** Verdict of an item. */
export interface Settled {
  readonly id: number
  readonly op: Op
  /** seq and time of success; givenUp: certainly not in; refusal otherwise. */
  readonly ok: boolean
  readonly seq: number
  readonly time: number
  readonly room: string
  readonly refused: readonly string[]
  readonly givenUp: boolean
  readonly refusal: { readonly reason: string; readonly subject: string; readonly retryAfterMs: number; readonly fields: readonly string[] } | null
}

/** Kept is a refused send that waits for its author's decision (resend, discard); it is stored. */
export interface Kept {
  readonly id: number
  readonly op: Op
  readonly created: number
  readonly refusal: NonNullable<Settled['refusal']>
}

/** Input is what a model is told, in order. The window that leads makes them and passes each on to the others. */
export type Input =
  | { readonly t: 'me'; readonly user: string }
  | { readonly t: 'rooms'; readonly rooms: readonly Room[] }
  /** welcomed: every line that changed while away has been told. */
  | { readonly t: 'welcomed'; readonly position: Position; readonly serverTime: number; readonly localTime: number }
  /** mustChange: a one-time code opened the session, and the server takes nothing but a new password. */
  | { readonly t: 'mustChange' }
  | { readonly t: 'connection'; readonly state: 'connecting' | 'online' | 'reconnecting'; readonly since: number; readonly site: number }
  /** sites: where the system runs, as it has told last. */
  | { readonly t: 'sites'; readonly sites: readonly import('./types.ts').Site[] }
  /** message: a row, once and in order of seq per room. */
  | { readonly t: 'message'; readonly message: Message }
  | { readonly t: 'read'; readonly room: string; readonly user: string; readonly seq: number }
  | { readonly t: 'typing'; readonly room: string; readonly user: string; readonly stopped: boolean; readonly at: number }
  | { readonly t: 'presence'; readonly room: string; readonly online: number; readonly users: readonly string[] }
  | { readonly t: 'people'; readonly me: boolean; readonly friends: boolean; readonly devices: boolean; readonly blocked: boolean; readonly users: readonly string[] }
  | { readonly t: 'item'; readonly item: Item }
  | { readonly t: 'settled'; readonly settled: Settled }
  | { readonly t: 'kept'; readonly kept: Kept }
  | { readonly t: 'unkept'; readonly id: number }
  /** draft: at is when it was written, the later one counts. */
  | { readonly t: 'draft'; readonly room: string; readonly text: string; readonly reply?: number; readonly at?: number }
  /** ownRead: this account has read a room up to seq, here or elsewhere. */
  | { readonly t: 'ownRead'; readonly room: string; readonly seq: number }
  /** rolledBack: the server was restored; rooms changed after cut (all without one) are to be forgotten. */
  | { readonly t: 'rolledBack'; readonly cut: Position | null }

/** Page is an answer of History. */
export interface Page {
  readonly messages: readonly Message[]
  readonly lastSeq: number
  readonly joinedSeq: number
}

/** ModelIO is how a model asks for more; every window asks for itself, over calls. Promises reject with RefusedError. */
export interface ModelIO {
  history(room: string, from: number, backward: boolean, limit: number): Promise<Page>
  members(room: string): Promise<readonly { user: string; joinedSeq: number; readSeq: number }[]>
  room(id: string): Promise<Room | null>
  users(ids: readonly string[]): Promise<readonly import('./types.ts').Person[]>
  friends(): Promise<readonly import('./types.ts').Person[]>
  addedMe(): Promise<readonly import('./types.ts').Person[]>
  blocked(): Promise<readonly string[]>
  presence(ids: readonly string[]): Promise<readonly string[]>
  /** cached rows of a room from this device's store, the newest stretch, for the first paint. */
  cached(room: string): Promise<readonly Message[]>
  /** watch says that this model holds the rows of an open room up to seq, its newest, and wants each that follows; unwatch
      ends that. Without them the model reads for itself what it is not told. */
  watch?(room: string, seq: number): void
  unwatch?(room: string): void
  /** counted tells how many messages are unread after an own mark, where this model could count them. */
  counted?(room: string, readSeq: number, unread: number): void
  now(): number
  /** after calls fn later; returns the way to stop it. */
  after(ms: number, fn: () => void): () => void
}
