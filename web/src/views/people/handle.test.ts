import { expect, it } from 'vitest'
import { handleState, toHandle } from './handle.ts'

it('reads what was meant', () => {
  expect(toHandle(' @Harin_Kim ')).toBe('harin_kim')
  expect(toHandle('＠Ｈａｒｉｎ＿２')).toBe('harin_2')
  expect(handleState('')).toBe('empty')
  expect(handleState('abc')).toBe('short')
  expect(handleState('a.b_1')).toBe('right')
  expect(handleState('ㅗㅑㅜ')).toBe('wrong')
  expect(handleState('a'.repeat(21))).toBe('wrong')
  expect(handleState('a@b.c')).toBe('wrong')
})
