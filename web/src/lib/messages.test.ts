import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { fill, setLanguage, t } from './messages.ts'

const web = join(import.meta.dirname, '../..')
const files = readdirSync(join(web, 'messages/ko')).toSorted()
const read = (lang: string, file: string) => JSON.parse(readFileSync(join(web, 'messages', lang, file), 'utf8')) as Record<string, string>

afterEach(() => setLanguage('ko'))

test('both languages have the same files and keys, in the same order', () => {
  expect(readdirSync(join(web, 'messages/en')).toSorted()).toEqual(files)
  for (const f of files) expect(Object.keys(read('en', f)), f).toEqual(Object.keys(read('ko', f)))
})

test('each text takes the same values in both languages', () => {
  const values = (s: string) => [...new Set([...s.matchAll(/\{(\w+)(?:\|[^{}]*)?\}/g)].map((m) => m[1]))].toSorted()
  for (const f of files) {
    const en = read('en', f)
    for (const [key, text] of Object.entries(read('ko', f))) expect(values(en[key] ?? ''), `${f} ${key}`).toEqual(values(text))
  }
})

test('no text is empty, has a brace too many, or speaks of what people need not know', () => {
  for (const lang of ['ko', 'en']) {
    for (const f of files) {
      for (const [key, text] of Object.entries(read(lang, f))) {
        const where = `${lang}/${f} ${key}`
        expect(text.trim(), where).not.toBe('')
        expect(text.replace(/\{\w+(?:\|[^{}]*)?\}/g, ''), where).not.toMatch(/[{}]/)
        if (lang === 'ko') expect(text, where).not.toMatch(/서버|세션|노드|리전|죄송|알 수 없는 오류/)
      }
    }
  }
})

// Keys are written out in the source, or made from a prefix that is: `shell.${kind}`.
test('no key is unused, and none is missing', () => {
  const sources: string[] = []
  const walk = (dir: string): void => {
    for (const e of readdirSync(dir, { withFileTypes: true })) {
      if (e.isDirectory()) {
        if (e.name !== 'gen') walk(join(dir, e.name))
      } else if (/\.tsx?$/.test(e.name) && !/\.test\./.test(e.name)) sources.push(readFileSync(join(dir, e.name), 'utf8'))
    }
  }
  walk(join(web, 'src'))
  const all = sources.join('\n')
  const names = files.map((f) => f.replace('.json', ''))
  const written = new Set([...all.matchAll(new RegExp(`['\`"](?:${names.join('|')})\\.(\\w+)['\`"]`, 'g'))].map((m) => m[0].slice(1, -1)))
  const prefixes = [...all.matchAll(new RegExp(`\`((?:${names.join('|')})\\.\\w*)\\$\\{`, 'g'))].map((m) => m[1]!)
  const keys = files.flatMap((f) => Object.keys(read('ko', f)).map((k) => `${f.replace('.json', '')}.${k}`))
  const unused = keys.filter((k) => !written.has(k) && !prefixes.some((p) => k.startsWith(p)))
  expect(unused).toEqual([])
  expect([...written].filter((k) => !keys.includes(k))).toEqual([])
})

test('values, particles, plurals', async () => {
  expect(fill('{name|이/가} {n}명을 초대했어요', { name: '지훈', n: 3000 })).toBe('지훈이 3,000명을 초대했어요')
  expect(fill('{n|one:# person|other:# people}', { n: 1 })).toBe('1 person')
  expect(fill('{n|one:# person|other:# people}', { n: 1200 })).toBe('1,200 people')
  expect([2, 4].map((n) => fill('{n|1:한|2:두|other:#} 글자', { n }))).toEqual(['두 글자', '4 글자'])
  expect(['ㅋㅋ', '사과'].map((q) => fill('‘{q|’을/’를} 찾지 못했어요', { q }))).toEqual(['‘ㅋㅋ’을 찾지 못했어요', '‘사과’를 찾지 못했어요'])
  expect(fill('{name|을/를} {name}', { name: '{n}' })).toBe('{n}을 {n}')
  expect(fill('{missing}', {})).toBe('{missing}')
  await setLanguage('en')
  expect(t('common.cancel')).toBe('Cancel')
})

test('each reason of the API has a sentence', () => {
  const proto = readFileSync(join(web, '../proto/bonghwa/api/v1/types.proto'), 'utf8')
  const reasons = [...proto.matchAll(/^\s*REASON_(\w+) = [1-9]\d*;/gm)].map((m) => m[1]!.toLowerCase())
  expect(reasons.length).toBeGreaterThan(30)
  const texts = read('ko', 'errors.json')
  expect(reasons.filter((r) => !(r in texts))).toEqual([])
})
