// What lies in which table of the store. The core's records map one to one; beside them the shell keeps the account, a form
// under way, drafts, newest stretches, people, photos, secrets of invitations and small memories of the views.
//
// meta        account, form, core (core's Meta), seen, fence, list.*, shelf.*
// items       open items by id          counters   by device and scope
// kept        refused sends by id       done       verdicts by id
// lines       the room list by room     drafts     by room
// stretches   newest rows by room       people     by id
// photos      by name                   memory     view.* of the views, invitation.* secrets
import type { Counter, Done, ItemRec, Meta, Rec, State } from '../core/record.ts'
import type { Kept, Position, Room } from '../inner.ts'
import type { Seed } from '../model/people.ts'
import type { Person, Site } from '../types.ts'
import type { Store, Write } from './store.ts'

/** Account is who is logged in on this device; an empty token: nobody. */
export interface Account {
  readonly user: string
  readonly handle: string
  readonly token: string
  /** device at the time of the log-in; the core's Meta has the one that counts. */
  readonly device: string
  readonly mustChange: boolean
}

/** Form is a sign-up or log-in whose outcome may be unknown. It is stored before the request leaves. */
export interface Form {
  readonly kind: 'signUp' | 'logIn' | 'code'
  readonly random: Uint8Array
  readonly token: Uint8Array
  readonly device: Uint8Array
}

/** write says where a record goes. */
export function write(r: Rec): Write {
  switch (r.t) {
    case 'meta':
      return { table: 'meta', key: 'core', value: r.meta }
    case 'item':
      return { table: 'items', key: r.item.id, value: r.item }
    case 'itemGone':
      return { table: 'items', key: r.id }
    case 'counter':
      return { table: 'counters', key: `${r.counter.device} ${r.counter.scope}`, value: r.counter }
    case 'kept':
      return { table: 'kept', key: r.kept.id, value: r.kept }
    case 'unkept':
      return { table: 'kept', key: r.id }
    case 'done':
      return { table: 'done', key: r.done.id, value: r.done }
    case 'doneGone':
      return { table: 'done', key: r.id }
    case 'line':
      return { table: 'lines', key: r.room.id, value: r.room }
    case 'lineGone':
      return { table: 'lines', key: r.id }
    case 'seen':
      return { table: 'meta', key: 'seen', value: r.seen ?? undefined }
    case 'sites':
      return { table: 'meta', key: 'sites', value: r.sites }
  }
}

/** state reads what the core needs to go on. */
export async function state(s: Store): Promise<State> {
  const [meta, seen, sites, items, counters, kept, done, lines] = await Promise.all([
    s.get('meta', 'core'),
    s.get('meta', 'seen'),
    s.get('meta', 'sites'),
    s.entries('items'),
    s.entries('counters'),
    s.entries('kept'),
    s.entries('done'),
    s.entries('lines'),
  ])
  return {
    meta: (meta as Meta | undefined) ?? null,
    seen: (seen as Position | undefined) ?? null,
    sites: (sites as readonly Site[] | undefined) ?? [],
    items: items.map(([, v]) => v as ItemRec),
    counters: counters.map(([, v]) => v as Counter),
    kept: kept.map(([, v]) => v as Kept),
    done: done.map(([, v]) => v as Done),
    rooms: lines.map(([, v]) => v as Room),
  }
}

/** seed reads what is remembered of people. */
export async function seed(s: Store): Promise<Seed> {
  const list = async (name: string) => ((await s.get('meta', `list.${name}`)) as readonly string[] | undefined) ?? null
  const [people, friends, addedMe, blocked] = await Promise.all([s.entries('people'), list('friends'), list('addedMe'), list('blocked')])
  return { people: people.map(([, p]) => p as Person), friends, addedMe: addedMe ?? [], blocked }
}
