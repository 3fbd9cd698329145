import { describe, expect, test } from 'vitest'
import { elsewhere } from './env.ts'
import { Sites } from './sites.ts'

const a = 'https://a.test', b = 'https://b.test', c = 'https://c.test'
const told = [{ name: 'a', url: `${a}/` }, { name: 'b', url: b }, { name: 'c', url: 'https://C.test:443' }]

test('of what the page was served with, only what can be trusted as the page itself is taken', () => {
  expect(elsewhere(a, '')).toEqual([])
  expect(elsewhere(a, `${b} ${a} http://c.test ${c} ${b} ftp://x javascript:alert(1) __SITES__`)).toEqual([b, c])
  expect(elsewhere('http://a', `${b} http://c`)).toEqual([b, 'http://c'])
})

describe('the sites', () => {
  test('keep their numbers; those that are gone are left out, the page\'s own and an empty list are not heeded', () => {
    const s = new Sites(a, [b, c])
    expect([s.order, s.dropped]).toEqual([[0, 1, 2], [false, false, false]])
    s.tell([told[2]!])
    expect([s.order, s.dropped]).toEqual([[0, 2], [false, true, false]])
    s.tell([])
    s.tell([{ name: 'd', url: 'nowhere' }])
    expect(s.order).toEqual([0, 2])
    s.tell(told)
    expect([s.urls, s.order]).toEqual([[a, b, c], [0, 1, 2]])
    s.go(2, true, 5)
    expect(s.order).toEqual([2, 0, 1])
    s.go(7, true, 6) // of a window that was loaded when there were more
    expect(s.order).toEqual([0, 1, 2])
  })

  test('tell where the connection is, and when it went elsewhere', () => {
    const s = new Sites(a, [b, c])
    s.tell(told)
    s.go(0, false, 1)
    expect(s.state).toMatchObject({ at: '', movedAt: 0 })
    s.go(0, true, 2)
    expect(s.state).toMatchObject({ at: 'a', movedAt: 0 })
    s.go(1, false, 3) // on the way
    expect(s.state).toMatchObject({ at: 'a', movedAt: 0 })
    expect(s.order[0]).toBe(1)
    s.go(2, true, 4)
    expect(s.state).toMatchObject({ at: 'c', left: 'a', movedAt: 4 })
    s.go(2, true, 5)
    expect(s.state).toMatchObject({ at: 'c', left: 'a', movedAt: 4 })
    s.forget()
    expect(s.state).toEqual({ list: [], at: '', left: '', movedAt: 0 })
  })

  test('a page whose own site did not answer begins at another one', () => {
    const s = new Sites(a, [b, c], true)
    expect([s.first, s.order]).toEqual([1, [1, 2, 0]])
    expect(new Sites(a, [], true).first).toBe(0)
  })

  test('a page that was loaded when there were fewer is to be loaded again; one of another name is not', () => {
    const s = new Sites(a, [])
    s.tell([told[0]!])
    expect(s.outgrown).toBe(false)
    s.tell(told)
    expect(s.outgrown).toBe(true)
    const full = new Sites(a, [b, c])
    full.tell(told)
    expect(full.outgrown).toBe(false)
    const other = new Sites('https://localhost', [])
    other.tell(told)
    expect(other.outgrown).toBe(false)
    const mixed = new Sites(a, [])
    mixed.tell([told[0]!, { name: 'b', url: 'http://b.test' }]) // that would lead out of TLS
    expect(mixed.outgrown).toBe(false)
  })
})
