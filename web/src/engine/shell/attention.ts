// Attention is what this window looks at, and what the leader makes of what all windows look at. A following window tells the
// leader by notes, and says it again from time to time: a window that was killed without a word is forgotten, so that it
// does not keep others from being told. The leading one moves the core.
import type { Lead } from './lead.ts'
import type { ShellNote } from './notes.ts'
import { Sight } from './sight.ts'

const sayAgain = 30_000
/** forgotten: timers of a hidden window come once a minute. */
const forgotten = 150_000

export interface AttentionEnv {
  mono(): number
  after(ms: number, fn: () => void): () => void
}

export class Attention {
  private readonly sight = new Sight()
  private readonly id: string
  /** lead is there while this window leads and somebody is logged in. */
  private readonly lead: () => Lead | null
  private readonly leading: () => boolean
  private readonly post: (n: ShellNote) => void
  private rooms: readonly string[] = []
  private active = false
  private readonly watched = new Map<string, number>()
  private readonly env: AttentionEnv
  private stopTimer: () => void = () => {}

  constructor(env: AttentionEnv, id: string, lead: () => Lead | null, leading: () => boolean, post: (n: ShellNote) => void) {
    this.env = env
    this.id = id
    this.lead = lead
    this.leading = leading
    this.post = post
  }

  start(): void {
    this.stopTimer = this.env.after(sayAgain, () => {
      if (this.leading()) for (const window of this.sight.silent(this.env.mono() - forgotten)) this.gone(window)
      else if (this.active || this.rooms.length > 0 || this.watched.size > 0) this.tell()
      this.start()
    })
  }

  stop(): void {
    this.stopTimer()
  }

  sees(room: string): boolean {
    return this.sight.sees(room)
  }

  view(rooms: readonly string[]): void {
    this.rooms = rooms
    this.look()
  }

  setActive(on: boolean): void {
    this.active = on
    this.look()
  }

  private look(): void {
    const { rooms, active } = this
    this.viewOf(this.id, rooms, active)
    if (!this.leading()) this.post({ t: 'view', rooms, active })
  }

  watch(room: string, seq: number): void {
    this.watched.set(room, seq)
    this.watchOf(this.id, room, seq)
    if (!this.leading()) this.post({ t: 'watch', room, seq })
  }

  unwatch(room: string): void {
    this.watched.delete(room)
    this.unwatchOf(this.id, room)
    if (!this.leading()) this.post({ t: 'unwatch', room })
  }

  /** tell tells a new leader elsewhere all of it. */
  tell(): void {
    this.post({ t: 'view', rooms: this.rooms, active: this.active })
    for (const [room, seq] of this.watched) this.post({ t: 'watch', room, seq })
  }

  /** begin tells the core of this window all of it. What others looked at when this window led before is not known any
      more; they say it when they hear of the new leader. */
  begin(): void {
    this.sight.clear()
    this.viewOf(this.id, this.rooms, this.active)
    for (const [room, seq] of this.watched) this.watchOf(this.id, room, seq)
  }

  viewOf(window: string, rooms: readonly string[], active: boolean): void {
    this.sight.set(window, rooms, active, window === this.id ? Infinity : this.env.mono())
    this.lead()?.run((core, now) => core.view(now, this.sight.rooms))
  }

  watchOf(window: string, room: string, seq: number): void {
    this.sight.watch(window, room)
    this.lead()?.run((core, now) => core.watch(now, room, seq))
  }

  unwatchOf(window: string, room: string): void {
    if (this.sight.unwatch(window, room)) this.lead()?.run((core) => core.unwatch(room))
  }

  /** gone: another window is closed. */
  gone(window: string): void {
    const rooms = this.sight.gone(window)
    this.lead()?.run((core, now) => {
      for (const room of rooms) core.unwatch(room)
      core.view(now, this.sight.rooms)
    })
  }
}
