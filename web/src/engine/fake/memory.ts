// A store of records in memory, for tests: batches are applied all or none, and a crash may lose what is not safe.
import type { Rec, State } from '../core/record.ts'

export class MemoryStore {
  readonly #batches: (readonly Rec[])[] = []
  #safe = 0

  /** write appends a batch; strict makes it and all before it safe. */
  write(recs: readonly Rec[], strict: boolean): void {
    this.#batches.push(recs)
    if (strict) this.#safe = this.#batches.length
  }

  /** crash loses batches that are not safe, from any one on; `keep` is how many of them are left, between 0 and 1. */
  crash(keep: number): void {
    this.#batches.length = this.#safe + Math.floor(keep * (this.#batches.length - this.#safe + 1))
    this.#safe = this.#batches.length
  }

  copy(): MemoryStore {
    const c = new MemoryStore()
    for (const b of this.#batches) c.write(b, true)
    return c
  }

  get text(): string {
    return JSON.stringify(this.#batches)
  }

  state(): State {
    const by = new Map<string, Rec>()
    for (const rec of this.#batches.flat()) {
      switch (rec.t) {
        case 'meta': case 'seen': case 'sites': by.set(rec.t, rec); break
        case 'item': by.set('item ' + rec.item.id, rec); break
        case 'itemGone': by.delete('item ' + rec.id); break
        case 'counter': by.set(`counter ${rec.counter.device} ${rec.counter.scope}`, rec); break
        case 'kept': by.set('kept ' + rec.kept.id, rec); break
        case 'unkept': by.delete('kept ' + rec.id); break
        case 'done': by.set('done ' + rec.done.id, rec); break
        case 'doneGone': by.delete('done ' + rec.id); break
        case 'line': by.set('line ' + rec.room.id, rec); break
        case 'lineGone': by.delete('line ' + rec.id); break
      }
    }
    const all = [...by.values()]
    return {
      meta: all.find((r) => r.t === 'meta')?.meta ?? null,
      seen: all.find((r) => r.t === 'seen')?.seen ?? null,
      sites: all.find((r) => r.t === 'sites')?.sites ?? [],
      items: all.flatMap((r) => (r.t === 'item' ? [r.item] : [])),
      counters: all.flatMap((r) => (r.t === 'counter' ? [r.counter] : [])),
      kept: all.flatMap((r) => (r.t === 'kept' ? [r.kept] : [])),
      done: all.flatMap((r) => (r.t === 'done' ? [r.done] : [])),
      rooms: all.flatMap((r) => (r.t === 'line' ? [r.room] : [])),
    }
  }
}
