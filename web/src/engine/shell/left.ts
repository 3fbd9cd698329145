// What a page that goes away leaves in the browser's synchronous storage, because a transaction begun then may not be made. The
// next page takes it from there, under the same log-in only; logging out wipes it.

/** Rescue is the part of localStorage that is used; null where the browser has none. */
export type Rescue = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null

export interface LeftHost {
  readonly slot: string
  /** rescue: null where it is not for this window. */
  rescue(): Rescue
  /** owner names the log-in, '' if nobody is logged in. */
  owner(): string
}

interface Bundle<T> {
  readonly owner: string
  readonly left: T
}

/** pack and unpack carry bytes through JSON. */
const pack = (_: string, v: unknown) => (v instanceof Uint8Array ? { u8: [...v] } : v)
const unpack = (_: string, v: { readonly u8?: readonly number[] } | null) => (v?.u8 ? Uint8Array.from(v.u8) : v)

export class Left<T> {
  private readonly key: string
  private readonly host: LeftHost

  constructor(name: string, host: LeftHost) {
    this.key = `bonghwa.${name}.${host.slot}`
    this.host = host
  }

  /** read is what pages of this log-in have left. */
  read(): T | null {
    try {
      const b = JSON.parse(this.host.rescue()?.getItem(this.key) ?? 'null', unpack) as Bundle<T> | null
      return b && b.owner === this.host.owner() ? (b.left ?? null) : null
    } catch {
      return null // not to be read
    }
  }

  write(left: T): void {
    const owner = this.host.owner()
    if (owner === '') return
    try {
      this.host.rescue()?.setItem(this.key, JSON.stringify({ owner, left } satisfies Bundle<T>, pack))
    } catch {
      // Full or refused: the store has all but the last moment.
    }
  }

  /** clear takes away what pages of this log-in have left; with nobody logged in, whatever is there. */
  clear(): void {
    if (this.host.owner() !== '' && this.read() === null) return
    try {
      this.host.rescue()?.removeItem(this.key)
    } catch {
      // Refused: then nothing is in it.
    }
  }
}
