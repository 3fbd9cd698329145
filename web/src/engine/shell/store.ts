// The store of one account slot: tables of plain values, in IndexedDB or, where that is refused, in memory. Guarantees: the
// writes of one call are made all or none and in the order of the calls; with `fence`, only while this window is the one
// that leads, so that a window that slept through losing the lead cannot write over its successor. A read that fails says so:
// it never looks like an empty table. A database that is closed from outside, or fails for reasons of its own, is opened again, at
// most once a minute. A page that stops leaves no transaction open. The store knows nothing of what the values mean; records.ts does.
import { type IDBPDatabase, type IDBPTransaction, openDB } from 'idb'

export const tables = ['meta', 'items', 'counters', 'kept', 'done', 'drafts', 'lines', 'stretches', 'people', 'photos', 'memory'] as const
export type Table = (typeof tables)[number]
export type Key = string | number

/** Write puts a value under a key; without a value it deletes what is there. */
export interface Write {
  readonly table: Table
  readonly key: Key
  readonly value?: unknown
}

export interface WriteOptions {
  /** strict: on the disk before the promise ends, where the browser can. */
  readonly strict?: boolean
  /** fence: refuse unless this window claimed the store last. */
  readonly fence?: string
}

/** Why a store failed: full = no room or the write failed; fenced = another window leads; unreadable = what is there is not
 * known; refused = the database was taken away for good. */
export type Why = 'full' | 'fenced' | 'unreadable' | 'refused'

export class StoreError extends Error {
  readonly why: Why
  constructor(why: Why) {
    super(why)
    this.why = why
  }
}

export interface Store {
  readonly kind: 'disk' | 'memory'
  /** get and entries reject with StoreError only. */
  get(table: Table, key: Key): Promise<unknown>
  /** entries of a table in order of their keys. */
  entries(table: Table): Promise<readonly (readonly [Key, unknown])[]>
  /** write makes all writes or none; it rejects with StoreError only. */
  write(writes: readonly Write[], options?: WriteOptions): Promise<void>
  /** claim makes this the window whose fenced writes are taken, unless it is not wanted any more when it comes to it, after a sleep. */
  claim(fence: string, wanted?: () => boolean): Promise<void>
  /** wipe deletes everything but settings of the window. */
  wipe(): Promise<void>
  /** sleep: the page stops, maybe for good, maybe only in the browser's cache of pages. What is under way is undone and waits,
   * with what comes, for rouse: WebKit keeps the transactions of a stopped page open, and the next page would wait for them. */
  sleep(): void
  /** rouse tells whether it slept. */
  rouse(): boolean
  /** changes that are in no database; a store on the disk has none. */
  changes?(): readonly Write[]
  close(): void
}

const fenceKey = 'fence'
const version = 1

/** openTimeout: an open that takes longer counts as refused. */
export const openTimeout = 4000
/** openEvery: a database that is lost again sooner is not opened again, ms. */
export const openEvery = 60_000
/** innocent: failures that say nothing against the connection. WebKit reports a lost one as UnknownError, for every request. */
const innocent = new Set(['QuotaExceededError', 'DataError', 'DataCloneError', 'ConstraintError', 'AbortError'])

type After = (ms: number, fn: () => void) => () => void

/** openStore opens the database of a slot, or a store in memory if there can be none. insist: there was one, so that a failure is
 * worth a second try. */
export async function openStore(slot: string, after: After, insist = false): Promise<Store> {
  const store = new DiskStore(slot, after)
  if (await store.open()) return store
  if (insist) {
    await new Promise<void>((resolve) => after(500, resolve))
    if (await store.open()) return store
  }
  return new MemoryStore()
}

/** openDatabase ends with null if there is none to be had in time; lost is called when it is closed from outside. */
async function openDatabase(slot: string, after: After, lost: () => void): Promise<IDBPDatabase | null> {
  if (typeof indexedDB === 'undefined') return null
  let late = false
  let stop = () => {}
  const timeout = new Promise<null>((resolve) => {
    stop = after(openTimeout, () => {
      late = true
      resolve(null)
    })
  })
  const open = async () =>
    openDB(`bonghwa-${slot}`, version, {
      upgrade(db) {
        for (const t of tables) if (!db.objectStoreNames.contains(t)) db.createObjectStore(t)
      },
      // A newer client wants to change the schema: it must not wait for this window.
      blocking(_current, _blocked, event) {
        ;(event.target as IDBDatabase).close()
        lost()
      },
      // The browser clears its data, or has lost its disk.
      terminated: lost,
    })
  // Some browsers refuse by throwing, some by an error, some by silence.
  const opening = open().then(
    (db) => {
      if (!late) return db
      db.close()
      return null
    },
    () => null,
  )
  const db = await Promise.race([opening, timeout])
  stop()
  return db
}

class DiskStore implements Store {
  readonly kind = 'disk'
  private readonly slot: string
  private readonly after: After
  private db: IDBPDatabase | null = null
  /** again is the latest opening anew, for openEvery. */
  private again: Promise<boolean> | null = null
  private shut = false
  /** under way. */
  private readonly under = new Set<{ abort(): void }>()
  /** asleep ends with the sleep. */
  private asleep: Promise<void> | null = null
  private wakeUp = () => {}
  /** sleeps so far. */
  private sleeps = 0

  constructor(slot: string, after: After) {
    this.slot = slot
    this.after = after
  }

  async open(): Promise<boolean> {
    // Closed again meanwhile: then it is not there.
    let lost = false
    const db = await openDatabase(this.slot, this.after, () => {
      lost = true
      this.db = null
    })
    if (!lost) this.db = db
    return this.db !== null
  }

  sleep(): void {
    this.sleeps++
    this.asleep ??= new Promise((resolve) => (this.wakeUp = resolve))
    for (const tx of this.under) {
      try {
        tx.abort()
      } catch {
        // It has just ended.
      }
    }
    this.under.clear()
  }

  rouse(): boolean {
    const slept = this.asleep !== null
    this.asleep = null
    this.wakeUp()
    return slept
  }

  /** use works on the database, when the page is awake. What a sleep has undone is done again after it. */
  private async use<T>(f: (db: IDBPDatabase) => Promise<T>): Promise<T> {
    for (;;) {
      while (this.asleep) await this.asleep
      const before = this.sleeps
      try {
        return await this.useOpen(f)
      } catch (e) {
        if (before === this.sleeps || e instanceof StoreError) throw e
      }
    }
  }

  /** begin a transaction that a sleep undoes. */
  private begin<M extends IDBTransactionMode>(db: IDBPDatabase, names: readonly Table[], mode: M, durability: IDBTransactionDurability = 'default'): IDBPTransaction<unknown, Table[], M> {
    const tx = db.transaction([...names], mode, { durability })
    this.under.add(tx)
    const over = () => void this.under.delete(tx)
    tx.done.then(over, over)
    return tx
  }

  /** useOpen works on the database. What fails because it was closed is done again on the one opened anew: then nothing of it was
   * made. */
  private async useOpen<T>(f: (db: IDBPDatabase) => Promise<T>): Promise<T> {
    const db = this.db
    try {
      if (db) return await f(db)
    } catch (e) {
      // A connection that is closing refuses transactions a moment before it is told to be closed.
      const lost = this.db !== db || (e instanceof DOMException && !innocent.has(e.name))
      if (!lost || e instanceof StoreError) throw e
      if (this.db === db) {
        this.db = null
        db?.close()
      }
    }
    if (!this.again && !this.shut) {
      this.again = this.open()
      this.after(openEvery, () => (this.again = null))
    }
    await this.again
    if (!this.db) throw new StoreError('refused')
    return f(this.db)
  }

  private async read<T>(f: (db: IDBPDatabase) => Promise<T>): Promise<T> {
    try {
      return await this.use(f)
    } catch {
      throw new StoreError('unreadable')
    }
  }

  async get(table: Table, key: Key): Promise<unknown> {
    return this.read((db) => this.begin(db, [table], 'readonly').objectStore(table).get(key))
  }

  async entries(table: Table): Promise<readonly (readonly [Key, unknown])[]> {
    return this.read(async (db) => {
      const tx = this.begin(db, [table], 'readonly')
      const all = tx.objectStore(table)
      const [keys, values] = await Promise.all([all.getAllKeys(), all.getAll(), tx.done])
      return keys.map((k, i) => [k as Key, values[i] as unknown] as const)
    })
  }

  async write(writes: readonly Write[], options: WriteOptions = {}, wanted = () => true): Promise<void> {
    const names = new Set<Table>(writes.map((w) => w.table))
    if (options.fence !== undefined) names.add('meta')
    if (names.size === 0) return
    try {
      await this.use(async (db) => {
        if (!wanted()) throw new StoreError('fenced')
        await transact(this.begin(db, [...names], 'readwrite', options.strict ? 'strict' : 'relaxed'), writes, options.fence)
      })
    } catch (e) {
      throw e instanceof StoreError ? e : new StoreError('full')
    }
  }

  claim(fence: string, wanted?: () => boolean): Promise<void> {
    return this.write([{ table: 'meta', key: fenceKey, value: fence }], { strict: true }, wanted)
  }

  async wipe(): Promise<void> {
    try {
      await this.use(async (db) => {
        const tx = this.begin(db, tables, 'readwrite', 'strict')
        for (const t of tables) tx.objectStore(t).clear().catch(() => undefined) // tx.done tells
        await tx.done
      })
    } catch (e) {
      throw e instanceof StoreError ? e : new StoreError('full')
    }
  }

  close(): void {
    this.shut = true
    this.db?.close()
    this.db = null
  }
}

/** transact makes all writes or none. */
async function transact(tx: IDBPTransaction<unknown, Table[], 'readwrite'>, writes: readonly Write[], fence: string | undefined): Promise<void> {
  // A failed request rejects on its own besides aborting the transaction; what counts is tx.done.
  const done = tx.done.then(
    () => null,
    (e: unknown) => e ?? new Error('aborted'),
  )
  // Asked for and written in one go: a page that goes away meanwhile leaves nothing half begun.
  const holder = fence === undefined ? fence : tx.objectStore('meta').get(fenceKey)
  try {
    for (const w of writes) {
      const s = tx.objectStore(w.table)
      const r = w.value === undefined ? s.delete(w.key) : s.put(w.value, w.key)
      r.catch(() => undefined)
    }
  } catch (e) {
    void holder?.catch(() => undefined)
    tx.abort() // a value that cannot be stored
    await done
    throw e
  }
  if ((await holder) !== fence) {
    tx.abort()
    await done
    throw new StoreError('fenced')
  }
  const failed = await done
  if (failed) throw failed
}

/** MemoryStore lasts as long as the page. */
export class MemoryStore implements Store {
  readonly kind = 'memory'
  private slept = false
  private readonly maps = new Map<Table, Map<Key, unknown>>(tables.map((t) => [t, new Map()]))

  private map(table: Table): Map<Key, unknown> {
    return this.maps.get(table) ?? new Map()
  }

  async get(table: Table, key: Key): Promise<unknown> {
    return this.map(table).get(key)
  }

  async entries(table: Table): Promise<readonly (readonly [Key, unknown])[]> {
    return [...this.map(table)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  }

  async write(writes: readonly Write[], options: WriteOptions = {}): Promise<void> {
    if (options.fence !== undefined && this.map('meta').get(fenceKey) !== options.fence) throw new StoreError('fenced')
    for (const w of writes) {
      if (w.value === undefined) this.map(w.table).delete(w.key)
      else this.map(w.table).set(w.key, w.value)
    }
  }

  async claim(fence: string): Promise<void> {
    this.map('meta').set(fenceKey, fence)
  }

  async wipe(): Promise<void> {
    for (const m of this.maps.values()) m.clear()
  }

  sleep(): void {
    this.slept = true
  }

  rouse(): boolean {
    const { slept } = this
    this.slept = false
    return slept
  }

  changes(): readonly Write[] {
    return (['items', 'kept'] as const).flatMap((table) => [...this.map(table)].map(([key, value]) => ({ table, key, value })))
  }

  close(): void {}
}

/** inMemory copies a store that cannot be written; it rejects if it cannot be read either. */
export async function inMemory(from: Store): Promise<Store> {
  const copy = new MemoryStore()
  for (const table of ['meta', 'items', 'counters', 'kept', 'done', 'lines', 'drafts', 'memory'] as const) {
    await copy.write((await from.entries(table)).map(([key, value]) => ({ table, key, value })))
  }
  return copy
}
