import { afterEach, expect, test } from 'vitest'
import { dayLine, listTime, now, sameDay, setSkew, timeOf } from './dates.ts'
import { setLanguage } from './messages.ts'

const at = (y: number, m: number, d: number, h = 0, min = 0) => new Date(y, m - 1, d, h, min).getTime()

afterEach(async () => {
  await setLanguage('ko')
  setSkew(0)
})

test('Korean forms', () => {
  expect(dayLine(at(2026, 11, 22, 9))).toBe('2026년 11월 22일 일요일')
  expect(timeOf(at(2026, 11, 22, 13, 35))).toBe('오후 1:35')
  expect(timeOf(at(2026, 11, 22, 0, 5))).toBe('오전 12:05')
  expect(timeOf(at(2026, 11, 22, 12, 0))).toBe('오후 12:00')
})

test('English forms', async () => {
  await setLanguage('en')
  expect(dayLine(at(2026, 11, 22, 9))).toBe('Sunday, November 22, 2026')
  expect(timeOf(at(2026, 11, 22, 13, 35))).toBe('1:35 PM')
  const today = at(2026, 11, 24, 9)
  expect(listTime(at(2026, 11, 23, 23), today)).toBe('Yesterday')
  expect(listTime(at(2026, 11, 20), today)).toBe('Nov 20')
  expect(listTime(at(2025, 3, 4), today)).toBe('Mar 4, 2025')
})

test('the time of a list: today, yesterday, this year, before', () => {
  const today = at(2026, 11, 24, 0, 10)
  expect(listTime(at(2026, 11, 24, 0, 1), today)).toBe('오전 12:01')
  expect(listTime(at(2026, 11, 23, 23, 59), today)).toBe('어제')
  expect(listTime(at(2026, 11, 22, 23, 59), today)).toBe('11월 22일')
  expect(listTime(at(2026, 1, 1), today)).toBe('1월 1일')
  expect(listTime(at(2025, 12, 31, 23), at(2026, 1, 1, 1))).toBe('어제')
  expect(listTime(at(2025, 3, 4), today)).toBe('2025. 3. 4.')
  // A row a moment ahead of our clock is of today, not of a day that is not there.
  expect(listTime(at(2026, 11, 25, 0, 1), today)).toBe('오전 12:01')
})

test('days, and the clock of the server', () => {
  expect(sameDay(at(2026, 11, 24, 0, 0), at(2026, 11, 24, 23, 59))).toBe(true)
  expect(sameDay(at(2026, 11, 24, 23, 59), at(2026, 11, 25, 0, 0))).toBe(false)
  setSkew(86_400_000)
  expect(Math.abs(now() + 86_400_000 - Date.now())).toBeLessThan(1000)
})
