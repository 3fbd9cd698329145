// The service worker keeps the page and the scripts of one build, so that the page opens while its site is gone, and goes on
// at another site. The page itself comes from the network whenever that answers soon; what is kept is used only whole: the page
// of a build with the files of that build. It keeps nothing of people: answers of the server to calls are never looked at.
const build = '__BUILD__'
const files = __FILES__

const prefix = 'bonghwa-shell-'
const store = prefix + build
const root = `/a/${build}/`
/** patience is how long the network may take for the page before the kept one is shown, ms. */
const patience = 1500
/** own are the first parts of the page's addresses; all others belong to the server. */
const own = new Set(['', 'friends', 'chats', 'room', 'more', 'ops', 'u'])

addEventListener('install', (e) => {
  e.waitUntil(
    (async () => {
      const cache = await caches.open(store)
      // The server may be a newer one by now: then its own worker comes, and this one is not needed.
      const page = await fetch('/', { cache: 'no-store' })
      if (!(await keepPage(cache, page))) throw new Error('the page is of another build')
      await cache.addAll(files.map((name) => root + name))
      await skipWaiting()
    })(),
  )
})

addEventListener('activate', (e) => {
  e.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith(prefix) && name !== store) await caches.delete(name)
      await clients.claim()
    })(),
  )
})

addEventListener('fetch', (e) => {
  const { request } = e
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin) return
  if (request.mode === 'navigate') {
    if (own.has(url.pathname.split('/')[1])) e.respondWith(page(e))
  } else if (url.pathname.startsWith(root) && !request.headers.has('range')) {
    e.respondWith(file(request))
  }
})

// A notification leads to its room: in a window of its account that is there, or in a new one.
addEventListener('notificationclick', (e) => {
  e.notification.close()
  e.waitUntil(open(e.notification.data.path))
})

async function open(path) {
  const account = (p) => /^\/u\/\d+(?=\/)/.exec(p)?.[0]
  const windows = await clients.matchAll({ type: 'window', includeUncontrolled: true })
  const at = windows.find((w) => account(new URL(w.url).pathname) === account(path))
  if (!at) return clients.openWindow(path)
  at.postMessage({ open: path })
  return at.focus()
}

/** page comes from the network, and if that is silent or fails, from what is kept. */
async function page(e) {
  const answer = fetch(e.request)
  answer.catch(() => undefined)
  const cache = await caches.open(store).catch(() => undefined)
  e.waitUntil(answer.then((r) => cache && keepPage(cache, r.clone())).catch(() => undefined))
  const late = new Promise((done) => setTimeout(done, patience))
  const soon = await Promise.race([answer, late]).catch(() => undefined)
  // A site that is there and cannot serve is as good as gone.
  if (soon && soon.status < 500) return soon
  const kept = await cache?.match('/').catch(() => undefined)
  return kept ? said(kept) : answer
}

/** said is the kept page with a word in it for its script: the site did not answer just now, so another one is tried first. */
async function said(kept) {
  const headers = new Headers(kept.headers)
  for (const name of ['Content-Encoding', 'Content-Length']) headers.delete(name)
  return new Response((await kept.text()).replace('<head>', '<head><meta name="bonghwa-kept" content="yes" />'), { headers })
}

/** keepPage keeps the page with its headers, if it is of this build; another one comes with its own worker. */
async function keepPage(cache, answer) {
  if (!answer.ok || answer.redirected || !(await answer.clone().text()).includes(root)) return false
  await cache.put('/', answer)
  return true
}

/** file of this build: it never changes. Pictures and fonts are kept when they are used first, if there is room. */
async function file(request) {
  const cache = await caches.open(store).catch(() => undefined)
  const kept = await cache?.match(request.url).catch(() => undefined)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok && answer.status === 200) await cache?.put(request.url, answer.clone()).catch(() => undefined)
  return answer
}
