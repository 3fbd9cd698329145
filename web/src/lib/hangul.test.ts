import { expect, test } from 'vitest'
import { compareNames, initialOf, matchInitials } from './hangul.ts'

function found(query: string, name: string): string | null {
  const m = matchInitials(query, name)
  return m && m.map(([a, b]) => name.slice(a, b)).join('|')
}

test('initials, beginnings of syllables, whole letters', () => {
  expect(found('ㅂㅈㅎ', '박준호')).toBe('박준호')
  expect(found('박ㅈ', '박준호')).toBe('박준')
  expect(found('바', '박준호')).toBe('박')
  expect(found('준호', '박준호')).toBe('준호')
  expect(found('ㅎ', '박준호')).toBe('호')
  expect(found('반', '박준호')).toBe(null)
  expect(found('ㅈㅂ', '박준호')).toBe(null)
})

test('while a syllable is being composed', () => {
  expect(found('숳', '이수하')).toBe('수하')
  expect(found('박주', '박준호')).toBe('박준')
  expect(found('고', '과자')).toBe('과')
  expect(found('갑', '값')).toBe('값')
  expect(found('간', '가나다')).toBe('가나')
  expect(found('닭', '달기')).toBe('달기')
})

test('initials that the keyboard joined, and doubled ones', () => {
  expect(found('ㄳ', '김서연')).toBe('김서')
  expect(found('ㅂㅅ', '박수')).toBe('박수')
  expect(found('ㄱ', '까치')).toBe('까')
  expect(found('ㄲ', '가지')).toBe(null)
})

test('spaces, Latin, decomposed queries, characters outside the first plane', () => {
  expect(found('ㅅㅎ', '북한산 산행 모임')).toBe('산행')
  expect(found('산산', '북한산 산행')).toBe('산 산')
  expect(found('ALEX', 'Alexandra')).toBe('Alex')
  expect(found('박준'.normalize('NFD'), '박준호')).toBe('박준')
  expect(found('ㅈ', '🙂준')).toBe('준')
  expect(found(' ', '아무나')).toBe('')
  expect(found('(', '이름')).toBe(null)
})

test('sections', () => {
  expect(['가', '까', '힣', 'ㄸ', 'alex', 'Éva', '7', '🙂', ''].map(initialOf)).toEqual(['ㄱ', 'ㄱ', 'ㅎ', 'ㄷ', 'A', 'E', '#', '#', '#'])
})

test('order: 가나다, Latin, the rest', () => {
  const names = ['7번', 'bob', '하나', 'Alice', '가온', '나비', '10번', '2번']
  expect(names.toSorted(compareNames)).toEqual(['가온', '나비', '하나', 'Alice', 'bob', '2번', '7번', '10번'])
})
