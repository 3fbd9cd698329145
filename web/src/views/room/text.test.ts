import { describe, expect, it } from 'vitest'
import type { MessageRow } from '../../engine/types.ts'
import { find, marks, matches, nextHit, plainQuery } from './find.ts'
import { foldChars, foldLines, foldText } from './fold.ts'

function row(key: string, text: string, over: Partial<MessageRow> = {}): MessageRow {
  return {
    kind: 'message', key, seq: 1, author: 'a', own: false, time: 0, text, edited: false, deleted: false, reply: null, reactions: [], myReaction: 0, state: 'sent', item: 0,
    refusal: null, changing: false, ...over,
  }
}

describe('folding', () => {
  it('leaves ordinary texts alone, and those that are only a little longer', () => {
    expect(foldText('안녕하세요')).toBeNull()
    expect(foldText('가'.repeat(foldChars + 10))).toBeNull()
    expect(foldText(Array(foldLines + 2).fill('줄').join('\n'))).toBeNull()
  })
  it('cuts 2,000 lines at a line', () => {
    const cut = foldText(Array.from({ length: 2000 }, (_, i) => `줄 ${i}`).join('\n'))
    expect(cut?.split('\n')).toHaveLength(foldLines)
    expect(cut?.endsWith(`줄 ${foldLines - 1}`)).toBe(true)
  })
  it('cuts 3,000 characters without a space', () => {
    expect(foldText('가'.repeat(3000))).toHaveLength(foldChars)
  })
  it('cuts at a space where there is one', () => {
    const cut = foldText('아침 산책 '.repeat(400))
    expect(cut).not.toBeNull()
    expect('아침 산책 '.repeat(400)[cut!.length]).toBe(' ')
  })
  it('never tears an emoji or a letter with accents', () => {
    const family = '👩‍👩‍👧‍👦'
    for (const unit of [family, '🇰🇷', 'e\u0301', '👍🏽', '한']) {
      for (let lead = 0; lead < 12; lead++) {
        const cut = foldText('x'.repeat(lead) + unit.repeat(1000))!
        expect(cut.slice(lead).replaceAll(unit, '')).toBe('')
      }
    }
  })
  it('ends for text that is one endless cluster', () => {
    const cut = foldText('a' + '\u0301'.repeat(5000))!
    expect(cut.length).toBeGreaterThan(600)
    expect(cut.length).toBeLessThanOrEqual(foldChars)
  })
})

describe('find', () => {
  const rows = [row('1', '올라가 볼까요'), row('2', 'Hello HELLO'), row('3', '삭제됨 올라가', { deleted: true }), row('4', '천천히 올라가요'), row('5', '\u1112\u1161\u11ab강')]
  it('finds without case, composed or not, and nothing that is deleted', () => {
    expect(find(rows, plainQuery('올라가'))).toEqual(['1', '4'])
    expect(find(rows, plainQuery(' hello '))).toEqual(['2'])
    expect(find(rows, plainQuery('한강'))).toEqual(['5'])
    expect(find(rows, plainQuery('  '))).toEqual([])
    expect(matches(rows[2]!, '올라가')).toBe(false)
  })
  it('goes up and down and round', () => {
    const hits = ['1', '4', '9']
    expect(nextHit(hits, null, -1)).toBe('9')
    expect(nextHit(hits, '9', -1)).toBe('4')
    expect(nextHit(hits, '1', -1)).toBe('9')
    expect(nextHit(hits, '9', 1)).toBe('1')
    expect(nextHit(hits, 'gone', -1)).toBe('9')
    expect(nextHit([], '1', 1)).toBeNull()
  })
  it('marks each hit and loses no letter', () => {
    expect(marks('가나가나다', '가나')).toEqual([{ text: '가나', hit: true }, { text: '가나', hit: true }, { text: '다', hit: false }])
    expect(marks('Hello', 'ell').map((p) => p.text).join('')).toBe('Hello')
    expect(marks('', 'x')).toEqual([{ text: '', hit: false }])
    expect(marks('İstanbul', 'stan')).toEqual([{ text: 'İstanbul', hit: false }])
  })
})
