import { describe, expect, it } from 'vitest'
import type { Person } from '../../engine/types.ts'
import { found, jump, nothingTyped, sections, target, type, type Typed } from './sections.ts'

function person(name: string, more: Partial<Person> = {}): Person {
  return { id: name, handle: name, name, status: '', closed: false, photo: '', simulated: false, ...more }
}
const names = ['이수빈', '박준호', 'Zoe', '고은비', '까치', '배지훈', '7번', '백주현', 'amy', '한지우', '엄마']
const people = names.map((n) => person(n))
const flat = (p: readonly Person[]) => sections(p).items.map((i) => (i.kind === 'head' ? `[${i.letter}]` : i.person.name))

describe('sections', () => {
  it('are 가나다, then Latin, then the rest', () => {
    expect(flat(people)).toEqual(['[ㄱ]', '고은비', '까치', '[ㅂ]', '박준호', '배지훈', '백주현', '[ㅇ]', '엄마', '이수빈', '[ㅎ]', '한지우', '[A]', 'amy', '[Z]', 'Zoe', '[#]', '7번'])
  })

  it('do not depend on the order they come in', () => {
    const twins = [person('박준호', { handle: 'b' }), person('박준호', { handle: 'a', id: '2' }), person('', { closed: true })]
    expect(sections([...twins].reverse()).items).toEqual(sections(twins).items)
    expect(flat(twins).at(-1)).toBe('')
  })

  it('know where each letter is, pale ones lead to the next', () => {
    const { heads } = sections(people)
    expect(target(heads, 'ㅂ')).toBe(3)
    expect(target(heads, 'ㄷ')).toBe(3)
    expect(target(heads, 'ㅎ')).toBe(10)
    expect(target(sections([person('가'), person('Zoe')]).heads, 'ㅎ')).toBe(2)
    expect(target(sections([]).heads, 'ㄱ')).toBe(-1)
  })
})

describe('found', () => {
  it('finds initials and marks them', () => {
    expect(found(people, 'ㅂㅈㅎ').map((i) => [i.person.name, i.marks])).toEqual([['박준호', [[0, 3]]], ['배지훈', [[0, 3]]], ['백주현', [[0, 3]]]])
    expect(found(people, '박ㅈ').map((i) => i.person.name)).toEqual(['박준호'])
    expect(found(people, '없는')).toEqual([])
  })

  it('never finds a closed account', () => {
    expect(found([person('박준호', { closed: true })], 'ㅂ')).toEqual([])
  })
})

describe('typing at a list', () => {
  const press = (keys: [string, string][], at = 0, step = 100) => keys.reduce<Typed>((t, [key, code], i) => type(t, { key, code, at: at + i * step }) ?? t, nothingTyped)
  const sorted = ['고은비', '박준호', '배지훈', '백주현', '엄마', 'Paul']

  it('jumps by initials, whatever the input method gives', () => {
    expect(jump(sorted, press([['ㅇ', 'KeyD']]), 0)).toBe(4)
    expect(jump(sorted, press([['Process', 'KeyD']]), 0)).toBe(4)
    expect(jump(sorted, press([['d', 'KeyD']]), 0)).toBe(4)
    expect(jump(sorted, press([['q', 'KeyQ'], ['w', 'KeyW'], ['g', 'KeyG']]), 0)).toBe(1)
  })

  it('prefers Latin names to what the key means in Korean', () => {
    expect(jump(sorted, press([['p', 'KeyP']]), 0)).toBe(5)
    expect(jump(['박준호', 'quinn'], press([['q', 'KeyQ']]), -1)).toBe(1)
  })

  it('walks on with the same letter and round to the top', () => {
    expect(jump(sorted, press([['ㅂ', 'KeyQ']]), 1)).toBe(2)
    expect(jump(sorted, press([['ㅂ', 'KeyQ'], ['ㅂ', 'KeyQ']]), 2)).toBe(3)
    expect(jump(sorted, press([['ㅂ', 'KeyQ']]), 3)).toBe(1)
  })

  it('forgets after a pause and ignores what is no letter', () => {
    expect(press([['ㅂ', 'KeyQ'], ['ㅇ', 'KeyD']], 0, 5000).text).toBe('ㅇ')
    expect(type(nothingTyped, { key: 'Enter', code: 'Enter', at: 1 })).toBeNull()
    expect(type(nothingTyped, { key: ' ', code: 'Space', at: 1 })).toBeNull()
    expect(type(nothingTyped, { key: 'Process', code: 'Digit1', at: 1 })).toBeNull()
    expect(jump([], press([['ㅂ', 'KeyQ']]), -1)).toBe(-1)
  })
})
