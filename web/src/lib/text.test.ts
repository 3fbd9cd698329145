import { expect, test } from 'vitest'
import { codePoints, isEmojiOnly, linkify, nfc } from './text.ts'

const links = (s: string) => linkify(s).filter((p) => p.href !== undefined).map((p) => p.text)

test('links end where the address ends', () => {
  expect(links('보세요 https://trail.example/bukhansan.')).toEqual(['https://trail.example/bukhansan'])
  expect(links('(https://a.example/x_(y))')).toEqual(['https://a.example/x_(y)'])
  expect(links('https://a.example에서 봐요')).toEqual(['https://a.example'])
  expect(links('https://a.example/path에서 봐요')).toEqual(['https://a.example/path'])
  expect(links('https://ko.wiki.example/wiki/봉화 참고')).toEqual(['https://ko.wiki.example/wiki/봉화'])
  expect(links('“https://a.example/b”라고')).toEqual(['https://a.example/b'])
  expect(links('http://localhost:8080/a?b=c#d, http://127.0.0.1:1/')).toEqual(['http://localhost:8080/a?b=c#d', 'http://127.0.0.1:1/'])
  expect(links('www.example.com 그리고 한글.한국')).toEqual(['www.example.com'])
  expect(linkify('www.example.com')[0]?.href).toBe('https://www.example.com')
})

test('an address without http, and a mail address, by what it ends in', () => {
  expect(links('naver.com에서 찾아 blog.naver.com/a?b=c, (m.daum.net) Example.CO.KR.')).toEqual(['naver.com', 'blog.naver.com/a?b=c', 'm.daum.net', 'Example.CO.KR'])
  expect(linkify('naver.com')[0]?.href).toBe('https://naver.com')
  expect(linkify('메일은 minsu.kim+a@naver.com으로')[1]).toEqual({ text: 'minsu.kim+a@naver.com', href: 'mailto:minsu.kim+a@naver.com' })
  expect(links('3.14 e.g. readme.md a.py main.go 안녕.com .com x.comet naver.com@evil.com/x a@b.com@c.com ftp://naver.com naver.com.')).toEqual(['naver.com'])
})

test('what is no link, or must not look like another one', () => {
  expect(links('javascript:alert(1) ftp://a.example mailto:a@b.example')).toEqual([])
  expect(links('https://bank.example@evil.example/')).toEqual([])
  expect(links('https://')).toEqual([])
  expect(links('a@www.example')).toEqual([])
})

test('the parts joined are the text', () => {
  const texts = ['', '그냥 글', 'https://a.example', 'x https://a.example, https://b.example/ㄱ y', 'www. https:// http://a', `${'가'.repeat(3000)} https://a.example`]
  for (const s of texts) expect(linkify(s).map((p) => p.text).join('')).toBe(s)
})

test('a long text without end does not take long', () => {
  const s = `https://${'a.'.repeat(20_000)}`
  expect(linkify(s).map((p) => p.text).join('')).toBe(s)
  expect(linkify(`https://a.example/${'(.'.repeat(5000)}`).length).toBeGreaterThan(0)
})

test('nothing but emoji', () => {
  for (const s of ['😂', '😂😂😂', '❤️', '❤', '👨‍👩‍👧‍👦', '👍🏽', '🇰🇷', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '😂 😂']) expect(isEmojiOnly(s), s).toBe(true)
  for (const s of ['', ' ', '1', '12', '#', '©', '™', '하하 😂', '😂!', '🙂'.repeat(7), '🇰']) expect(isEmojiOnly(s), s).toBe(false)
})

test('length and form', () => {
  expect(codePoints('가😂')).toBe(2)
  expect(nfc('한글'.normalize('NFD'))).toBe('한글')
})
