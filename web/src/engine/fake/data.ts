// The state of the imitated server: plain data that can be copied for a backup.
import type { Message, MessageKind } from '../inner.ts'
import type { Failure } from '../core/frames.ts'

export interface Account {
  readonly user: string
  handle: string
  name: string
  status: string
  password: string
  photo: string
  jpeg: Uint8Array
  closed: boolean
  mustChange: boolean
  readonly random: string
  friends: Set<string>
  blocked: Set<string>
}

export interface Session {
  readonly token: string
  readonly user: string
  device: string
  label: string
}

/** Row is a message as it is now, and who sent it from where. */
export interface Row {
  message: Message
  readonly device: string
  readonly n: number
  /** by: the reaction of each person. */
  readonly by: Map<string, number>
}

export interface MemberRow {
  joinedSeq: number
  readSeq: number
  left: boolean
  muted: boolean
  pinned: boolean
  /** changed is n of the last change of this person's line. */
  changed: number
}

export interface RoomRow {
  readonly id: string
  readonly group: boolean
  title: string
  readonly rows: Row[]
  ord: number
  changed: number
  /** members in order of joining; who left a group stays with left set. */
  readonly members: Map<string, MemberRow>
}

export interface Decided {
  readonly n: number
  readonly tag: string
  readonly verdict: Verdict
}

/** Verdict of a named change; reason '' is success. */
export interface Verdict {
  reason: string
  seq: number
  time: number
  refused: string[]
}

export interface Names {
  last: number
  ring: Decided[]
}

export interface Code {
  readonly code: string
  readonly hash: string
  readonly device: string
  readonly label: string
  user: string
}

export interface Invited {
  readonly id: string
  readonly by: string
  readonly created: number
  readonly until: number
  readonly uses: number
  readonly users: string[]
  revoked: boolean
}

export interface Data {
  n: number
  accounts: Map<string, Account>
  sessions: Map<string, Session>
  rooms: Map<string, RoomRow>
  names: Map<string, Names>
  codes: Map<string, Code>
  invitations: Map<string, Invited>
}

export const emptyData = (): Data => ({
  n: 0, accounts: new Map(), sessions: new Map(), rooms: new Map(), names: new Map(), codes: new Map(), invitations: new Map(),
})

/** Fault is an answer that is not success. */
export class Fault extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.reason)
    this.failure = failure
  }
}

export function blankMessage(kind: MessageKind, more: Partial<Message>): Message {
  return {
    room: '', seq: 0, kind, author: '', time: 0, ord: 0, text: '', replyTo: 0, edited: 0, deleted: false, target: 0, reaction: 0,
    users: [], reactions: [], myReaction: 0, changed: null, n: 0, ...more,
  }
}
