// Another text for a message, whatever has become of it meanwhile: the words arrive, or whoever wrote them gets them back.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { Scene, look, texts } from './scene.ts'

let s: Scene
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
})

for (const second of [false, true]) {
  const where = second ? ' (in a window that follows)' : ''

  test(`acknowledged while it was written: an edit${where}`, async () => {
    const { a, alice, room } = await s.pair()
    const w = second ? await s.open(a) : alice
    look(w, room)
    await s.time.pass(1000)
    w.engine.send(room, 'old', 0)
    const drawn = w.engine.room(room).get()!.rows.at(-1)!
    if (drawn.kind !== 'message') throw new Error('no message')
    await s.time.pass(1000)
    expect(s.onServer(room)).toEqual(['first', 'old'])
    await s.done(w.engine.replaceUnsent(drawn.item, 'new'))
    expect(s.onServer(room)).toEqual(['first', 'new'])
    expect(texts(w, room)).toEqual(['first', 'new'])
  })

  test(`refused while it was written: sent anew with the text${where}`, async () => {
    const { a, alice, room } = await s.pair()
    const w = second ? await s.open(a) : alice
    look(w, room)
    await s.time.pass(1000)
    s.server.refuse = (op) => (op.kind === 'send' ? 'cannot_receive' : '')
    const item = w.engine.send(room, 'old', 0)
    await s.time.pass(1000)
    // Refused again, it is kept with the later text, and nobody has to be given it back.
    await s.done(w.engine.replaceUnsent(item, 'new'))
    expect(texts(w, room)).toEqual(['first', 'new'])
    const kept = w.engine.room(room).get()!.rows.at(-1)!
    if (kept.kind !== 'message') throw new Error('no message')
    expect(kept.state).toBe('refused')
    s.server.refuse = () => ''
    await s.done(w.engine.replaceUnsent(kept.item, 'newest'))
    expect(s.onServer(room)).toEqual(['first', 'newest'])
    expect(texts(w, room)).toEqual(['first', 'newest'])
  })

  test(`too late, or given up: it says so${where}`, async () => {
    const { a, alice, room } = await s.pair()
    const w = second ? await s.open(a) : alice
    look(w, room)
    await s.time.pass(1000)
    const item = w.engine.send(room, 'old', 0)
    await s.time.pass(1000)
    s.server.refuse = (op) => (op.kind === 'edit' ? 'too_late' : '')
    await expect(s.done(w.engine.replaceUnsent(item, 'new'))).rejects.toMatchObject({ refusal: { reason: 'too_late' } })
    a.net.down = true
    await s.time.pass(2000)
    const waiting = w.engine.send(room, 'other', 0)
    await s.time.settle()
    void w.engine.giveUp(waiting)
    await s.time.settle()
    await expect(s.done(w.engine.replaceUnsent(waiting, 'new'))).rejects.toMatchObject({ refusal: { reason: 'given_up' } })
  })
}
