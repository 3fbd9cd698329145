// What a window does when the browser says that it is hidden, stopped, shown again or going away, and when the network may be
// another one. A browser may say the same twice, or in any order; nothing of this is doubled by that.
import type { Drafts } from './drafts.ts'
import type { Wake } from './env.ts'
import type { ShellNote } from './notes.ts'
import type { Pulse } from './pulse.ts'
import type { Reign } from './reign.ts'
import type { Tabs } from './tabs.ts'

export interface Woken {
  readonly drafts: Drafts
  readonly reign: Reign
  readonly tabs: Tabs
  readonly pulse: Pulse
  post(n: ShellNote): void
}

export function woken(w: Woken, why: Wake): void {
  switch (why) {
    case 'hide':
      // The page ends, and with it the lock and the connection. Until then what others on this page still want is stored.
      w.drafts.leave()
      w.post({ t: 'gone' })
      w.reign.lead?.run((core) => core.keep())
      if (w.tabs.way === 'channel') w.tabs.leave()
      return
    case 'frozen':
      w.drafts.leave()
      w.post({ t: 'gone' })
      w.reign.drop()
      w.tabs.leave()
      return
    case 'thawed':
      w.drafts.stay()
      w.tabs.start()
      w.post({ t: 'join' })
      w.pulse.beat()
      return
    case 'hidden':
      w.drafts.leave()
      w.reign.lead?.run((core) => core.keep())
      void w.reign.leading?.cache.flush()
      return
    case 'visible':
      w.drafts.stay()
      w.tabs.shown()
      w.pulse.beat()
      return
    default:
      w.pulse.beat()
  }
}
