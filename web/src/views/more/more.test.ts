import { expect, test } from 'vitest'
import type { Invitation } from '../../engine/types.ts'
import { codeDigits, codeShown } from './code.ts'
import { daysAgo } from './lastday.ts'
import { invitationState } from './invitation.ts'

test('digits are taken out of whatever was pasted', () => {
  expect(codeDigits('4827 1935')).toBe('48271935')
  expect(codeDigits('코드: ４８２７-1935 9')).toBe('48271935')
  expect(codeDigits('')).toBe('')
  expect(codeShown('4827')).toBe('4827')
  expect(codeShown('48271')).toBe('4827 1')
})

test('only an unused, valid invitation that was not taken back is open', () => {
  const i: Invitation = { id: 'x', secret: '', created: 0, until: 100, uses: 1, used: 0, users: [], revoked: false }
  expect(invitationState(i, 99)).toBe('open')
  expect(invitationState(i, 100)).toBe('expired')
  expect(invitationState({ ...i, used: 1 }, 200)).toBe('used')
  expect(invitationState({ ...i, used: 1, revoked: true }, 0)).toBe('revoked')
})

test('a device is told by how long ago it was used, whatever the day is called here', () => {
  const at = (time: string): number => Date.parse(time)
  const day = at('2026-11-28T00:00Z')
  expect(daysAgo(day, at('2026-11-29T08:00+09:00'))).toBe(0) // it may have been this minute
  expect(daysAgo(day, at('2026-11-29T09:00+09:00'))).toBe(1)
  expect(daysAgo(day, at('2026-12-01T08:59+09:00'))).toBe(2)
  expect(daysAgo(day, at('2026-11-27T23:59Z'))).toBe(0) // this clock is behind
})
