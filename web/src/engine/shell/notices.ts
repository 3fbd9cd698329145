// Notices: messages by others that come while nobody looks at their room, for sound, notification and title. Rows that are told
// one by one, and, after the connection was away, the newest message of each room that got on meanwhile. What was there
// before this device heard of it for the first time is no news.
import type { Input, Message } from '../inner.ts'
import type { Notice } from '../types.ts'

export class Notices {
  private readonly listeners = new Set<(n: Notice) => void>()
  /** heard is the newest seq of each room that is known. */
  private readonly heard = new Map<string, number>()
  private welcomed = false
  private readonly sees: (room: string) => boolean

  constructor(sees: (room: string) => boolean) {
    this.sees = sees
  }

  listen(fn: (n: Notice) => void): () => void {
    const own = (n: Notice) => fn(n)
    this.listeners.add(own)
    return () => void this.listeners.delete(own)
  }

  /** begin: this window leads from now on. online: another one did until now, so what comes is news. */
  begin(list: readonly Input[], online: boolean): void {
    for (const i of list) if (i.t === 'rooms') for (const r of i.rooms) this.heard.set(r.id, r.lastSeq)
    this.welcomed = online
  }

  clear(): void {
    this.heard.clear()
    this.welcomed = false
  }

  see(list: readonly Input[], me: string, muted: (room: string) => boolean): void {
    for (const i of list) {
      switch (i.t) {
        case 'message':
          this.hear(i.message.room, i.message.seq, i.message, me, muted)
          break
        case 'rooms':
          for (const r of i.rooms) {
            const news = this.welcomed && !r.left && r.unread > 0 && this.heard.has(r.id) ? r.last : null
            this.hear(r.id, r.lastSeq, news, me, muted)
          }
          break
        case 'rolledBack':
          this.heard.clear() // the same numbers are of other messages from now on
          break
        case 'welcomed':
          this.welcomed = true
          break
        default:
          break
      }
    }
  }

  private hear(room: string, seq: number, m: Message | null, me: string, muted: (room: string) => boolean): void {
    const before = this.heard.get(room) ?? 0
    this.heard.set(room, Math.max(before, seq))
    if (!m || m.seq <= before || m.kind !== 'text' || m.deleted || m.author === me || this.sees(room)) return
    const n: Notice = { room, author: m.author, text: m.text, time: m.time, muted: muted(room) }
    for (const fn of this.listeners) fn(n)
  }
}
