// Sight is what is looked at in all windows of the device: it decides which rooms the server tells of in detail, which rows the
// core must not leave out, and which messages somebody sees come without being told.

interface Window {
  rooms: readonly string[]
  active: boolean
  /** heard is when the window last said what it looks at. */
  heard: number
  /** watched: rooms of which the window's model holds the rows. */
  readonly watched: Set<string>
}

const most = 8

export class Sight {
  private readonly windows = new Map<string, Window>()

  set(window: string, rooms: readonly string[], active: boolean, now: number): void {
    const w = this.window(window)
    w.heard = now
    w.rooms = rooms
    w.active = active
  }

  watch(window: string, room: string): void {
    this.window(window).watched.add(room)
  }

  /** unwatch returns whether no window watches the room any more. */
  unwatch(window: string, room: string): boolean {
    this.window(window).watched.delete(room)
    return ![...this.windows.values()].some((w) => w.watched.has(room))
  }

  /** gone: a window is closed; returns the rooms that nobody watches any more. */
  gone(window: string): readonly string[] {
    const rooms = [...(this.windows.get(window)?.watched ?? [])].filter((room) => this.unwatch(window, room))
    this.windows.delete(window)
    return rooms
  }

  /** silent are the windows that were not heard of since then. */
  silent(since: number): readonly string[] {
    return [...this.windows].filter(([, w]) => w.heard < since).map(([id]) => id)
  }

  /** clear forgets all windows. */
  clear(): void {
    this.windows.clear()
  }

  /** rooms in view, of active windows first, at most eight. */
  get rooms(): readonly string[] {
    const list = [...this.windows.values()].sort((a, b) => Number(b.active) - Number(a.active))
    return [...new Set(list.flatMap((w) => w.rooms))].slice(0, most)
  }

  /** sees: somebody looks at the room now. */
  sees(room: string): boolean {
    for (const w of this.windows.values()) if (w.active && w.rooms.includes(room)) return true
    return false
  }

  private window(id: string): Window {
    let w = this.windows.get(id)
    if (!w) {
      w = { rooms: [], active: false, heard: Infinity, watched: new Set() }
      this.windows.set(id, w)
    }
    return w
  }
}
