import { describe, expect, it } from 'vitest'
import type { Person, RoomLine } from '../../engine/types.ts'
import { filter, oneLine, preview, roomName } from './lines.ts'

const people = new Map<string, Person>(
  ['박준호', '최은지', '나'].map((name) => [name, { id: name, handle: name, name, status: '', closed: false, photo: '', simulated: false }]),
)
people.set('gone', { id: 'gone', handle: '', name: '', status: '', closed: true, photo: '', simulated: false })

function line(more: Partial<RoomLine>): RoomLine {
  return {
    id: 'r', kind: 'group', title: '산행', peer: '', lastSeq: 1, joinedSeq: 1, readSeq: 1, unread: 0, memberCount: 3, muted: false, pinned: false, left: false,
    blocked: false, provisional: false, last: null, draft: '', draftReply: 0, failed: 0, typing: [], faces: [], ...more,
  }
}
const last = (author: string, text: string, deleted = false) => ({ seq: 1, author, text, deleted, time: 0 })
const say = (more: Partial<RoomLine>) => preview(line(more), people, '나')

describe('preview', () => {
  it('says who in groups only', () => {
    expect(say({ last: last('최은지', '봉투 나눠요') }).text).toBe('최은지: 봉투 나눠요')
    expect(say({ last: last('나', '네') }).text).toBe('나: 네')
    expect(say({ last: last('unknown', '네') }).text).toBe('네')
    expect(say({ kind: 'direct', peer: '박준호', last: last('나', '네') }).text).toBe('네')
  })

  it('puts what needs a decision first', () => {
    const all = { failed: 2, draft: '쓰던', typing: ['최은지'], last: last('최은지', 'x') }
    expect(say(all)).toEqual({ kind: 'failed', text: '보내지 못한 메시지 2개' })
    expect(say({ ...all, failed: 0 })).toEqual({ kind: 'draft', text: '쓰던' })
    expect(preview(line({ ...all, failed: 0, typing: [] }), people, '나', true).text).toBe('최은지: x')
    expect(say({ ...all, failed: 0, draft: '' })).toEqual({ kind: 'typing', text: '최은지 님이 쓰고 있어요' })
    expect(say({ typing: ['최은지', '박준호', 'x'] }).text).toBe('최은지 님 외 2명이 쓰고 있어요')
    expect(say({ kind: 'direct', peer: '박준호', typing: ['박준호'] }).text).toBe('쓰고 있어요')
  })

  it('hides what was deleted and who is gone', () => {
    expect(say({ last: last('최은지', '비밀', true) }).text).not.toContain('비밀')
    expect(say({ kind: 'direct', peer: 'gone', last: last('gone', 'x') }).text).toBe('탈퇴한 사람과의 대화예요')
    expect(roomName(line({ kind: 'direct', peer: 'gone' }), people)).toBe('알 수 없음')
  })

  it('calls a group that nobody named by the others in it', () => {
    const name = (faces: readonly string[], memberCount: number) => roomName(line({ title: '', faces, memberCount }), people)
    for (const faces of [['박준호', '최은지'], ['최은지', '박준호']]) expect(name(faces, 3)).toBe('박준호, 최은지')
    expect(name(['박준호', '최은지'], 7)).toBe('박준호, 최은지 외 4명')
    expect(name(['박준호', 'not known'], 3)).toBe('박준호 외 1명')
    expect(name([], 900)).toBe('이름 없는 그룹')
    expect(roomName(line({ faces: ['박준호'] }), people)).toBe('산행')
  })

  it('is one short line of anything', () => {
    expect(oneLine('  a\n\n b\t c ')).toBe('a b c')
    expect(oneLine('가'.repeat(100000)).length).toBe(200)
  })
})

describe('filter', () => {
  const lines = [line({ id: '1', unread: 3 }), line({ id: '2', kind: 'direct', peer: '박준호' }), line({ id: '3', kind: 'self', peer: '나' })]
  const ids = (q: string, unread = false, open = '') => filter(lines, people, q, unread, open).map((h) => h.line.id)

  it('keeps unread ones and the one looked at', () => {
    expect(ids('', true)).toEqual(['1'])
    expect(ids('', true, '2')).toEqual(['1', '2'])
  })

  it('finds rooms by name or initials', () => {
    expect(ids('ㅂㅈㅎ')).toEqual(['2'])
    expect(ids('나와')).toEqual(['3'])
    expect(ids('ㅅㅎ', true)).toEqual(['1'])
    expect(ids('없는')).toEqual([])
  })
})
