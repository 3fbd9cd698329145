// The service worker keeps this page for the time when its site is gone (public/sw.js). It is only there where the browser takes
// the page's origin for a safe one. Its address is the one script that the page may make out of text, through the one policy
// of Trusted Types that the server's policy names.

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(text: string): string }): { createScriptURL(text: string): string }
}

/** startWorker has the worker kept up to date. A page without one works as well, as long as its site does. */
export function startWorker(): void {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return
  const address = '/sw.js'
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes
  const url = policies ? policies.createPolicy('bonghwa', { createScriptURL: () => address }).createScriptURL(address) : address
  // After the first picture: the worker loads all parts of the page.
  const start = () => void navigator.serviceWorker.register(url, { updateViaCache: 'none' }).catch(() => undefined)
  if (document.readyState === 'complete') start()
  else addEventListener('load', start, { once: true })
}
