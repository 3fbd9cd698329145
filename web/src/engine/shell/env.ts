// What the shell takes from the browser, in one place, so that tests can give it something else.
import { secureRand } from '../core/rand.ts'
import type { Rescue } from './left.ts'
import type { Channel } from './tabs.ts'

export interface Env {
  /** origin of the page, 'https://host'; calls go to <origin>/api, the socket to <origin>/live. */
  readonly origin: string
  /** elsewhere are the origins of the other sites that the policy of this page allows. */
  readonly elsewhere: readonly string[]
  /** kept: the page was kept by the browser, and its site did not answer when it was opened. */
  readonly kept: boolean
  readonly secure: boolean
  readonly locks: Pick<LockManager, 'request'> | null
  channel(name: string): Channel | null
  visible(): boolean
  /** wall is the clock of the machine; mono never goes back. */
  wall(): number
  mono(): number
  after(ms: number, fn: () => void): () => void
  rand(): number
  /** rescue is written at once, also while the page goes away; shared by all windows of the origin. */
  readonly rescue: Rescue
  /** wake calls fn on everything that may mean: time has passed or the network is another one. */
  wake(fn: (why: Wake) => void): () => void
  /** ownBuild is the hash that this script was served under, '' if unknown. */
  readonly ownBuild: string
}

export type Wake = 'visible' | 'hidden' | 'focus' | 'online' | 'offline' | 'frozen' | 'thawed' | 'hide' | 'shown'

/** buildOf finds the hash in the address of the script, /a/<hash>/app.js. */
export function buildOf(url: string): string {
  return /\/a\/([0-9a-z]+)\/[^/]*$/.exec(url)?.[1] ?? ''
}

/** Mark says, beside the database, that somebody is logged in on this device: a database that cannot be opened is then not taken
 * for one that was never there. */
export class Mark {
  private readonly rescue: Rescue
  private readonly key: string

  constructor(rescue: Rescue, slot: string) {
    this.rescue = rescue
    this.key = `bonghwa.in.${slot}`
  }

  get there(): boolean {
    try {
      return this.rescue?.getItem(this.key) === '1'
    } catch {
      return false
    }
  }

  set(on: boolean): void {
    try {
      if (on) this.rescue?.setItem(this.key, '1')
      else this.rescue?.removeItem(this.key)
    } catch {
      // Refused: then a database that fails looks like none, as before.
    }
  }
}

function localRescue(): Rescue {
  try {
    return localStorage
  } catch {
    return null // refused
  }
}

/** elsewhere reads the list that the page was served with. A page that came by TLS cannot leave it. */
export function elsewhere(own: string, list: string): string[] {
  const good = (o: string) => o !== own && (o.startsWith('https://') || (o.startsWith('http://') && own.startsWith('http://')))
  return [...new Set(list.split(' '))].filter(good)
}

export function browserEnv(): Env {
  return {
    origin: location.origin,
    elsewhere: elsewhere(location.origin, document.querySelector<HTMLMetaElement>('meta[name="bonghwa-sites"]')?.content ?? ''),
    kept: document.querySelector('meta[name="bonghwa-kept"]') !== null,
    secure: globalThis.isSecureContext,
    locks: globalThis.isSecureContext && 'locks' in navigator ? navigator.locks : null,
    channel: (name) => (typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name)),
    visible: () => document.visibilityState === 'visible',
    wall: () => Date.now(),
    mono: () => performance.now(),
    after(ms, fn) {
      const t = setTimeout(fn, Math.min(ms, 0x7fffffff))
      return () => clearTimeout(t)
    },
    rand: secureRand,
    rescue: localRescue(),
    ownBuild: buildOf(import.meta.url),
    wake(fn) {
      const on: (readonly [EventTarget, string, () => void])[] = []
      const listen = (target: EventTarget, type: string, f: () => void) => {
        target.addEventListener(type, f)
        on.push([target, type, f])
      }
      listen(document, 'visibilitychange', () => fn(document.visibilityState === 'visible' ? 'visible' : 'hidden'))
      listen(window, 'focus', () => fn('focus'))
      listen(window, 'online', () => fn('online'))
      listen(window, 'offline', () => fn('offline'))
      // A hidden page may be stopped without going away.
      listen(document, 'freeze', () => fn('frozen'))
      listen(document, 'resume', () => fn('thawed'))
      const hide = (e: Event) => fn((e as PageTransitionEvent).persisted ? 'frozen' : 'hide')
      const show = (e: Event) => fn((e as PageTransitionEvent).persisted ? 'thawed' : 'shown')
      window.addEventListener('pagehide', hide)
      window.addEventListener('pageshow', show)
      return () => {
        for (const [target, type, f] of on) target.removeEventListener(type, f)
        window.removeEventListener('pagehide', hide)
        window.removeEventListener('pageshow', show)
      }
    },
  }
}
