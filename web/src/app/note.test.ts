// Notifications: shown by the worker where there is one, one for a room, led to its room, gone when it is read.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Engine, RoomLine, RoomsState } from '../engine/types.ts'
import { closeNotes, showNote, watchNotes } from './note.ts'
import { watchNotices } from './notify.ts'
import { persist } from './persist.ts'

class Note {
  static made: Note[] = []
  onclick: (() => void) | null = null
  open = true
  constructor(readonly title: string, readonly options: NotificationOptions) {
    if (phone) throw new TypeError('Illegal constructor')
    Note.made.push(this)
  }
  get tag() {
    return this.options.tag ?? ''
  }
  close() {
    this.open = false
  }
}

let phone = false
/** by the worker. */
let list: Note[] = []
let listeners: ((e: unknown) => void)[] = []
const registration = {
  active: {},
  async showNotification(title: string, options: NotificationOptions) {
    phone = false
    list = [...list.filter((n) => n.tag !== options.tag), new Note(title, options)]
    phone = true
  },
  getNotifications: async ({ tag }: { tag?: string } = {}) => list.filter((n) => n.open && (!tag || n.tag === tag)),
}
const browser = (worker: boolean) => {
  vi.stubGlobal('Notification', Note)
  vi.stubGlobal('navigator', {
    serviceWorker: !worker ? undefined : { getRegistration: async () => registration, addEventListener: (_: string, f: (e: unknown) => void) => listeners.push(f), removeEventListener: () => {} },
  })
}
const settle = () => new Promise((r) => setTimeout(r))

beforeEach(() => {
  phone = false
  list = []
  listeners = []
  Note.made = []
})
afterEach(() => {
  closeNotes(() => 0)
  vi.unstubAllGlobals()
})

test('on a phone the worker shows it, and it goes when the room is read', async () => {
  browser(true)
  phone = true
  await showNote('r1', '박준호', '안녕')
  await showNote('r2', '이도현', '여기요')
  await showNote('r1', '박준호', '자?')
  expect(list.map((n) => [n.title, n.options.body])).toEqual([['이도현', '여기요'], ['박준호', '자?']])
  expect(list[1]!.options).toMatchObject({ renotify: true, data: { path: '/room/r1' } })
  closeNotes((room) => (room === 'r1' ? 0 : 1))
  await settle()
  expect((await registration.getNotifications()).map((n) => n.title)).toEqual(['이도현'])
})

test('without a worker the page shows it', async () => {
  browser(false)
  await showNote('r1', '박준호', '안녕')
  expect(Note.made[0]).toMatchObject({ title: '박준호', open: true })
  closeNotes(() => 0)
  expect(Note.made[0]!.open).toBe(false)
  watchNotes(() => {})()
})

test('those of the page before are taken over, and not those of another account', async () => {
  browser(true)
  for (const tag of ['bonghwa-0-r1', 'bonghwa-0-r2', 'bonghwa-1-r1']) list.push(new Note(tag, { tag }))
  watchNotes(() => {})
  await settle()
  closeNotes((room) => (room === 'r2' ? 3 : 0))
  await settle()
  expect(list.filter((n) => n.open).map((n) => n.tag)).toEqual(['bonghwa-0-r2', 'bonghwa-1-r1'])
})

test.each(['before', 'after'])('what was read meanwhile goes when the list of rooms is known, %s they are taken over', async (when) => {
  browser(true)
  vi.stubGlobal('document', { title: '', hidden: false, hasFocus: () => false, querySelector: () => null, createElement: () => ({}) })
  vi.stubGlobal('addEventListener', () => {})
  vi.stubGlobal('removeEventListener', () => {})
  for (const tag of ['bonghwa-0-r1', 'bonghwa-0-r2']) list.push(new Note(tag, { tag }))
  const open = () => list.filter((n) => n.open).map((n) => n.tag)
  const none: RoomsState = { lines: [], byId: new Map(), loaded: false }
  let rooms = none
  let changed: (() => void)[] = []
  const told = (to: RoomsState) => {
    rooms = to
    for (const f of changed) f()
  }
  const there: RoomsState = { lines: [], byId: new Map([['r2', { unread: 1 } as RoomLine]]), loaded: true }
  const engine = {
    app: { get: () => ({ phase: { kind: 'starting' } }), subscribe: () => () => {} },
    rooms: { get: () => rooms, subscribe: (f: () => void) => (changed.push(f), () => (changed = [])) },
    onNotice: () => () => {},
  } as unknown as Engine
  const end = watchNotices(engine)
  if (when === 'before') told(there)
  else told({ ...none })
  await vi.dynamicImportSettled()
  await settle()
  if (when === 'after') {
    expect(open()).toEqual(['bonghwa-0-r1', 'bonghwa-0-r2'])
    told({ ...none })
    told(there)
    await settle()
  }
  expect(open()).toEqual(['bonghwa-0-r2'])
  end()
})

test('pressed, it leads to its room: in the window of its account, else in a new one', async () => {
  const handlers = new Map<string, (e: unknown) => void>()
  const done: string[] = []
  const windows = ['/u/1/chats', '/chats'].map((path) => ({
    url: `https://b.example${path}`,
    postMessage: (m: { open: string }) => done.push(`${path} told ${m.open}`),
    focus: async () => done.push(`${path} shown`),
  }))
  const clients = { matchAll: async () => windows, openWindow: async (path: string) => done.push(`new ${path}`) }
  const source = readFileSync(new URL('../../public/sw.js', import.meta.url), 'utf8').replace('__FILES__', '[]')
  new Function('addEventListener', 'clients', source)((t: string, f: (e: unknown) => void) => handlers.set(t, f), clients)
  for (const path of ['/room/r1', '/u/1/room/r2', '/u/2/room/r3']) {
    let wait: Promise<unknown> = Promise.resolve()
    handlers.get('notificationclick')!({ notification: { close: () => done.push('closed'), data: { path } }, waitUntil: (p: Promise<unknown>) => (wait = p) })
    await wait
  }
  expect(done).toEqual(['closed', '/chats told /room/r1', '/chats shown', 'closed', '/u/1/chats told /u/1/room/r2', '/u/1/chats shown', 'closed', 'new /u/2/room/r3'])
})

test('what is stored is asked to be kept; in Firefox only when the person wants something', async () => {
  let asked = 0
  let kept = false
  const storage = { persisted: async () => kept, persist: async () => (asked++, (kept = true)) }
  vi.stubGlobal('navigator', { storage, userAgent: 'Mozilla/5.0 (X11) Gecko/20100101 Firefox/153.0' })
  await persist(false)
  expect(asked).toBe(0)
  await persist(true)
  await persist(true)
  expect(asked).toBe(1)
  kept = false
  vi.stubGlobal('navigator', { storage, userAgent: 'Mozilla/5.0 Chrome/150.0 Safari/537.36' })
  await persist(false)
  expect(asked).toBe(2)
  vi.stubGlobal('navigator', { userAgent: '' })
  await persist(false)
})
