// Frames of /live between protobuf and the plain form that the core knows.
import { create } from '@bufbuild/protobuf'
import type { CommandName } from '../../gen/bonghwa/api/v1/types_pb.ts'
import { type Event, type Frame, FrameSchema } from '../../gen/bonghwa/live/v1/frame_pb.ts'
import type { DownFrame, Name, UpFrame } from '../core/frames.ts'
import type { Op } from '../inner.ts'
import { failure, message, position, room } from './convert.ts'

type Body = NonNullable<Parameters<typeof create<typeof FrameSchema>>[1]>['body']

/** commandName is the name of a change as calls and frames carry it. */
export function commandName(n: Name): Omit<CommandName, '$typeName' | '$unknown'> {
  return { n: BigInt(n.n), tag: n.tag, base: BigInt(n.base), epoch: n.epoch }
}

/** up encodes a frame to the server; null: this client does not know the change. */
export function up(f: UpFrame): Frame | null {
  const body = bodyOf(f)
  return body ? create(FrameSchema, { id: 'id' in f ? BigInt(f.id) : 0n, body }) : null
}

function bodyOf(f: UpFrame): Body | null {
  switch (f.t) {
    case 'hello':
      return {
        case: 'hello',
        value: { token: f.token, device: f.device, ...(f.seen ? { seen: { epoch: f.seen.epoch, n: BigInt(f.seen.n) } } : {}) },
      }
    case 'change':
      return change(f.op, f.name, f.epoch)
    case 'skip':
      return { case: 'skip', value: { name: commandName(f.name), room: f.room, peer: f.peer, device: f.device } }
    case 'markRead':
      return { case: 'markRead', value: { room: f.room, seq: BigInt(f.seq), epoch: f.epoch } }
    case 'typing':
      return { case: 'typing', value: { room: f.room, stopped: f.stopped } }
    case 'view':
      return { case: 'view', value: { rooms: [...f.rooms] } }
    case 'ping':
      return { case: 'ping', value: {} }
  }
}

function change(op: Op, n: Name | null, epoch: number): Body | null {
  const room = op.room ?? ''
  const seq = BigInt(op.seq ?? 0)
  const text = op.text ?? ''
  const list = [...(op.list ?? [])]
  if (op.kind === 'createRoom') {
    return { case: 'createRoom', value: { random: op.bytes ?? new Uint8Array(), title: text, members: list, epoch } }
  }
  if (!n) return null
  const name = commandName(n)
  switch (op.kind) {
    case 'send': {
      const to = op.peer ? { peer: op.peer } : { room }
      return { case: 'send', value: { name, ...to, text, replyTo: BigInt(op.replyTo ?? 0), readSeq: BigInt(op.readSeq ?? 0) } }
    }
    case 'edit':
      return { case: 'edit', value: { name, room, seq, text } }
    case 'delete':
      return { case: 'delete', value: { name, room, seq } }
    case 'react':
      return { case: 'react', value: { name, room, seq, reaction: op.reaction ?? 0 } }
    case 'invite':
      return { case: 'invite', value: { name, room, members: list } }
    case 'leave':
      return { case: 'leave', value: { name, room } }
    case 'rename':
      return { case: 'rename', value: { name, room, title: text } }
    case 'mute':
      return { case: 'mute', value: { name, room, on: op.on ?? false } }
    case 'pin':
      return { case: 'pin', value: { name, room, on: op.on ?? false } }
    case 'block':
      return { case: 'block', value: { name, user: op.peer ?? '' } }
    case 'unblock':
      return { case: 'unblock', value: { name, user: op.peer ?? '' } }
    default:
      return null
  }
}

/** down decodes a frame of the server; null: of a kind that this client does not know. */
export function down(f: Frame): DownFrame | null {
  const b = f.body
  switch (b.case) {
    case 'welcome': {
      const w = b.value
      return { t: 'welcome', user: w.user, position: position(w.position), time: Number(w.timeMs), rolledBack: w.rolledBack, cut: position(w.cut) }
    }
    case 'ack': {
      const a = b.value
      return {
        t: 'ack',
        id: Number(f.id),
        position: position(a.position),
        time: Number(a.timeMs),
        seq: Number(a.seq),
        room: a.room,
        repeated: a.repeated,
        refused: a.refused,
        error: a.error ? failure(a.error) : null,
      }
    }
    case 'event':
      return event(b.value)
    case 'beat': {
      const heads = b.value.heads.map((h) => ({ room: h.room, lastSeq: Number(h.lastSeq) }))
      return { t: 'beat', position: position(b.value.position), heads, time: Number(b.value.timeMs) }
    }
    case 'rooms':
      return { t: 'rooms', rooms: b.value.rooms.map(room) }
    case 'presence':
      return { t: 'presence', room: b.value.room, online: b.value.online, users: b.value.users }
    case 'sites':
      return { t: 'sites', sites: b.value.sites.map((s) => ({ name: s.name, url: s.url })) }
    case 'resync':
      return { t: 'resync' }
    case 'bye':
      return { t: 'bye', error: b.value.error ? failure(b.value.error) : null, reconnect: b.value.reconnect, afterMs: Number(b.value.afterMs) }
    default:
      return null
  }
}

function event(e: Event): DownFrame | null {
  const at = position(e.position)
  const k = e.kind
  switch (k.case) {
    case 'message':
      return { t: 'message', position: at, message: message(k.value) }
    case 'read':
      return { t: 'read', position: at, room: k.value.room, user: k.value.user, seq: Number(k.value.seq) }
    case 'typing':
      return { t: 'typing', position: at, room: k.value.room, user: k.value.user, stopped: k.value.stopped }
    case 'room':
      return { t: 'room', position: at, room: room(k.value) }
    case 'people': {
      const p = k.value
      return { t: 'people', position: at, me: p.me, friends: p.friends, devices: p.devices, blocked: p.blocked, users: p.users }
    }
    default:
      return null
  }
}
