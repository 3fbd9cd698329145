import { expect, test } from 'vitest'
import { josa } from './josa.ts'

test('Hangul: open, closed, ㄹ', () => {
  expect(josa('민수', '이/가')).toBe('민수가')
  expect(josa('지훈', '이/가')).toBe('지훈이')
  expect(josa('엄마', '은/는')).toBe('엄마는')
  expect(josa('서울', '으로/로')).toBe('서울로')
  expect(josa('부산', '으로/로')).toBe('부산으로')
  expect(josa('대구', '으로/로')).toBe('대구로')
  expect(josa('서울', '과/와')).toBe('서울과')
  expect(josa('지훈', '이에요/예요')).toBe('지훈이에요')
})

test('a decomposed word ends in the same sound', () => {
  expect(josa('지훈'.normalize('NFD'), '을/를').normalize('NFC')).toBe('지훈을')
})

test('digits as they are read', () => {
  const closed = ['0', '1', '3', '6', '7', '8', '10', '100', '1,000', '10000', '2030']
  const open = ['2', '4', '5', '9', '12', '3,004', '1000000000000']
  for (const n of closed) expect(josa(n, '은/는')).toBe(`${n}은`)
  for (const n of open) expect(josa(n, '은/는')).toBe(`${n}는`)
  expect(josa('7', '으로/로')).toBe('7로')
  expect(josa('3', '으로/로')).toBe('3으로')
})

test('Latin: names of letters, and words as they are read', () => {
  expect(josa('PC', '을/를')).toBe('PC를')
  expect(josa('URL', '을/를')).toBe('URL을')
  expect(josa('URL', '으로/로')).toBe('URL로')
  expect(josa('SNS', '은/는')).toBe('SNS는')
  expect(josa('Chrome', '이/가')).toBe('Chrome이')
  expect(josa('Google', '으로/로')).toBe('Google로')
  expect(josa('Alice', '이/가')).toBe('Alice가')
  expect(josa('Bob', '을/를')).toBe('Bob을')
})

test('what has no sound is passed over; what says nothing is open', () => {
  expect(josa('‘엄마’', '을/를')).toBe('‘엄마’를')
  expect(josa('지훈 🙂', '이/가')).toBe('지훈 🙂이')
  expect(josa('박준호(회사)', '은/는')).toBe('박준호(회사)는')
  expect(josa('', '은/는')).toBe('는')
  expect(josa('🙂', '은/는')).toBe('🙂는')
  expect(josa('ㅋㅋ', '은/는')).toBe('ㅋㅋ은')
})
