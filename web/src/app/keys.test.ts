import { expect, test } from 'vitest'
import { nameOf, plain, type Press } from './keys.ts'

function press(key: string, code: string, mods = ''): string {
  const p: Press = { key, code, ctrlKey: mods.includes('c'), metaKey: mods.includes('m'), altKey: mods.includes('a'), shiftKey: mods.includes('s') }
  return nameOf(p)
}

test('Ctrl and ⌘ are one', () => {
  expect(press('k', 'KeyK', 'c')).toBe('mod+k')
  expect(press('k', 'KeyK', 'm')).toBe('mod+k')
  expect(press('K', 'KeyK', 'cs')).toBe('mod+shift+k')
})

test('with a Korean keyboard letters are told by their place', () => {
  expect(press('ㅏ', 'KeyK', 'c')).toBe('mod+k')
  expect(press('ㄱ', 'KeyR')).toBe('r')
  expect(press('Process', 'KeyR')).toBe('r')
})

test('what Alt makes of keys on a Mac', () => {
  expect(press('¡', 'Digit1', 'a')).toBe('alt+1')
  expect(press('˚', 'KeyK', 'a')).toBe('alt+k')
})

test('signs are named by what they write, named keys with Shift', () => {
  expect(press('?', 'Slash', 's')).toBe('?')
  expect(press('/', 'Slash')).toBe('/')
  expect(press('/', 'Digit7', 's')).toBe('/')
  expect(press('ArrowDown', 'ArrowDown', 'as')).toBe('alt+shift+ArrowDown')
  expect(press('Escape', 'Escape')).toBe('Escape')
})

test('only what writes something rests while typing', () => {
  for (const k of ['?', '/', 'r', 'shift+r']) expect(plain(k), k).toBe(true)
  for (const k of ['Escape', 'mod+k', 'alt+1', 'alt+ArrowUp']) expect(plain(k), k).toBe(false)
})
