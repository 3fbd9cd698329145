// The sites of the system as a window knows them. Numbers are those of the addresses that the page may use: 0 is the site that
// it came from, then the others that its policy names; they keep their meaning as long as the page is open. What the system tells
// of its sites says which of these are still part of it, and what they are called.
import type { Site, Sites as SitesState } from '../types.ts'

export class Sites {
  /** urls are origins. */
  readonly urls: readonly string[]
  /** first is the site that is tried first: the page's own, unless that did not answer when the page was opened. */
  readonly first: number
  private where: number
  /** connected is where the last connection was, -1: nowhere yet. left is where the one before was. */
  private connected = -1
  private left = -1
  private movedAt = 0
  private told: readonly Site[] = []

  constructor(origin: string, elsewhere: readonly string[], kept = false) {
    this.urls = [origin, ...elsewhere]
    this.first = this.where = kept && elsewhere.length > 0 ? 1 : 0
  }

  /** at is the site of the connection or the one that is tried, where calls go first. */
  get at(): number {
    return this.where
  }

  /** go: there is a connection to a site, or it is tried. The window that leads may have been opened when there were more. */
  go(site: number, online: boolean, now: number): void {
    this.where = site < this.urls.length ? site : 0
    if (!online || this.connected === this.where) return
    this.left = this.connected
    this.movedAt = this.connected < 0 ? 0 : now
    this.connected = this.where
  }

  /** tell takes the list of the system; an empty one says nothing. */
  tell(list: readonly Site[]): void {
    const good = list.map(({ name, url }) => ({ name, url: originOf(url) })).filter((s) => /^https?:/.test(s.url))
    if (good.length > 0) this.told = good
  }

  /** forget: nobody is logged in any more. */
  forget(): void {
    this.told = []
    this.where = this.first
    this.movedAt = 0
    this.connected = this.left = -1
  }

  /** dropped says of each address whether it is no longer part of the system. The page's own stays. */
  get dropped(): readonly boolean[] {
    return this.urls.map((url, i) => i > 0 && this.told.length > 0 && !this.told.some((s) => s.url === url))
  }

  /** order is all sites to be asked, the one of the connection first. */
  get order(): readonly number[] {
    const { dropped, at } = this
    return this.urls.map((_, i) => (at + i) % this.urls.length).filter((i) => i === at || !dropped[i])
  }

  /** outgrown: the system has a site that this page may not use, as one has that was one machine when the page was loaded. A page
   * of a name that is no site's has no other sites, and gets none by being loaded again. */
  get outgrown(): boolean {
    const own = this.urls[0] ?? ''
    const usable = (url: string) => url.startsWith('https:') || own.startsWith('http:')
    return this.told.some((s) => s.url === own) && this.told.some((s) => usable(s.url) && !this.urls.includes(s.url))
  }

  get state(): SitesState {
    const name = (site: number) => this.told.find((s) => s.url === this.urls[site])?.name ?? ''
    return { list: this.told, at: name(this.connected), left: name(this.left), movedAt: this.movedAt }
  }
}

/** originOf is the origin of an address, '' if it is none. */
export function originOf(url: string): string {
  try {
    return new URL(url).origin
  } catch {
    return ''
  }
}
