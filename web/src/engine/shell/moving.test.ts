// Whole engines of a system with several sites: the list, moving, and what is left of it after logging out.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { form, type Browser, type Window } from './fakewire.ts'
import { Scene, look, texts } from './scene.ts'

const list = ['a', 'b', 'c'].map((name, i) => ({ name, url: i === 0 ? 'http://fake' : `http://${name}` }))

let s: Scene
let browser: Browser
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
  s = new Scene()
  s.server.sites = list
  browser = s.browser('a')
  browser.elsewhere = ['http://b', 'http://c']
})

const app = (w: Window) => w.engine.app.get()

async function alone(): Promise<{ w: Window; room: string }> {
  const w = await s.open(browser)
  await s.done(w.engine.signUp(form('alice')))
  await s.time.pass(1000)
  const room = w.engine.directRoom(app(w).me?.id ?? '')
  look(w, room)
  w.engine.send(room, 'first', 0)
  await s.time.pass(1000)
  return { w, room }
}

test('the site of the page dies: the next one is gone to, nothing is lost or doubled, and it is told from where to where', async () => {
  const { w, room } = await alone()
  const second = await s.open(browser)
  await s.time.pass(500)
  for (const x of [w, second]) expect(app(x).sites).toMatchObject({ list, at: 'a', movedAt: 0 })
  browser.net.gone.add(0)
  for (let i = 1; i <= 5; i++) w.engine.send(room, `${i}`, 0)
  await s.time.pass(3000)
  for (const x of [w, second]) {
    expect(app(x).connection).toBe('online')
    expect(app(x).sites).toMatchObject({ at: 'b', left: 'a' })
    expect(app(x).sites.movedAt).toBeGreaterThan(0)
    expect(app(x).newBuild).toBe(false)
  }
  expect(s.onServer(room)).toEqual(['first', '1', '2', '3', '4', '5'])
  expect(texts(w, room)).toEqual(s.onServer(room))
})

test('a new page while the site is dead knows the list and goes to another one', async () => {
  const { w, room } = await alone()
  browser.net.gone.add(0)
  w.engine.send(room, 'on the way', 0)
  await s.time.pass(20) // it is stored
  w.kill()
  const again = await s.open(browser)
  expect(app(again).sites.list).toEqual(list) // before there is any connection
  await s.time.pass(8000)
  expect(app(again)).toMatchObject({ connection: 'online', sites: { at: 'b', movedAt: 0 } })
  expect(s.onServer(room)).toEqual(['first', 'on the way'])
})

test('one machine that has grown: the page is to be loaded again, once it can go elsewhere', async () => {
  s.server.sites = []
  browser.elsewhere = []
  const { w } = await alone()
  expect(app(w)).toMatchObject({ sites: { list: [] }, newBuild: false })
  s.server.sites = list
  s.server.restart()
  await s.time.pass(5000)
  expect(app(w)).toMatchObject({ sites: { list, at: 'a' }, newBuild: true })
  browser.elsewhere = ['http://b', 'http://c']
  w.kill()
  const again = await s.open(browser)
  await s.time.pass(5000)
  expect(app(again)).toMatchObject({ sites: { list, at: 'a' }, newBuild: false })
})

test('after logging out nothing is known of it', async () => {
  const { w } = await alone()
  browser.net.gone.add(0)
  await s.time.pass(3000)
  await s.done(w.engine.logOut())
  expect(app(w).sites).toEqual({ list: [], at: '', left: '', movedAt: 0 })
  w.kill()
  const again = await s.open(browser)
  expect(app(again).sites.list).toEqual([])
})
