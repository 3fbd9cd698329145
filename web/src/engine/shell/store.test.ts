import 'fake-indexeddb/auto'
import { IDBFactory, forceCloseDatabase } from 'fake-indexeddb'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { MemoryStore, type Store, StoreError, type Why, inMemory, openEvery, openStore } from './store.ts'
import { Writer } from './writer.ts'

const never = () => () => {}

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})

const kinds: [string, () => Promise<Store>][] = [
  ['disk', () => openStore('1', never)],
  ['memory', async () => new MemoryStore()],
]

describe.each(kinds)('%s', (kind, open) => {
  test('holds what was written, by key and in order', async () => {
    const s = await open()
    expect(s.kind).toBe(kind)
    await s.write([
      { table: 'items', key: 10, value: { id: 10 } },
      { table: 'items', key: 9, value: { id: 9, bytes: new Uint8Array([1]) } },
      { table: 'meta', key: 'account', value: { user: 'u' } },
    ])
    expect(await s.entries('items')).toEqual([
      [9, { id: 9, bytes: new Uint8Array([1]) }],
      [10, { id: 10 }],
    ])
    await s.write([{ table: 'items', key: 9 }])
    expect(await s.get('items', 9)).toBeUndefined()
    expect(await s.get('meta', 'account')).toEqual({ user: 'u' })
    expect(await s.get('meta', 'nothing')).toBeUndefined()
    await s.wipe()
    expect(await s.entries('items')).toEqual([])
    expect(await s.get('meta', 'account')).toBeUndefined()
  })

  test('takes fenced writes of the last window only', async () => {
    const s = await open()
    await s.claim('a')
    await s.write([{ table: 'items', key: 1, value: 1 }], { fence: 'a' })
    await s.claim('b')
    await expect(s.write([{ table: 'items', key: 2, value: 2 }], { fence: 'a' })).rejects.toMatchObject({ why: 'fenced' })
    expect(await s.get('items', 2)).toBeUndefined()
    await s.write([{ table: 'items', key: 2, value: 2 }], { fence: 'b', strict: true })
    expect(await s.get('items', 2)).toBe(2)
  })
})

test('the database is shared by the windows of a slot and apart from other slots', async () => {
  const a = await openStore('1', never)
  const b = await openStore('1', never)
  const other = await openStore('2', never)
  await a.write([{ table: 'drafts', key: 'room', value: 'text' }])
  expect(await b.get('drafts', 'room')).toBe('text')
  expect(await other.get('drafts', 'room')).toBeUndefined()
})

test('a write is made whole or not at all', async () => {
  const s = await openStore('1', never)
  const bad = () => {} // functions cannot be stored
  await expect(
    s.write([
      { table: 'items', key: 1, value: 1 },
      { table: 'counters', key: 'c', value: bad },
    ]),
  ).rejects.toBeInstanceOf(StoreError)
  expect(await s.get('items', 1)).toBeUndefined()
})

test('refused: no database, one that throws, one that never answers', async () => {
  const was = globalThis.indexedDB
  Object.assign(globalThis, { indexedDB: undefined })
  expect((await openStore('1', never)).kind).toBe('memory')
  Object.assign(globalThis, {
    indexedDB: {
      open() {
        throw new DOMException('no', 'SecurityError')
      },
    },
  })
  expect((await openStore('1', never)).kind).toBe('memory')
  Object.assign(globalThis, { indexedDB: { open: () => new EventTarget() } })
  const opened = openStore('1', (_ms, fn) => {
    queueMicrotask(fn)
    return () => {}
  })
  expect((await opened).kind).toBe('memory')
  globalThis.indexedDB = was
})

describe('a database that fails', () => {
  /** databases that were opened, newest last. */
  const opened: IDBDatabase[] = []
  beforeEach(() => {
    opened.length = 0
    const open = indexedDB.open.bind(indexedDB)
    indexedDB.open = (...args) => {
      const request = open(...args)
      request.addEventListener('success', () => opened.push(request.result))
      return request
    }
  })
  const forceClose = () => forceCloseDatabase(opened.at(-1) as never)

  test('a read that fails is not an empty table', async () => {
    const s = await openStore('1', never)
    await s.write([{ table: 'items', key: 1, value: 1 }])
    const { transaction } = IDBDatabase.prototype
    onTestFinished(() => void (IDBDatabase.prototype.transaction = transaction))
    IDBDatabase.prototype.transaction = () => {
      throw new DOMException('broken', 'UnknownError')
    }
    await expect(s.get('items', 1)).rejects.toMatchObject({ why: 'unreadable' })
    await expect(s.entries('items')).rejects.toMatchObject({ why: 'unreadable' })
    await expect(inMemory(s)).rejects.toMatchObject({ why: 'unreadable' })
    await expect(s.write([{ table: 'items', key: 2, value: 2 }])).rejects.toMatchObject({ why: 'refused' })
    expect(opened).toHaveLength(2)
  })

  test('closed from outside it is opened again, once', async () => {
    const s = await openStore('1', never)
    await s.claim('f')
    await s.write([{ table: 'items', key: 1, value: 1 }], { fence: 'f' })
    forceClose()
    await s.write([{ table: 'items', key: 2, value: 2 }], { fence: 'f' })
    expect((await s.entries('items')).map(([k]) => k)).toEqual([1, 2])
    expect(opened).toHaveLength(2)
    forceClose()
    await expect(s.write([{ table: 'items', key: 3, value: 3 }], { fence: 'f' })).rejects.toMatchObject({ why: 'refused' })
    await expect(s.get('items', 1)).rejects.toMatchObject({ why: 'unreadable' })
    expect(opened).toHaveLength(2)
  })

  test('a connection that is lost without a word is replaced, and again after a while', async () => {
    let minute = () => {}
    const s = await openStore('1', (ms, fn) => {
      if (ms === openEvery) minute = fn
      return () => {}
    })
    const lose = () => {
      opened.at(-1)!.transaction = () => {
        throw new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError')
      }
    }
    lose()
    await s.write([{ table: 'items', key: 1, value: 1 }])
    lose()
    await expect(s.write([{ table: 'items', key: 2, value: 2 }])).rejects.toMatchObject({ why: 'refused' })
    minute()
    await s.write([{ table: 'items', key: 3, value: 3 }])
    expect((await s.entries('items')).map(([k]) => k)).toEqual([1, 3])
    expect(opened).toHaveLength(3)
  })

  test('closed under a write that is under way: the write is made all the same', async () => {
    const s = await openStore('1', never)
    await s.claim('f')
    const writing = s.write([{ table: 'items', key: 1, value: 1 }], { fence: 'f' })
    forceClose()
    await writing
    expect(await s.get('items', 1)).toBe(1)
  })

  test('a page that stops leaves nothing open for others to wait for; what it was doing is done when it goes on', async () => {
    const stopped = await openStore('1', never)
    await stopped.claim('f')
    // What WebKit does to a stopped page: its transactions stay open. Here one is kept open by asking it again and again.
    const open = opened[0]!.transaction('items', 'readwrite')
    const ask = (): void => void (open.objectStore('items').get(0).onsuccess = ask)
    ask()
    opened[0]!.transaction = () => open
    const writing = stopped.write([{ table: 'items', key: 1, value: 'one' }])
    stopped.sleep()
    opened[0]!.transaction = IDBDatabase.prototype.transaction
    const later = stopped.write([{ table: 'items', key: 2, value: 'two' }], { fence: 'f' })
    const next = await openStore('1', never)
    expect(await next.entries('items')).toEqual([])
    stopped.rouse()
    await Promise.all([writing, later])
    expect(await next.entries('items')).toEqual([[1, 'one'], [2, 'two']])
    next.close()
  })

  test('who lost the lead while it slept writes no more', async () => {
    const stopped = await openStore('1', never)
    await stopped.claim('f')
    stopped.sleep()
    const writing = stopped.write([{ table: 'items', key: 1, value: 'one' }], { fence: 'f' })
    const next = await openStore('1', never)
    await next.claim('g')
    stopped.rouse()
    await expect(writing).rejects.toMatchObject({ why: 'fenced' })
    next.close()
  })

  test('a newer client takes it over and does not wait; this one is refused', async () => {
    const s = await openStore('1', never)
    const newer = await new Promise<IDBDatabase>((resolve, reject) => {
      const r = indexedDB.open('bonghwa-1', 2)
      r.onsuccess = () => resolve(r.result)
      r.onblocked = () => reject(new Error('blocked'))
    })
    await expect(s.write([{ table: 'items', key: 1, value: 1 }])).rejects.toMatchObject({ why: 'refused' })
    newer.close()
  })
})

describe('writer', () => {
  /** Shaky is a store that fails when told to. */
  class Shaky extends MemoryStore {
    fails = false
    why: Why = 'full'
    transactions = 0
    override async write(...args: Parameters<MemoryStore['write']>): Promise<void> {
      this.transactions++
      if (this.fails) throw new StoreError(this.why)
      await super.write(...args)
    }
  }

  test('keeps the order, gathers while one is under way', async () => {
    const s = new Shaky()
    await s.claim('f')
    const w = new Writer(s, 'f', never, () => {}, () => {})
    const done: number[] = []
    for (let i = 0; i < 5; i++) w.write([{ table: 'items', key: 1, value: i }], true, () => done.push(i))
    await w.settled()
    expect(done).toEqual([0, 1, 2, 3, 4])
    expect(await s.get('items', 1)).toBe(4)
    expect(s.transactions).toBe(2)
  })

  test('what failed is told once and written with the next, the latest value of each', async () => {
    const s = new Shaky()
    await s.claim('f')
    const told: string[] = []
    let again = () => {}
    const w = new Writer(s, 'f', (_ms, fn) => ((again = fn), () => {}), (state) => told.push(state), () => {})
    s.fails = true
    let stored = 0
    w.write([{ table: 'items', key: 1, value: 'a' }, { table: 'items', key: 2, value: 'x' }], true, () => stored++)
    await w.settled()
    w.write([{ table: 'items', key: 1, value: 'b' }, { table: 'items', key: 2 }], true, () => stored++)
    await w.settled()
    expect([stored, told]).toEqual([2, ['full']])
    s.fails = false
    again()
    await w.settled()
    expect(told).toEqual(['full', 'ok'])
    expect(await s.entries('items')).toEqual([[1, 'b']])
  })

  test('a database that is gone is told as refused, until it is there again: nothing of it is lost', async () => {
    const s = new Shaky()
    await s.claim('f')
    const told: string[] = []
    let again = () => {}
    const w = new Writer(s, 'f', (_ms, fn) => ((again = fn), () => {}), (state) => told.push(state), () => {})
    s.why = 'refused'
    s.fails = true
    w.write([{ table: 'items', key: 1, value: 'a' }], true)
    await w.settled()
    expect(told).toEqual(['refused'])
    s.fails = false
    again()
    await w.settled()
    expect([told, await s.get('items', 1)]).toEqual([['refused', 'ok'], 'a'])
  })

  test('a lost lead ends it', async () => {
    const s = new Shaky()
    await s.claim('f')
    let fenced = 0
    let stored = 0
    const w = new Writer(s, 'f', never, () => {}, () => fenced++)
    await s.claim('other')
    w.write([{ table: 'items', key: 1, value: 1 }], true, () => stored++)
    await w.settled()
    w.write([{ table: 'items', key: 2, value: 2 }], true, () => stored++)
    await w.settled()
    expect([fenced, stored]).toEqual([1, 0])
    await expect(w.save([{ table: 'items', key: 3, value: 3 }])).rejects.toMatchObject({ why: 'fenced' })
    expect(await s.entries('items')).toEqual([])
  })
})
