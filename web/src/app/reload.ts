// Loading the page again when the server has another build. Drafts are in the store, so nothing typed is lost; still it
// waits until nothing is being typed, or nobody looks. Another text for a message is no draft: it is waited for in any case. Once
// per build: if that did not help, the person decides. Never where all is in memory: the log-in would go with it.
import type { Engine } from '../engine/types.ts'
import { overlaid } from '../ui/overlay.tsx'
import { typing } from './keys.ts'
import { reloadOnce } from './load.ts'

/** busy: something is being typed or asked. */
function busy(): boolean {
  if (document.querySelector('[data-unsaved]')) return true
  if (document.hidden) return false
  const el = document.activeElement
  return overlaid() || (typing(el) && (el as HTMLInputElement | HTMLTextAreaElement).value !== '')
}

/** watchBuild reloads when there is a new build and a good moment; the result ends it. */
export function watchBuild(engine: Engine): () => void {
  let timer: ReturnType<typeof setInterval> | undefined
  const look = () => {
    const a = engine.app.get()
    if (!a.newBuild || a.storage === 'refused' || busy()) return
    clearInterval(timer)
    timer = undefined
    reloadOnce([a.server?.webBuild ?? 'new', ...a.sites.list.map((s) => s.url)].join(' '))
  }
  const changed = () => {
    if (engine.app.get().newBuild && timer === undefined) {
      timer = setInterval(look, 2000)
      look()
    }
  }
  const end = engine.app.subscribe(changed)
  document.addEventListener('visibilitychange', look)
  changed()
  return () => {
    end()
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
  }
}
