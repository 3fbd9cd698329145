// Before the first paint: theme, text size and language on <html>. And if a part of this build is gone because the server
// has a newer one, the page is loaded again, once.
import { readSettings, showSettings } from './app/stored.ts'

showSettings(readSettings())

addEventListener(
  'error',
  (e) => {
    const el = e.target
    if (!(el instanceof HTMLScriptElement) && !(el instanceof HTMLLinkElement)) return
    const src = el instanceof HTMLScriptElement ? el.src : el.href
    try {
      if (!src.includes('/a/') || sessionStorage.getItem('bonghwa.part') === src) return
      sessionStorage.setItem('bonghwa.part', src)
    } catch {
      return
    }
    location.reload()
  },
  true,
)
