import { describe, expect, it } from 'vitest'
import type { Member, Person } from '../../engine/types.ts'
import { search, SEARCH_FROM, short, whole } from './members.ts'

function people(...names: string[]): Map<string, Person> {
  return new Map(names.map((name) => [name, { id: name, handle: name, name, status: '', closed: false, photo: '', simulated: false }]))
}
function members(...users: string[]): Member[] {
  return users.map((user, i) => ({ user, joinedSeq: i, readSeq: 0 }))
}
const users = (list: readonly { user: string }[]) => list.map((e) => e.user)

describe('members', () => {
  const all = members('최은지', '나', '박준호', '오하늘', '강민')
  const known = people('최은지', '나', '박준호', '오하늘', '강민')

  it('begin with me, then who is online', () => {
    expect(users(short(all, '나', new Set(['오하늘', '최은지']), known))).toEqual(['나', '오하늘', '최은지', '강민', '박준호'])
  })

  it('of a big room keep the order of joining, whatever names are known', () => {
    const many = members(...Array.from({ length: SEARCH_FROM }, (_, i) => `u${i}`), '나')
    const a = users(short(many, '나', new Set(['u7']), new Map()))
    expect(a.slice(0, 4)).toEqual(['나', 'u7', 'u0', 'u1'])
    expect(users(short(many, '나', new Set(['u7']), people('u49', 'u3')))).toEqual(a)
  })

  it('stand by name as a whole, unknown ones last', () => {
    expect(users(whole(all, '나', people('최은지', '나', '박준호')))).toEqual(['나', '박준호', '최은지', '오하늘', '강민'])
  })

  it('are found by initials among the known', () => {
    expect(search(all, '나', known, 'ㅂㅈ')).toEqual([{ user: '박준호', marks: [[0, 2]] }])
    expect(search(all, '나', people('나'), 'ㅂㅈ')).toEqual([])
  })
})
