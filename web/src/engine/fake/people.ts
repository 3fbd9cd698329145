// Changes of accounts on the imitated server: friends, profile, password, devices, invitations.
import type { Op } from '../inner.ts'
import { encode } from '../core/ids.ts'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Data, Session, Verdict } from './data.ts'

/** PeopleTold is who must be told of what. */
export interface PeopleTold {
  people(user: string, what: { me?: boolean; friends?: boolean; devices?: boolean; blocked?: boolean; users?: readonly string[] }): void
  revoked(token: string): void
}

const ok: Verdict = { reason: '', seq: 0, time: 0, refused: [] }
const no = (reason: string): Verdict => ({ reason, seq: 0, time: 0, refused: [] })

/** block and unblock have their own scope, within chat. */
export function block(d: Data, session: Session, op: Op, told: PeopleTold): Verdict {
  const me = d.accounts.get(session.user)
  if (!me || !d.accounts.has(op.peer ?? '')) return no('unknown_user')
  if (op.kind === 'block') me.blocked.add(op.peer ?? '')
  else me.blocked.delete(op.peer ?? '')
  told.people(me.user, { blocked: true })
  return { ...ok }
}

export function changePeople(d: Data, session: Session, op: Op, now: number, told: PeopleTold): Verdict {
  const me = d.accounts.get(session.user)
  if (!me) return no('unknown_user')
  const friendsOf = [...d.accounts.values()].filter((a) => a.friends.has(me.user)).map((a) => a.user)
  const profile = (): Verdict => {
    told.people(me.user, { me: true })
    for (const u of friendsOf) told.people(u, { users: [me.user] })
    return { ...ok }
  }
  switch (op.kind) {
    case 'addFriend':
    case 'removeFriend':
      if (!d.accounts.has(op.peer ?? '')) return no('unknown_user')
      if (op.kind === 'addFriend') me.friends.add(op.peer ?? '')
      else me.friends.delete(op.peer ?? '')
      told.people(me.user, { friends: true })
      return { ...ok }
    case 'setProfile':
      if (op.name !== undefined) me.name = op.name
      if (op.status !== undefined) me.status = op.status
      return profile()
    case 'setPhoto':
      me.jpeg = op.bytes ?? new Uint8Array()
      me.photo = me.jpeg.length > 0 ? encode(sha256(me.jpeg).subarray(0, 16)) : ''
      return profile()
    case 'changePassword':
      if (me.password !== op.old) return no('bad_credentials')
      me.password = op.next ?? ''
      me.mustChange = false
      return revokeOthers(d, session, told)
    case 'deleteAccount':
      if (me.password !== op.old) return no('bad_credentials')
      me.closed = true
      me.name = me.handle = me.status = me.photo = ''
      for (const o of [...d.sessions.values()]) if (o.user === me.user) end(d, o, told)
      return { ...ok }
    case 'revokeDevices':
      if (op.on) return revokeOthers(d, session, told)
      for (const o of [...d.sessions.values()]) if (o.user === me.user && op.list?.includes(o.device)) end(d, o, told)
      told.people(me.user, { devices: true })
      return { ...ok }
    case 'labelDevice': {
      const list = [...d.sessions.values()].filter((o) => o.user === me.user && o.device === op.peer)
      for (const o of list) o.label = op.text ?? ''
      return list.length > 0 ? { ...ok } : no('unknown_device')
    }
    case 'createInvitation': {
      const id = encode(op.bytes ?? new Uint8Array())
      d.invitations.set(id, { id, by: me.user, created: now, until: now + (op.days || 7) * 86400000, uses: op.uses || 1, users: [], revoked: false })
      return { ...ok }
    }
    case 'revokeInvitation': {
      const inv = d.invitations.get(op.text ?? '')
      if (!inv) return no('bad_invitation')
      inv.revoked = true
      return { ...ok }
    }
    default:
      return no('invalid')
  }
}

function revokeOthers(d: Data, session: Session, told: PeopleTold): Verdict {
  for (const o of [...d.sessions.values()]) if (o.user === session.user && o.token !== session.token) end(d, o, told)
  told.people(session.user, { devices: true })
  return { ...ok }
}

export function end(d: Data, session: Session, told: PeopleTold): void {
  d.sessions.delete(session.token)
  told.revoked(session.token)
}
