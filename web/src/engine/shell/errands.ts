// Errands are small things that the leading window does for all: done here if this window leads, handed on by a note if not.
// None of them is promised to arrive.
import type { Stored } from './cache.ts'
import type { ShellNote } from './notes.ts'
import type { Reign } from './reign.ts'

export class Errands {
  /** memory is what this device remembers for the views, by key. */
  readonly memory = new Map<string, string>()
  private readonly reign: Reign
  private readonly loggedIn: () => boolean
  private readonly post: (n: ShellNote) => void

  constructor(reign: Reign, loggedIn: () => boolean, post: (n: ShellNote) => void) {
    this.reign = reign
    this.loggedIn = loggedIn
    this.post = post
  }

  markRead(room: string, seq: number): void {
    const { lead } = this.reign
    if (lead) lead.run((core, now) => core.markRead(now, room, seq))
    else this.post({ t: 'read', room, seq })
  }

  typing(room: string, stopped: boolean): void {
    const { lead } = this.reign
    if (lead) lead.run((core) => core.typing(room, stopped))
    else this.post({ t: 'typing', room, stopped })
  }

  keepCache(stored: Stored): void {
    if (!this.loggedIn()) return
    const l = this.reign.leading
    if (l) l.cache.add(stored)
    else this.post({ t: 'cache', stored })
  }

  /** remember keeps a small value on this device. */
  remember(key: string, value: string): void {
    this.takeMemory(key, value)
    this.post({ t: 'memory', key, value })
  }

  takeMemory(key: string, value: string): void {
    if (!this.loggedIn()) return
    this.memory.set(key, value)
    this.reign.leading?.writer.write([{ table: 'memory', key, value }], false)
  }
}
