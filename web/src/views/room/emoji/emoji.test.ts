import { describe, expect, it } from 'vitest'
import { addRecent, readRecent, recentMax } from './recent.ts'
import { emojiOf, groupNames, groups, searchEmoji } from './search.ts'

describe('the data', () => {
  it('has nine groups in which everything has a picture and a name in both languages', () => {
    expect(groups.map((g) => g.name)).toEqual([...groupNames])
    for (const g of groups) {
      expect(g.list.length).toBeGreaterThan(50)
      for (const e of g.list) {
        expect(e.char).toMatch(/\p{Emoji}/u)
        expect(e.ko).not.toBe('')
        expect(e.en).not.toBe('')
      }
    }
  })
  it('has nothing twice', () => {
    const all = groups.flatMap((g) => g.list.map((e) => e.char))
    expect(new Set(all).size).toBe(all.length)
  })
  it('has the six reactions', () => {
    for (const c of ['❤️', '👍', '✅', '😂', '😮', '😢']) expect(emojiOf(c)?.char).toBe(c)
  })
})

describe('search', () => {
  it('finds in Korean and in English, in any case', () => {
    const chars = (q: string) => searchEmoji(q, 80).map((e) => e.char)
    expect(chars('김치').length + chars('산').length).toBeGreaterThan(0)
    expect(chars('웃음')).toContain('😂')
    expect(chars('Heart')).toContain('❤️')
    expect([chars('하트')[0], chars('heart')[0]]).toEqual(['❤️', '❤️'])
    expect(chars('mountain')).toContain('⛰️')
    expect(chars('산').indexOf('⛰️')).toBeLessThan(chars('산').indexOf('🎅'))
    expect(chars('🥳')).toEqual(['🥳'])
    expect(chars('없을법한낱말')).toEqual([])
    expect(chars('  ')).toEqual([])
  })
  it('gives at most as many as asked', () => {
    expect(searchEmoji('a', 10)).toHaveLength(10)
  })
})

describe('recent', () => {
  it('keeps the newest first, each once, and not too many', () => {
    let kept = ''
    for (const c of ['😀', '👍', '😀']) kept = addRecent(kept, c)
    expect(readRecent(kept)).toEqual(['😀', '👍'])
    for (let i = 0; i < 40; i++) kept = addRecent(kept, String.fromCodePoint(0x1f600 + i))
    expect(readRecent(kept)).toHaveLength(recentMax)
    expect(readRecent('')).toEqual([])
  })
})
