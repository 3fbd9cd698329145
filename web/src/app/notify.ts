// Tells a person of messages they do not see come: title and icon of the tab, a notification while the tab is hidden, a
// short sound. Asked for after a message of their own, once more some days later, and in 더보기; never at the start.
import { useSyncExternalStore } from 'react'
import type { Engine, Notice } from '../engine/types.ts'
import { t } from '../lib/messages.ts'
import { roomName } from '../views/chats/lines.ts'
import { drawIcon } from './favicon.ts'
import { persist } from './persist.ts'
import { setSetting, settings } from './settings.ts'

/** notifyState: what the browser says. none: not here, as on an address that is not secure. */
export function notifyState(): 'none' | 'ask' | 'granted' | 'denied' {
  if (typeof Notification === 'undefined' || !isSecureContext) return 'none'
  return Notification.permission === 'default' ? 'ask' : Notification.permission
}

/** askNotify asks the browser; call it on a press. */
export async function askNotify(): Promise<boolean> {
  if (notifyState() === 'none') return false
  const granted = (await Notification.requestPermission()) === 'granted'
  setSetting('notify', granted)
  if (granted) void persist(true)
  return granted
}

const ASKED = 'bonghwa.asked'

/** DONE: answered, or offered twice; a number above it is when it was offered first. */
const DONE = 1

/** offerDue is what to keep of an offer made now, null if none is to be made: the second and last one comes three days after the first. */
export function offerDue(kept: string | null, now: number): number | null {
  if (kept === null) return now
  const at = Number(kept)
  return at > DONE && now - at > 3 * 86_400_000 ? DONE : null
}

function mayOffer(): void {
  if (notifyState() !== 'ask') return
  try {
    const due = offerDue(localStorage.getItem(ASKED), Date.now())
    if (due === null) return
    localStorage.setItem(ASKED, `${due}`)
  } catch {
    return
  }
  setOffered(true)
}

let offered = false
const heard = new Set<() => void>()

function setOffered(on: boolean): void {
  offered = on
  for (const fn of heard) fn()
}

/** useOffered: notifications are offered; it stays so until answerOffer. */
export function useOffered(): boolean {
  return useSyncExternalStore(
    (fn) => {
      heard.add(fn)
      return () => heard.delete(fn)
    },
    () => offered,
  )
}

/** answerOffer: yes asks the browser; else it is put away. */
export function answerOffer(yes: boolean): void {
  setOffered(false)
  if (!yes) return
  void askNotify()
  try {
    localStorage.setItem(ASKED, `${DONE}`)
  } catch {
    // Storage is refused: the browser's own answer holds.
  }
}

/** watchNotices begins telling; the result ends it. */
export function watchNotices(engine: Engine): () => void {
  const since = Date.now()
  const title = () => {
    const n = engine.app.get().phase.kind === 'in' ? engine.app.get().unreadTotal : 0
    const text = n > 0 ? `(${n > 99 ? '99+' : n}) ${t('shell.product')}` : t('shell.product')
    if (document.title !== text) document.title = text
    drawIcon(n)
  }
  const own = () => {
    const a = engine.app.get()
    const last = engine.rooms.get().lines.find((l) => l.last)?.last
    if (a.me && last && last.author === a.me.id && last.time + a.skew > since && document.hasFocus()) mayOffer()
  }
  let known = false
  const read = () => {
    const { loaded, byId } = engine.rooms.get()
    known ||= loaded
    if (known) notes?.closeNotes((room) => byId.get(room)?.unread ?? 0)
  }
  title()
  let over = false
  let end = () => {}
  void import('./note.ts').then((n) => {
    notes = n
    if (!over) end = n.watchNotes(read)
  }, () => undefined) // title and sound still tell
  const ends = [engine.rooms.subscribe(read), engine.app.subscribe(title), engine.rooms.subscribe(own), engine.onNotice((n) => tell(engine, n)), readySound()]
  return () => {
    over = true
    end()
    for (const f of ends) f()
  }
}

/** notes is what shows notifications; it comes after the page. */
let notes: typeof import('./note.ts') | null = null

function tell(engine: Engine, n: Notice): void {
  if (n.muted) return
  if (settings().sound) playSound()
  if (!document.hidden || !settings().notify || notifyState() !== 'granted') return
  const line = engine.rooms.get().byId.get(n.room)
  const author = engine.people.get().byId.get(n.author)?.name ?? ''
  const title = line?.kind === 'group' ? roomName(line, engine.people.get().byId) : author
  const words = line?.kind === 'group' ? `${author}: ${n.text}` : n.text
  void notes?.showNote(n.room, title === '' ? t('shell.product') : title, settings().notifyText ? words.slice(0, 200) : t('shell.notifyHidden'))
}

let audio: AudioContext | null = null
let last = 0

// Browsers give sound only after a press on the page.
function readySound(): () => void {
  const ready = () => {
    audio ??= typeof AudioContext === 'undefined' ? null : new AudioContext()
    if (audio?.state === 'suspended') void audio.resume().catch(() => undefined)
  }
  addEventListener('pointerdown', ready)
  addEventListener('keydown', ready)
  return () => {
    removeEventListener('pointerdown', ready)
    removeEventListener('keydown', ready)
  }
}

/** playSound plays two short notes, at most once a second. */
export function playSound(): void {
  if (!audio || audio.state !== 'running' || audio.currentTime - last < 1) return
  last = audio.currentTime
  const notes: readonly (readonly [hz: number, at: number])[] = [[659.25, 0], [880, 0.09]]
  for (const [hz, at] of notes) {
    const from = audio.currentTime + at
    const tone = audio.createOscillator()
    const gain = audio.createGain()
    tone.type = 'sine'
    tone.frequency.value = hz
    gain.gain.setValueAtTime(0, from)
    gain.gain.linearRampToValueAtTime(0.12, from + 0.01)
    gain.gain.exponentialRampToValueAtTime(0.0001, from + 0.35)
    tone.connect(gain).connect(audio.destination)
    tone.start(from)
    tone.stop(from + 0.4)
  }
}
