// Sight is what people look at in all windows of the device: it decides which rooms the server tells of in detail, and which
// messages somebody sees come without being told.

interface Window {
  rooms: readonly string[]
  active: boolean
}

const most = 8

export class Sight {
  private readonly windows = new Map<string, Window>()

  set(window: string, rooms: readonly string[], active: boolean): void {
    this.windows.set(window, { rooms, active })
  }

  gone(window: string): void {
    this.windows.delete(window)
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
}
