import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { expect, test, vi } from 'vitest'
import { GetServerResponseSchema } from '../../gen/bonghwa/api/v1/account_pb.ts'
import { ErrorInfoSchema, Reason } from '../../gen/bonghwa/api/v1/types_pb.ts'
import { FrameSchema } from '../../gen/bonghwa/live/v1/frame_pb.ts'
import type { UpFrame } from '../core/frames.ts'
import { down, up } from './frames.ts'
import { HttpWire } from './http.ts'
import { Sites } from './sites.ts'

interface Seen {
  url: string
  headers: Headers
}

/** wire answers every request with what is given, in turn. */
function wire(answers: (Response | Error)[], elsewhere: readonly string[] = []): { http: HttpWire; seen: Seen[]; over: string[]; token: { now: string } } {
  const token = { now: 'secret' }
  const seen: Seen[] = []
  const over: string[] = []
  const fetcher = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    seen.push({ url: String(input), headers: new Headers(init?.headers) })
    const next = answers.shift() ?? new Error('nothing left')
    if (next instanceof Error) throw next
    return next
  }
  const session = { token: () => token.now, over: (t: string) => over.push(t) }
  const soon = (_ms: number, fn: () => void) => {
    queueMicrotask(fn)
    return () => {}
  }
  return { http: new HttpWire(new Sites('http://host', elsewhere), session, soon, fetcher as typeof globalThis.fetch), seen, over, token }
}

function refusal(reason: Reason, more: { again?: boolean; retryAfterMs?: bigint; field?: string } = {}): Response {
  const info = create(ErrorInfoSchema, {
    reason,
    again: more.again ?? false,
    retryAfterMs: more.retryAfterMs ?? 0n,
    fields: more.field ? [{ field: more.field }] : [],
  })
  const value = btoa(String.fromCharCode(...toBinary(ErrorInfoSchema, info))).replace(/=+$/, '')
  const body = { code: 'unknown', message: 'no', details: [{ type: 'bonghwa.api.v1.ErrorInfo', value }] }
  return new Response(JSON.stringify(body), { status: 500, headers: { 'content-type': 'application/json' } })
}
const empty = () => new Response(new Uint8Array(), { status: 200, headers: { 'content-type': 'application/proto' } })

test('the token goes into the header, never into the address', async () => {
  const { http, seen } = wire([empty()])
  await http.friends()
  expect(seen[0]?.url).toBe('http://host/api/bonghwa.api.v1.PeopleService/ListFriends')
  expect(seen[0]?.headers.get('authorization')).toBe('Bearer secret')
})

test('a refusal says what the server said; the text of the error does not matter', async () => {
  const { http } = wire([refusal(Reason.TOO_MANY_TRIES, { again: true, retryAfterMs: 1500n, field: 'handle' })])
  await expect(http.checkHandle('x')).rejects.toMatchObject({ refusal: { reason: 'too_many_tries', retryAfterMs: 1500, fields: ['handle'] } })
})

test('no answer, or one that says soon, is asked again, and then it is unreachable', async () => {
  const lost = wire([new TypeError('network'), refusal(Reason.NOT_READY, { again: true }), empty()])
  expect(await lost.http.friends()).toEqual([])
  expect(lost.seen).toHaveLength(3)
  const gone = wire([new TypeError('a'), new TypeError('b'), new ConnectError('c', Code.Unavailable), empty()])
  await expect(gone.http.friends()).rejects.toMatchObject({ refusal: { reason: 'unreachable' } })
  expect(gone.seen).toHaveLength(3)
})

test('a server that says when to come back is asked again then, for a while', async () => {
  const busy = (ms: bigint) => refusal(Reason.BUSY, { again: true, retryAfterMs: ms })
  const once = wire([...Array.from({ length: 6 }, () => busy(200n)), empty()])
  expect(await once.http.friends()).toEqual([])
  expect(once.seen).toHaveLength(7)
  const long = wire(Array.from({ length: 20 }, () => busy(4000n)))
  await expect(long.http.friends()).rejects.toMatchObject({ refusal: { reason: 'busy', retryAfterMs: 4000 } })
  expect(long.seen).toHaveLength(3)
  const later = wire([busy(120_000n), empty()])
  await expect(later.http.friends()).rejects.toMatchObject({ refusal: { reason: 'busy', retryAfterMs: 120_000 } })
})

test('a site that does not answer is not asked for long: the next one is, and each up to three times', async () => {
  const lost = wire([new TypeError('network'), refusal(Reason.NOT_READY, { again: true }), empty()], ['http://b', 'http://c'])
  expect(await lost.http.friends()).toEqual([])
  expect(lost.seen.map((s) => new URL(s.url).host)).toEqual(['host', 'b', 'c'])
  expect(lost.seen.map((s) => s.headers.get('connect-timeout-ms'))).toEqual(['2500', '2500', '10000'])
  const gone = wire(Array.from({ length: 20 }, () => new TypeError('gone')), ['http://b', 'http://c'])
  await expect(gone.http.friends()).rejects.toMatchObject({ refusal: { reason: 'unreachable' } })
  expect(gone.seen).toHaveLength(9)
  const no = wire([refusal(Reason.NOT_MEMBER)], ['http://b'])
  await expect(no.http.members('r')).rejects.toMatchObject({ refusal: { reason: 'not_member' } })
})

test('once the connection was opened anew, a call that is not answered is soon given up, until one is', async () => {
  vi.stubGlobal('WebSocket', class {})
  const { http, seen } = wire([empty(), empty(), new TypeError('dead'), new TypeError('dead'), empty(), empty()])
  const given = () => seen.splice(0).map((s) => s.headers.get('connect-timeout-ms'))
  const events = { opened() {}, frame() {}, lost() {} }
  http.connect(0, events)
  await http.friends()
  expect(given()).toEqual(['10000'])
  http.connect(0, events)
  await http.friends()
  expect(given()).toEqual(['2500'])
  http.connect(0, events)
  await http.friends() // on a slow network the last try has its time
  expect(given()).toEqual(['2500', '2500', '10000'])
  await http.friends()
  expect(given()).toEqual(['10000'])
  // Browsers keep so many connections to a site; when all of them were given up, none of them is the reason.
  const slow = wire([])
  for (let i = 0; i < 2; i++) slow.http.connect(0, events)
  for (let i = 0; i < 7; i++) await slow.http.renew(0, 'a')
  expect(slow.seen.map((s) => s.headers.get('connect-timeout-ms'))).toEqual([...Array.from({ length: 6 }, () => '2500'), '10000'])
  vi.unstubAllGlobals()
})

test('a code is asked for at each site, and refused if none knows it', async () => {
  const known = wire([refusal(Reason.BAD_CODE), new TypeError('gone'), empty()], ['http://b', 'http://c'])
  expect(await known.http.peekCode('12345678')).toBe('')
  expect(known.seen).toHaveLength(3)
  const unknown = wire([refusal(Reason.BAD_CODE), new TypeError('gone'), refusal(Reason.BAD_CODE)], ['http://b', 'http://c'])
  await expect(unknown.http.peekCode('12345678')).rejects.toMatchObject({ refusal: { reason: 'bad_code' } })
  const tries = wire([refusal(Reason.TOO_MANY_TRIES, { again: true, retryAfterMs: 1000n })], ['http://b', 'http://c'])
  await expect(tries.http.peekCode('12345678')).rejects.toMatchObject({ refusal: { reason: 'too_many_tries' } })
})

test('the build that counts is that of the site which the page came from', async () => {
  const answer = (site: string, webBuild: string) =>
    new Response(
      toBinary(GetServerResponseSchema, create(GetServerResponseSchema, { signup: 'open', webBuild, site, sites: [{ name: 'a', url: 'http://host' }, { name: 'b', url: 'http://b' }] })) as Uint8Array<ArrayBuffer>,
      { status: 200, headers: { 'content-type': 'application/proto' } },
    )
  const at = wire([answer('a', 'one')], ['http://b'])
  expect(await at.http.server()).toMatchObject({ webBuild: 'one', site: 'a' })
  const back = wire([new TypeError('gone'), answer('b', 'two'), answer('a', 'one')], ['http://b'])
  expect(await back.http.server()).toMatchObject({ webBuild: 'one', site: 'a' })
  const away = wire([new TypeError('gone'), answer('b', 'two'), new TypeError('gone')], ['http://b'])
  expect(await away.http.server()).toMatchObject({ webBuild: '', site: 'a' })
})

test('an ended session is told once a call meets it', async () => {
  const { http, over } = wire([refusal(Reason.SESSION_REVOKED)])
  await expect(http.friends()).rejects.toMatchObject({ refusal: { reason: 'session_revoked' } })
  expect(over).toEqual(['secret'])
})

test('a named change is tried once: the core decides what follows', async () => {
  const name = { n: 1, tag: new Uint8Array(8), base: 1, epoch: 0 }
  const { http, seen } = wire([new TypeError('network'), refusal(Reason.LIMIT)])
  const op = { uid: 'u', kind: 'addFriend', peer: 'p' } as const
  expect(await http.change(0, op, name, false, '')).toEqual({ answer: null, failure: null })
  expect((await http.change(0, op, name, false, '')).failure).toMatchObject({ reason: 'limit' })
  expect((await http.change(0, { uid: 'u', kind: 'send' }, name, false, '')).failure).toMatchObject({ reason: 'invalid' })
  expect(seen).toHaveLength(2)
})

test('frames go through the wire form unchanged', () => {
  const name = { n: 3, tag: new Uint8Array(8).fill(7), base: 2, epoch: 1 }
  const frames: UpFrame[] = [
    { t: 'hello', id: 1, token: 't', device: 'd', seen: { epoch: 1, n: 2 ** 40 } },
    { t: 'change', id: 2, op: { uid: 'u', kind: 'send', peer: 'p', room: 'r', text: '안녕', replyTo: 4, readSeq: 5 }, name, epoch: 1 },
    { t: 'change', id: 3, op: { uid: 'u', kind: 'createRoom', bytes: new Uint8Array(16), text: 'title', list: ['a'] }, name: null, epoch: 1 },
    { t: 'skip', id: 4, name, room: 'r', peer: '', device: '' },
    { t: 'view', rooms: ['r'] },
    { t: 'ping' },
  ]
  const cases = frames.map((f) => fromBinary(FrameSchema, toBinary(FrameSchema, up(f) ?? create(FrameSchema))).body)
  expect(cases.map((b) => b.case)).toEqual(['hello', 'send', 'createRoom', 'skip', 'view', 'ping'])
  expect(cases[0]?.value).toMatchObject({ seen: { epoch: 1, n: 2n ** 40n } })
  // A 1:1 is addressed by the person alone.
  expect(cases[1]?.value).toMatchObject({ room: '', peer: 'p', text: '안녕', replyTo: 4n, readSeq: 5n, name: { n: 3n, base: 2n, epoch: 1 } })
  expect(up({ t: 'change', id: 1, op: { uid: 'u', kind: 'addFriend' }, name, epoch: 1 })).toBeNull()

  const ack = create(FrameSchema, { id: 9n, body: { case: 'ack', value: { seq: 5n, timeMs: 6n, error: { reason: Reason.EXPECTED, again: true, n: 2n } } } })
  expect(down(ack)).toMatchObject({ t: 'ack', id: 9, seq: 5, time: 6, error: { reason: 'expected', again: true, consumed: false, n: 2 } })
  expect(down(create(FrameSchema, {}))).toBeNull()
})

test('logging out asked again does not end the session of whoever logged in meanwhile', async () => {
  const { http, seen, token } = wire([new TypeError('network'), empty()])
  const out = http.logOut()
  while (seen.length === 0) await Promise.resolve()
  token.now = 'another'
  await expect(out).rejects.toMatchObject({ refusal: { reason: 'unreachable' } })
  expect(seen.map((s) => s.headers.get('authorization'))).toEqual(['Bearer secret'])
})
