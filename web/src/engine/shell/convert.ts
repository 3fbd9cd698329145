// From the messages of the wire (protobuf, 64-bit numbers as bigint) to the plain objects of inner.ts and types.ts. Sequence
// numbers, times and counts stay far below 2^53.
import { ConnectError } from '@connectrpc/connect'
import {
  ErrorInfoSchema,
  MessageKind as Kind,
  Reason as Reasons,
  RoomKind,
  type ErrorInfo,
  type Message as WireMessage,
  type Position as WirePosition,
  type Room as WireRoom,
  type User as WireUser,
} from '../../gen/bonghwa/api/v1/types_pb.ts'
import type { Failure } from '../core/frames.ts'
import type { Message, MessageKind, Position, Room } from '../inner.ts'
import type { Person, Refusal } from '../types.ts'

const kinds: Readonly<Record<number, MessageKind>> = {
  [Kind.TEXT]: 'text',
  [Kind.EDIT]: 'edit',
  [Kind.DELETE]: 'delete',
  [Kind.REACTION]: 'reaction',
  [Kind.CREATED]: 'created',
  [Kind.INVITED]: 'invited',
  [Kind.LEFT]: 'left',
  [Kind.RENAMED]: 'renamed',
}

export function position(p: WirePosition | undefined): Position | null {
  return p ? { epoch: p.epoch, n: Number(p.n) } : null
}

export function message(m: WireMessage): Message {
  return {
    room: m.room,
    seq: Number(m.seq),
    kind: kinds[m.kind] ?? 'other',
    author: m.author,
    time: Number(m.timeMs),
    ord: Number(m.ord),
    text: m.text,
    replyTo: Number(m.replyTo),
    edited: Number(m.editedMs),
    deleted: m.deleted,
    target: Number(m.target),
    reaction: m.reaction,
    users: m.users,
    reactions: m.reactions,
    myReaction: m.myReaction,
    changed: m.changed ? message(m.changed) : null,
    n: Number(m.n),
  }
}

export function room(r: WireRoom): Room {
  return {
    id: r.id,
    group: r.kind === RoomKind.GROUP,
    title: r.title,
    peer: r.peer,
    lastSeq: Number(r.lastSeq),
    joinedSeq: Number(r.joinedSeq),
    readSeq: Number(r.readSeq),
    unread: Number(r.unread),
    memberCount: r.memberCount,
    muted: r.muted,
    pinned: r.pinned,
    left: r.left,
    last: r.lastMessage ? message(r.lastMessage) : null,
    changed: position(r.changed) ?? { epoch: 0, n: 0 },
    blocked: r.blocked,
  }
}

export function person(u: WireUser): Person {
  return { id: u.id, handle: u.handle, name: u.displayName, status: u.statusMessage, closed: u.closed, photo: u.photo, simulated: u.simulated }
}

/** reasonName is the name of a reason without prefix, lower case. */
export function reasonName(r: Reasons): string {
  return (Reasons[r] ?? 'unspecified').toLowerCase()
}

export function failure(e: ErrorInfo): Failure {
  return {
    reason: reasonName(e.reason),
    subject: e.subject,
    fields: e.fields.map((f) => f.field),
    consumed: e.consumed,
    again: e.again,
    n: Number(e.n),
    retryAfterMs: Number(e.retryAfterMs),
  }
}

/** failureOf says what the server answered; null: no answer of the server is known, the outcome is open. */
export function failureOf(e: unknown): Failure | null {
  if (!(e instanceof ConnectError)) return null
  const info = e.findDetails(ErrorInfoSchema)[0]
  return info ? failure(info) : null
}

export const unreachable: Refusal = { reason: 'unreachable', subject: '', retryAfterMs: 0, fields: [] }

/** plain takes what views may see. */
export function plain(r: Refusal): Refusal {
  return { reason: r.reason, subject: r.subject, retryAfterMs: r.retryAfterMs, fields: r.fields }
}
