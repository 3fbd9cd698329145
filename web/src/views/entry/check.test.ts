import { expect, test } from 'vitest'
import { handleProblem, nameProblem, passwordProblem } from './check.ts'
import en from '../../../messages/en/entry.json'
import ko from '../../../messages/ko/entry.json'
import { setLanguage } from '../../lib/messages.ts'
import { deviceLabel, shownLabel } from './device.ts'

test('names count code points after NFC', () => {
  expect(nameProblem('  ')).not.toBeNull()
  expect(nameProblem('가'.normalize('NFD').repeat(30))).toBeNull()
  expect(nameProblem('가'.repeat(31))).toContain('1자')
  expect(nameProblem('👨‍👩‍👧'.repeat(6))).toBeNull()
})

test('handles are 4-20 of letters, digits, dot, underscore', () => {
  expect(handleProblem('min.su_1')).toBeNull()
  expect(handleProblem('abc')).toContain('한 글자만')
  expect(handleProblem('민수')).toContain('영문')
  expect(handleProblem('a'.repeat(21))).not.toBeNull()
})

test('passwords have 8-128 code points', () => {
  expect(passwordProblem('bonghwa')).toContain('한 글자만')
  expect(passwordProblem('여덟글자비밀번호')).toBeNull()
  expect(passwordProblem('x'.repeat(129))).not.toBeNull()
})

test.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36', '크롬 · 윈도우'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0', '엣지 · 윈도우'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15', '사파리 · 맥'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0 Mobile/15E148 Safari/604.1', '크롬 · 아이폰'],
  ['Mozilla/5.0 (Linux; Android 15; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36', '삼성 인터넷 · 안드로이드'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', '파이어폭스 · 리눅스'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Whale/4.0.0.0 Safari/537.36', '웨일 · 윈도우'],
  ['something else', '브라우저'],
])('label of %s', (agent, label) => {
  expect(deviceLabel(agent)).toBe(label)
})

test('a device is called in the language of the page that shows it', async () => {
  for (const key of ['browser', 'chrome', 'safari', 'firefox', 'edge', 'whale', 'opera', 'samsung', 'windows', 'mac', 'linux', 'android', 'iphone', 'ipad', 'chromeos'] as const)
    expect(shownLabel(`${en[key]} · ${en.linux}`)).toBe(`${ko[key]} · 리눅스`)
  await setLanguage('en')
  expect([shownLabel('크롬 · 리눅스'), shownLabel('삼성 인터넷'), shownLabel('거실 크롬 · 리눅스'), shownLabel('')]).toEqual(['Chrome · Linux', 'Samsung Internet', '거실 크롬 · 리눅스', ''])
  await setLanguage('ko')
})
