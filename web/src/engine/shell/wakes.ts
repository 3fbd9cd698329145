// What a window does when the browser says that it is hidden, stopped, shown again or going away, and when the network may be
// another one. A browser may say the same twice, or in any order; nothing of this is doubled by that.
import type { Changes } from './changes.ts'
import type { Drafts } from './drafts.ts'
import type { Wake } from './env.ts'
import type { ShellNote } from './notes.ts'
import type { Pulse } from './pulse.ts'
import type { Reign } from './reign.ts'
import type { Store } from './store.ts'
import type { Tabs } from './tabs.ts'

export interface Woken {
  readonly drafts: Drafts
  readonly changes: Changes
  readonly reign: Reign
  readonly tabs: Tabs
  readonly pulse: Pulse
  store(): Store
  post(n: ShellNote): void
}

export function woken(w: Woken, why: Wake): void {
  switch (why) {
    case 'hide':
      // The page ends, and with it the lock and the connection. Until then what others on this page still want is stored.
      leave(w)
      w.post({ t: 'gone' })
      w.reign.lead?.run((core) => core.keep())
      if (w.tabs.way === 'channel') w.tabs.leave()
      return
    case 'frozen':
      leave(w)
      w.post({ t: 'gone' })
      w.reign.drop()
      w.tabs.leave()
      w.store().sleep()
      return
    case 'thawed':
      w.store().rouse()
      thaw(w)
      return
    case 'hidden':
      leave(w)
      w.reign.lead?.run((core) => core.keep())
      void w.reign.leading?.cache.flush()
      return
    case 'visible':
      // Some browsers show a page again without saying that it goes on.
      if (w.store().rouse()) thaw(w)
      w.drafts.stay()
      w.tabs.shown()
      w.pulse.beat()
      return
    default:
      if (w.store().rouse()) thaw(w)
      w.pulse.beat()
  }
}

function thaw(w: Woken): void {
  w.drafts.stay()
  w.tabs.start()
  w.post({ t: 'join' })
  w.pulse.beat()
}

/** leave: the page may end without another word. */
function leave(w: Woken): void {
  w.drafts.leave()
  w.changes.leave()
}
