import { expect, test } from 'vitest'
import type { PeopleState, Person, RoomLine } from '../engine/types.ts'
import { nextSlot } from './account.ts'
import { bannerOf, type BannerKind, spanOf } from './banners.ts'
import { offerDue } from './notify.ts'
import { find } from './palette.ts'
import { neighbour } from './rooms.ts'
import { parseSettings } from './stored.ts'

const calm = { storage: 'ok', secure: true, skew: 0, newBuild: false } as const

test('the gravest notice stands alone; only what loses nothing can be closed', () => {
  const none = new Set<BannerKind>()
  expect(bannerOf(calm, none)).toBe(null)
  expect(bannerOf({ storage: 'refused', secure: false, skew: 1e9, newBuild: true }, new Set(['refused', 'plain']))).toBe('refused')
  expect(bannerOf({ ...calm, storage: 'full' }, new Set(['full']))).toBe('full')
  expect(bannerOf({ ...calm, secure: false, skew: 1e9 }, none)).toBe('plain')
  expect(bannerOf({ ...calm, secure: false, skew: 1e9 }, new Set(['plain']))).toBe('clock')
  expect(bannerOf({ ...calm, skew: 299_000 }, none)).toBe(null)
  expect(bannerOf({ ...calm, skew: -301_000 }, none)).toBe('clock')
})

test('notifications are offered at most twice, the second time days later', () => {
  const day = 86_400_000
  const first = offerDue(null, 5 * day)!
  expect(offerDue(`${first}`, first + 2 * day)).toBe(null)
  const second = offerDue(`${first}`, first + 4 * day)!
  expect(second).not.toBe(null)
  expect(offerDue(`${second}`, first + 400 * day)).toBe(null)
  expect(offerDue('1', 400 * day)).toBe(null) // of an earlier version
})

test('how far a clock is off, as people say it', () => {
  expect(spanOf(301_000)).toEqual({ unit: 'minutes', n: 5 })
  expect(spanOf(-7_200_000)).toEqual({ unit: 'hours', n: 2 })
  expect(spanOf(86_400_000)).toEqual({ unit: 'days', n: 1 })
})

function line(id: string, unread = 0, more: Partial<RoomLine> = {}): RoomLine {
  return {
    id, kind: 'group', title: id, peer: '', lastSeq: 1, joinedSeq: 0, readSeq: 0, unread, memberCount: 2, muted: false, pinned: false, left: false,
    blocked: false, provisional: false, last: null, draft: '', draftReply: 0, failed: 0, typing: [], faces: [], ...more,
  }
}

test('walking through rooms stops at the ends, to unread ones goes round', () => {
  const lines = [line('a'), line('b', 2), line('c'), line('d', 1)]
  expect(neighbour(lines, 'a', 1, false)).toBe('b')
  expect(neighbour(lines, 'a', -1, false)).toBe(null)
  expect(neighbour(lines, 'd', 1, false)).toBe(null)
  expect(neighbour(lines, null, 1, false)).toBe('a')
  expect(neighbour(lines, null, -1, false)).toBe('d')
  expect(neighbour(lines, 'b', 1, true)).toBe('d')
  expect(neighbour(lines, 'd', 1, true)).toBe('b')
  expect(neighbour([line('a', 3)], 'a', 1, true)).toBe(null)
  expect(neighbour([], null, 1, true)).toBe(null)
})

test('the palette finds rooms, friends by name and 아이디, things to do, and nobody twice', () => {
  const person = (id: string, name: string, handle: string): Person => ({ id, name, handle, status: '', closed: false, photo: '', simulated: false })
  const all = [person('1', '이수하', 'suha.lee'), person('2', '박준호', 'junho'), person('3', '모르는 이', 'stranger')]
  const people: PeopleState = { friends: ['1', '2'], friendsLoaded: true, addedMe: [], blocked: [], byId: new Map(all.map((p) => [p.id, p])), online: new Set() }
  const lines = [line('수학 스터디'), line('r', 0, { kind: 'direct', peer: '1' }), line('산행')]
  const names = (q: string) => {
    const f = find(q, lines, people, ['키보드로 쓰기'])
    return [f.rooms.map((e) => e.name), f.people.map((e) => e.name), f.acts.length]
  }
  expect(names('ㅅㅎ')).toEqual([['수학 스터디', '이수하', '산행'], [], 0])
  expect(names('ㅂㅈㅎ')).toEqual([[], ['박준호'], 0])
  expect(names('suha')).toEqual([[], ['이수하'], 0])
  expect(names('ㅋㅂㄷ')).toEqual([[], [], 1])
  expect(names('')).toEqual([['수학 스터디', '이수하', '산행'], [], 1])
  expect(names('stranger')).toEqual([[], [], 0])
})

test('kept settings that are not what they should be are the defaults', () => {
  const d = parseSettings(null, 'ko-KR')
  expect(d).toMatchObject({ theme: 'system', text: 'normal', lang: 'ko', sound: true, enterSends: true, listWidth: 0 })
  for (const kept of ['', 'null', '[]', '7', '{"theme":"blue","text":1,"lang":"fr","listWidth":9999,"sound":"no"}', '{']) expect(parseSettings(kept, 'ko'), kept).toEqual(d)
  expect(parseSettings(null, 'fr').lang).toBe('en')
  // A finger has no Shift: Enter breaks the line, until the person wants it to send.
  expect([parseSettings(null, 'ko', true), parseSettings('{"enterSends":true}', 'ko', true), parseSettings('{"enterSends":false}', 'ko')].map((s) => s.enterSends)).toEqual([false, true, false])
  expect(parseSettings('{"theme":"dark","listWidth":300}', 'en')).toMatchObject({ theme: 'dark', listWidth: 300, lang: 'en' })
})

test('another account gets the first free place', () => {
  expect(nextSlot([], 0)).toBe(1)
  expect(nextSlot([1, 2], 0)).toBe(3)
  expect(nextSlot([1], 2)).toBe(3)
  expect(nextSlot([1, 2, 3, 4, 5, 6, 7, 8, 9], 0)).toBe(1)
})
