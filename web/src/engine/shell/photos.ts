// Profile photos as blob: addresses, by the photo's name. Asked for by person, answered from memory, then from the store,
// then by GetPhotos, forty at a time. Of the addresses that were asked for longest ago, those beyond a bound are given back: who
// draws a photo asks for its address each time. A photo that changed has another name.
import type { Person } from '../types.ts'

const batch = 40
/** most addresses are held, at most 48 KiB each. */
export const most = 300

export interface PhotosIO {
  person(id: string): Person | undefined
  stored(name: string): Promise<Uint8Array | undefined>
  fetch(users: readonly string[]): Promise<readonly { readonly user: string; readonly photo: string; readonly jpeg: Uint8Array }[]>
  keep(photos: readonly { readonly name: string; readonly jpeg: Uint8Array }[]): void
  /** loaded: addresses came; whoever shows these people looks again. */
  loaded(users: readonly string[]): void
  after(ms: number, fn: () => void): () => void
}

export class Photos {
  /** urls by name, the one asked for last at the end. */
  private readonly urls = new Map<string, string>()
  /** asked names: under way or not to be had. */
  private readonly asked = new Set<string>()
  private wanted = new Map<string, string>()
  private timer = false
  /** era grows when all is forgotten: what was asked for before is nobody's. */
  private era = 0
  private readonly io: PhotosIO

  constructor(io: PhotosIO) {
    this.io = io
  }

  url(user: string): string {
    const p = this.io.person(user)
    if (!p?.photo) return ''
    const known = this.urls.get(p.photo)
    if (known !== undefined) {
      this.urls.delete(p.photo)
      this.urls.set(p.photo, known)
      return known
    }
    if (!this.asked.has(p.photo)) {
      this.asked.add(p.photo)
      this.wanted.set(p.photo, user)
      if (!this.timer) {
        this.timer = true
        this.io.after(20, () => void this.load())
      }
    }
    return ''
  }

  /** retry asks again for what could not be had: there is a connection again. */
  retry(): void {
    for (const name of this.asked) if (!this.urls.has(name) && !this.wanted.has(name)) this.asked.delete(name)
  }

  /** clear forgets everything: another account. */
  clear(): void {
    this.era++
    for (const u of this.urls.values()) URL.revokeObjectURL(u)
    this.urls.clear()
    this.asked.clear()
    this.wanted.clear()
  }

  private put(name: string, jpeg: Uint8Array): void {
    if (this.urls.has(name)) return
    this.urls.set(name, URL.createObjectURL(new Blob([jpeg as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' })))
    for (const [old, url] of this.urls) {
      if (this.urls.size <= most) break
      this.urls.delete(old)
      this.asked.delete(old)
      URL.revokeObjectURL(url)
    }
  }

  private async load(): Promise<void> {
    const era = this.era
    this.timer = false
    const wanted = this.wanted
    this.wanted = new Map()
    const got: string[] = []
    const missing: string[] = []
    for (const [name, user] of wanted) {
      const jpeg = await this.io.stored(name).catch(() => undefined)
      if (era !== this.era) return
      if (jpeg) {
        this.put(name, jpeg)
        got.push(user)
      } else missing.push(user)
    }
    if (got.length > 0) this.io.loaded(got)
    for (let i = 0; i < missing.length; i += batch) {
      const users = missing.slice(i, i + batch)
      const photos = await this.io.fetch(users).catch(() => [])
      if (era !== this.era) return
      for (const p of photos) this.put(p.photo, p.jpeg)
      if (photos.length === 0) continue
      this.io.keep(photos.map((p) => ({ name: p.photo, jpeg: p.jpeg })))
      this.io.loaded(photos.map((p) => p.user))
    }
  }
}
