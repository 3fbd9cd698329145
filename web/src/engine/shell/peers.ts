// What a window makes of the notes of other windows: a leading one is asked, a following one is told.
import type { Input } from '../inner.ts'
import type { Attention } from './attention.ts'
import type { Stored } from './cache.ts'
import { type Draft, draftOf } from './drafts.ts'
import type { Ask, Shared, ShellNote } from './notes.ts'
import type { Account } from './records.ts'

export interface Peer {
  readonly id: string
  /** leader is the window whose account of things this one follows, '' before the first. */
  leader: string
  readonly attention: Attention
  leads(): boolean
  // Of every window.
  draft(room: string, d: Draft): void
  memory(key: string, value: string): void
  taken(no: number, ok: boolean, stored: boolean): void
  // Of the leading window.
  tellState(to: string): void
  /** carry does what is asked and calls safe when it is in the store, or cannot be put there. */
  carry(ask: Ask, safe: (ok: boolean, stored: boolean) => void): void
  markRead(room: string, seq: number): void
  typing(room: string, stopped: boolean): void
  keepCache(s: Stored): void
  over(token: string): void
  post(n: ShellNote): void
  // Of a following window.
  follow(account: Account | null, inputs: readonly Input[], shared: Shared | null): void
  inputs(list: readonly Input[]): void
  share(s: Shared): void
  left(ended: (ShellNote & { t: 'left' })['ended']): void
}

export function hear(p: Peer, n: ShellNote, from: string): void {
  switch (n.t) {
    case 'draft':
      p.draft(n.room, draftOf(n))
      break
    case 'memory':
      p.memory(n.key, n.value)
      break
    case 'taken':
      if (n.to === p.id) p.taken(n.no, n.ok, !n.unstored)
      break
    default:
      if (p.leads()) asked(p, n, from)
      else told(p, n, from)
  }
}

function asked(p: Peer, n: ShellNote, from: string): void {
  switch (n.t) {
    case 'join':
      p.tellState(from)
      break
    case 'ask':
      p.carry(n.ask, (ok, stored) => p.post({ t: 'taken', to: from, no: n.no, ok, unstored: !stored }))
      break
    case 'view':
      p.attention.viewOf(from, n.rooms, n.active)
      break
    case 'watch':
      p.attention.watchOf(from, n.room, n.seq)
      break
    case 'unwatch':
      p.attention.unwatchOf(from, n.room)
      break
    case 'gone':
      p.attention.gone(from)
      break
    case 'read':
      p.markRead(n.room, n.seq)
      break
    case 'typing':
      p.typing(n.room, n.stopped)
      break
    case 'cache':
      p.keepCache(n.stored)
      break
    case 'over':
      p.over(n.token)
      break
    default: // of another leader that is just ending
  }
}

function told(p: Peer, n: ShellNote, from: string): void {
  // A leader that slept through the loss of its lead tells of things as they were then.
  const old = p.leader !== '' && p.leader !== from
  switch (n.t) {
    case 'snapshot':
      if (n.to !== p.id && n.to !== '') break
      p.leader = from
      p.follow(n.account, n.inputs, n.shared)
      break
    case 'entered':
      p.leader = from
      p.follow(n.account, n.inputs, null)
      break
    case 'inputs':
      if (!old) p.inputs(n.inputs)
      break
    case 'shared':
      if (!old) p.share(n.shared)
      break
    case 'left':
      p.left(n.ended)
      break
    default: // of another window that follows
  }
}
