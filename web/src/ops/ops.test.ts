import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { parsePath } from '../app/route.ts'
import { ActSchema, DrillState, GetBackupsResponseSchema, GetDrillResponseSchema, GetSitesResponseSchema, MatterSchema, Outlook, SiteState } from '../gen/bonghwa/api/v1/operator_pb.ts'
import { setLanguage } from '../lib/messages.ts'
import { verdictOf } from './Centres.tsx'
import { archiveSays, onWhat } from './Lists.tsx'
import { ceiling, stacked, waits } from './Chart.tsx'
import { KEPT, merged, type Second } from './data.ts'
import { matterText } from './Matters.tsx'
import { nameOf } from './names.ts'
import { ordered, placesOf } from './places.ts'
import { actFor, both, scenarioFor, w } from './words.ts'

const second = (at: number, sends: Record<string, number>, p99 = 0): Second => ({ at, sends: new Map(Object.entries(sends)), p99 })

test('every text is there in both languages, with the same values', () => {
  expect(Object.keys(both.en)).toEqual(Object.keys(both.ko))
  const values = (s: string) => new Set([...s.matchAll(/\{(\w+)/g)].map((m) => m[1]))
  for (const [key, ko] of Object.entries(both.ko)) {
    const en = both.en[key as keyof typeof both.en]
    expect(ko.trim()).not.toBe('')
    expect(values(en), key).toEqual(values(ko))
    if (!/^(persons)$/.test(key)) expect(en.trim(), key).not.toBe('')
    expect(en, key).not.toMatch(/[가-힣!]/)
    expect(ko, key).not.toMatch(/!|서버|세션|노드|리전/)
  }
})

test('particles fit the name', async () => {
  expect(w('askType', { quoted: '‘서울’' })).toBe('확인하려면 ‘서울’이라고 써 주세요')
  expect(w('askType', { quoted: '‘광주’' })).toBe('확인하려면 ‘광주’라고 써 주세요')
  expect(w('and', { a: '대전', b: '부산' })).toBe('대전과 부산')
  expect(actFor('something_new')).toBe('something_new')
  await setLanguage('en')
  expect(w('people', { n: 1 })).toBe('1 person')
  expect(w('people', { n: 5 })).toBe('5 people')
  await setLanguage('ko')
})

test('addresses of the page', () => {
  expect(parsePath('/ops').route).toEqual({ at: 'ops', tab: 'sites' })
  expect(parsePath('/ops/acts').route).toEqual({ at: 'ops', tab: 'acts' })
  expect(parsePath('/u/2/ops/nothing')).toEqual({ slot: 2, route: { at: 'ops', tab: 'sites' } })
})

describe('what it says', () => {
  const site = (name: string, state = SiteState.READY) => ({ name, state })
  const three = { sites: [site('busan'), site('daejeon'), site('seoul')], outlook: Outlook.SPARE, steady: true }
  const says = (sites: Parameters<typeof create<typeof GetSitesResponseSchema>>[1], drill?: Parameters<typeof create<typeof GetDrillResponseSchema>>[1]) => {
    const v = verdictOf(create(GetSitesResponseSchema, sites), drill ? create(GetDrillResponseSchema, drill) : null)
    return [v.kind, v.title, v.means, v.strong ?? ''].join(' | ')
  }
  test('all are lit', () => expect(says(three)).toBe('good | 세 곳 모두 켜져 있어요 | 한 곳이 사라져도 메시지는 이어지고, 받았다고 답한 메시지는 잃지 않아요. | '))
  test('a drill that is overdue', () => expect(says({ ...three, overdue: true, matters: [{ kind: 'drill_overdue', n: 200n }] })).toMatch(/^warn \| 세 곳 모두/))
  test('a fire', () =>
    expect(says({ ...three, outlook: Outlook.NO_SPARE, sites: [site('busan'), site('daejeon'), site('seoul', SiteState.UNREACHABLE)] }, { state: DrillState.BURNING, site: 'seoul' })).toBe(
      'warn | 서울에서 화재 훈련을 하고 있어요 | 메시지는 대전과 부산에서 이어져요. | 한 곳을 더 잃으면 메시지를 보낼 수 없어요.',
    ))
  test('one is out without a drill', () => expect(says({ ...three, outlook: Outlook.NO_SPARE, matters: [{ kind: 'unreachable', on: 'busan' }] })).toBe('warn | 부산이 꺼져 있어요 | 한 곳을 더 잃으면 메시지를 보낼 수 없어요. | '))
  test('sends are stopped, whatever the drill', () => expect(says({ ...three, outlook: Outlook.STOPPED }, { state: DrillState.BURNING, site: 'seoul' })).toMatch(/^danger \| 메시지를 보낼 수 없어요/))
  test('two sites, of which one is drained: nothing is promised', () =>
    expect(says({ sites: [site('busan'), site('seoul', SiteState.DRAINING)], outlook: Outlook.NO_SPARE, matters: [{ kind: 'draining', on: 'seoul' }] })).toBe('warn | 서울이 사람들을 다른 곳으로 보냈어요 | 한 곳을 더 잃으면 메시지를 보낼 수 없어요. | '))
  test('what the title does not say follows it, and the first of two that are out is not the title', () => {
    const clock = create(GetSitesResponseSchema, { ...three, steady: false, matters: [{ kind: 'clock_off', on: 'seoul', n: -2000n }] })
    expect(verdictOf(clock, null)).toMatchObject({ kind: 'warn', title: '살펴볼 것이 있어요', matters: clock.matters })
    const old = create(GetSitesResponseSchema, { ...three, matters: [{ kind: 'certificate', on: 'seoul', n: 9n }] })
    expect(verdictOf(old, null)).toMatchObject({ kind: 'warn', title: '세 곳 모두 켜져 있어요', matters: old.matters })
    const two = create(GetSitesResponseSchema, { ...three, steady: false, outlook: Outlook.NO_SPARE, matters: [{ kind: 'not_ready', on: 'seoul' }, { kind: 'disk_low', on: 'busan' }, { kind: 'unreachable', on: 'busan' }] })
    expect(verdictOf(two, null)).toMatchObject({ title: '두 곳이 꺼져 있어요', matters: two.matters })
    two.matters.pop()
    expect(verdictOf(two, null)).toMatchObject({ title: '서울이 사람을 받지 못하고 있어요', about: two.matters[0], matters: [two.matters[1]] })
    expect(says({ sites: [site('')], outlook: Outlook.ALONE, steady: false })).toMatch(/^warn \| 살펴볼/)
  })
  test('one machine', () => expect(says({ sites: [site('')], outlook: Outlook.ALONE, steady: true })).toMatch(/^good \| 컴퓨터 한 대에서/))
})

test('seconds come together in order, once each, and no more than are drawn', () => {
  const some = merged([], [second(1, { a: 1 }), second(2, { a: 2, b: 2 })])
  const more = merged(some, [second(2, { a: 9 }), second(3, { a: 3 })])
  expect(more.map((s) => [s.at, s.sends.get('a')])).toEqual([
    [1, 1],
    [2, 2], // what had heard of both sites stays
    [3, 3],
  ])
  expect(merged([], Array.from({ length: 300 }, (_, i) => second(i, {}))).length).toBe(KEPT)
})

test('parts are drawn one on the other', () => {
  const d = stacked([second(0, { a: 1, b: 2 }), second(1, { a: 3 })], ['a', 'b'], (at) => at, (n) => -n)
  expect(d).toEqual(['M0.0 -1.0L1.0 -3.0L1.0 0.0L0.0 0.0Z'.replaceAll('0.0Z', '0.0Z'), 'M0.0 -3.0L1.0 -3.0L1.0 -3.0L0.0 -1.0Z'])
  for (const [most, top] of [[0, 6], [7, 10], [48, 60], [178, 200], [320, 400], [450, 600], [60, 60]] as const) expect(ceiling(most)).toBe(top)
})

test('cities stand where they are, other names on a ring, none on another', () => {
  expect(ordered(['busan', 'daejeon', 'seoul'])).toEqual(['seoul', 'daejeon', 'busan'])
  const cities = placesOf(['seoul', 'daejeon', 'busan'])
  expect(cities.get('seoul')!.y).toBeLessThan(cities.get('daejeon')!.y)
  const ring = placesOf(['seoul', 'tokyo', 'osaka', 'kyoto'])
  const spots = [...ring.values()].map((p) => `${p.x} ${p.y}`)
  expect(new Set(spots).size).toBe(4)
  expect(placesOf(['']).size).toBe(1)
})

test('an archive that is in trouble is not called none', () => {
  expect(archiveSays(create(GetBackupsResponseSchema, {}))).toBe(w('archiveNone'))
  expect(archiveSays(create(GetBackupsResponseSchema, { archiveMatters: [{ kind: 'archive_empty' }] }))).toBe('')
})

test('matters in Korean, with their figures; a kind that is unknown in the words of the server', () => {
  const says = (kind: string, on: string, n: number) => matterText(create(MatterSchema, { kind, on, n: BigInt(n), text: 'in English' }))
  expect(says('unreachable', 'seoul', 0)).toBe('서울이 꺼져 있어요')
  expect(says('clock_off', 'gwangju', -2340)).toBe('광주의 시계가 2.3초 어긋나 있어요. 바로잡을 때까지 리더를 맡지 않아요.')
  expect(says('archive_behind', '/copies', 90)).toMatch(/^보관이 90초 늦어요/)
  expect(says('not_serving', 'gwangju', 120)).toBe('광주가 2분 안에 사람을 받지 못했어요.')
  expect(says('archive_behind', '/copies', 7300)).toMatch(/^보관이 2시간 늦어요/)
  expect(says('young', 'seoul', 0)).toBe('in English')
})

test('what was done to what, and drills by their names', () => {
  const on = (what: string, of: string) => onWhat(create(ActSchema, { what, on: of }))
  expect(on('invited', '3, 7 d')).toBe('3명 · 7일')
  expect(on('drained', 'busan')).toBe('부산')
  expect(on('drill_recorded', 'cut-off-seoul')).toBe('통신 끊김 · 서울')
  expect(on('granted', 'mina')).toBe('mina')
  const called = (name: string) => scenarioFor(name, (rest) => (rest === 'seoul' ? '' : nameOf(rest)))
  expect(['power-loss', 'power-loss-seoul', 'power-loss-twice', 'slow-disk-50ms', 'clock--1h', 'frozen-60', 'killed-fetch', 'fire'].map(called)).toEqual([
    '전원 끊김', '전원 끊김', '거듭 전원 끊김', '느린 디스크 · 50ms', '틀린 시계 · -1h', '60초 멈춰 섬', '되살아나다가 꺼짐', 'fire',
  ])
})

test('the line of waits breaks where nothing was sent', () => {
  expect(waits([second(1, { a: 1 }, 5), second(2, { a: 0 }), second(3, { a: 2 }, 6), second(4, { b: 1 }, 7)], (at) => at, (ms) => ms)).toBe('M1.0 5.0M3.0 6.0L4.0 7.0')
})
