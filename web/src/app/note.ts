// A notification of the browser, one for each room: the newest message. The service worker shows it where there is one: phones
// allow nothing else, and it still leads to its room when the page is gone (public/sw.js). It goes away when the room is read.
import { formatPath, go, parsePath, slot } from './route.ts'

/** shown: how to take the notification of each room away. */
const shown = new Map<string, () => void>()

const prefix = () => `bonghwa-${slot()}-`

async function worker(): Promise<ServiceWorkerRegistration | null> {
  const found = await navigator.serviceWorker?.getRegistration()
  return found?.active ? found : null
}

function taken(by: ServiceWorkerRegistration, tag: string): () => void {
  return () => void by.getNotifications({ tag }).then((list) => list.forEach((n) => n.close()))
}

/** showNote shows the newest message of a room. */
export async function showNote(room: string, title: string, body: string): Promise<void> {
  const tag = prefix() + room
  // renotify: a second message is told as the first one.
  const options = { body, tag, renotify: true, icon: '/apple-touch-icon.png', silent: true, data: { path: formatPath({ at: 'room', id: room }, slot()) } }
  try {
    const by = await worker()
    if (by) {
      await by.showNotification(title, options)
      shown.set(room, taken(by, tag))
      return
    }
    const note = new Notification(title, options)
    note.onclick = () => {
      window.focus()
      go({ at: 'room', id: room })
      note.close()
    }
    shown.set(room, () => note.close())
  } catch {
    // Not allowed after all; title and sound still tell.
  }
}

/** closeNotes takes away what was read, here or elsewhere. */
export function closeNotes(unread: (room: string) => number): void {
  for (const [room, close] of shown) {
    if (unread(room) > 0) continue
    shown.delete(room)
    close()
  }
}

/** watchNotes follows a notification that was pressed, and takes over those of the page before, and says so; the result ends it. */
export function watchNotes(took: () => void): () => void {
  const pressed = (e: MessageEvent) => {
    const { open } = e.data as { open?: unknown }
    if (typeof open === 'string') go(parsePath(open).route)
  }
  navigator.serviceWorker?.addEventListener('message', pressed)
  void worker().then(async (by) => {
    const list = (await by?.getNotifications()) ?? []
    for (const { tag } of list) if (by && tag.startsWith(prefix())) shown.set(tag.slice(prefix().length), taken(by, tag))
    took()
  }, () => undefined)
  return () => navigator.serviceWorker?.removeEventListener('message', pressed)
}
