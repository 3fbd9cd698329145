import { afterEach, expect, test, vi } from 'vitest'
import worker from '../../public/sw.js?raw'
import { formatPath, go, invitationIn, parentOf, parsePath, type Route, watchRoute } from './route.ts'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

test('each route has an address that leads back to it', () => {
  const routes: Route[] = [
    { at: 'friends' }, { at: 'chats' }, { at: 'room', id: 'abc-123' }, { at: 'room', id: 'a/b ?#%한' }, { at: 'room', id: 'abc', info: true },
    { at: 'more' }, { at: 'more', page: 'screen' }, { at: 'more', page: 'blocked' },
  ]
  for (const route of routes) for (const slot of [0, 1, 9]) expect(parsePath(formatPath(route, slot))).toEqual({ slot, route })
})

test('an address that is not known is the chats', () => {
  for (const path of ['', '/', '/nothing', '/room', '/room/', '/room/%E0%A4%A', '//', '/u', '/u/0', '/u/x/chats', '/u/100/friends']) {
    expect(parsePath(path), path).toEqual({ slot: 0, route: { at: 'chats' } })
  }
  expect(parsePath('/u/2')).toEqual({ slot: 2, route: { at: 'chats' } })
  expect(parsePath('/more/nothing')).toEqual({ slot: 0, route: { at: 'more' } })
})

test('up from everywhere ends at the chats', () => {
  expect(parentOf({ at: 'room', id: 'a', info: true })).toEqual({ at: 'room', id: 'a' })
  expect(parentOf({ at: 'room', id: 'a' })).toEqual({ at: 'chats' })
  expect(parentOf({ at: 'more', page: 'devices' })).toEqual({ at: 'more' })
  expect(parentOf({ at: 'friends' })).toEqual({ at: 'chats' })
})

test('the secret of an invitation', () => {
  expect(invitationIn('#i/q7Gm2x_-')).toBe('q7Gm2x_-')
  for (const hash of ['', '#', '#i/', '#i/a/b', '#x/abc', '#i/<b>', `#i/${'a'.repeat(129)}`]) expect(invitationIn(hash), hash).toBe('')
})

test('the service worker knows the first part of every address', () => {
  const every: { readonly [at in Route['at']]: Route & { readonly at: at } } = {
    friends: { at: 'friends' }, chats: { at: 'chats' }, room: { at: 'room', id: 'a' }, more: { at: 'more' }, ops: { at: 'ops', tab: 'sites' },
  }
  const firsts = Object.values(every).flatMap((route) => [0, 1].map((slot) => formatPath(route, slot).split('/')[1]))
  const own = /const own = new Set\(\[([^\]]*)\]\)/.exec(worker)![1]!.split(',').map((part) => part.trim().replaceAll("'", ''))
  expect(own.toSorted()).toEqual([...new Set(['', ...firsts])].toSorted())
})

test('the waiting for the entries of a layer ends with them, and what is written next waits for its own', () => {
  vi.useFakeTimers()
  let pop = () => {}
  const written: string[] = []
  const history = { state: {} as object, go: () => {}, replaceState: () => {}, pushState: (_state: object, _: string, path: string) => written.push(path) }
  vi.stubGlobal('history', history)
  vi.stubGlobal('location', { hash: '', pathname: '/chats' })
  vi.stubGlobal('addEventListener', (_: string, f: () => void) => (pop = f))
  watchRoute()
  const leave = (id: string) => {
    history.state = { depth: 1, over: 1 }
    go({ at: 'room', id })
  }
  leave('a')
  vi.advanceTimersByTime(100)
  history.state = { depth: 1 }
  pop()
  expect(written).toEqual(['/room/a'])
  vi.advanceTimersByTime(1000)
  leave('b')
  vi.advanceTimersByTime(1500)
  expect(written).toEqual(['/room/a'])
  vi.advanceTimersByTime(500)
  expect(written).toEqual(['/room/a', '/room/b'])
})
