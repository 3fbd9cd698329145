// The wire over HTTP and WebSocket: the Connect protocol in its binary form, /live in its binary form. The bearer token goes
// into a header and into the first frame, never into an address. Every attempt ends within its time.
import { type Client, type Transport, createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'
import { sha256 } from '@noble/hashes/sha2.js'
import { AccountService } from '../../gen/bonghwa/api/v1/account_pb.ts'
import { ChatService } from '../../gen/bonghwa/api/v1/chat_pb.ts'
import { type ChangeResponse, PeopleService } from '../../gen/bonghwa/api/v1/people_pb.ts'
import { type CallAnswer, type HistoryPage, type HistoryRequest, type Name, failure } from '../core/frames.ts'
import { decode } from '../core/ids.ts'
import type { Op, Room } from '../inner.ts'
import { type Device, type Found, type Invitation, type Member, type Person, RefusedError, type ServerInfo } from '../types.ts'
import { failureOf, message, person, plain, position, room, unreachable } from './convert.ts'
import { commandName } from './frames.ts'
import { type Sites, originOf } from './sites.ts'
import { connect } from './socket.ts'
import type { Entered, Live, LiveEvents, Opening, Outcome, Photo, Session, Wire } from './wire.ts'

const attemptTimeout = 10_000
/** shortTimeout bounds an attempt while another site, or another connection, could be used. */
const shortTimeout = 2500
/** kept is how many connections to a site browsers keep. */
const kept = 6
const attempts = 3
/** busyPatience bounds how long a call waits because the server asks for it. */
const busyPatience = 10_000
/** soon: reasons for which the same call can succeed a moment later. */
const soon = new Set(['not_ready', 'behind', 'unknown_outcome', 'disk_full'])
const peopleBatch = 200

/** Calls are the services of one site. */
interface Calls {
  readonly account: Client<typeof AccountService>
  readonly chat: Client<typeof ChatService>
  readonly people: Client<typeof PeopleService>
  readonly transport: Transport
}

export class HttpWire implements Wire {
  private readonly made = new Map<string, Calls>()
  private live = 0
  /** doubt: /live was opened anew and no call was answered since. What the browser keeps of connections for calls may be as dead as
   * that one was, without having ended, and be all that it allows at a time; a call that is given up frees one. */
  private doubt = 0
  private readonly sites: Pick<Sites, 'urls' | 'order'>
  private readonly session: Session
  private readonly after: (ms: number, fn: () => void) => () => void
  private readonly fetcher: typeof globalThis.fetch | undefined

  constructor(sites: Pick<Sites, 'urls' | 'order'>, session: Session, after: (ms: number, fn: () => void) => () => void, fetcher?: typeof globalThis.fetch) {
    this.sites = sites
    this.session = session
    this.after = after
    this.fetcher = fetcher
  }

  /** calls to a site, each of which may take so long; made when first needed. */
  private calls(site: number, ms: number): Calls {
    const key = `${site} ${ms}`
    const made = this.made.get(key)
    if (made) return made
    const { session, fetcher } = this
    const transport = createConnectTransport({
      baseUrl: `${this.sites.urls[site]}/api`,
      useBinaryFormat: true,
      defaultTimeoutMs: ms,
      ...(fetcher ? { fetch: fetcher } : {}),
      interceptors: [
        (next) => async (req) => {
          const t = session.token()
          if (t !== '') req.header.set('Authorization', `Bearer ${t}`)
          try {
            return await next(req)
          } catch (e) {
            const f = failureOf(e)
            if (t !== '' && (f?.reason === 'unauthenticated' || f?.reason === 'session_revoked')) session.over(t)
            throw e
          }
        },
      ],
    })
    const calls = { account: createClient(AccountService, transport), chat: createClient(ChatService, transport), people: createClient(PeopleService, transport), transport }
    this.made.set(key, calls)
    return calls
  }

  connect(site: number, events: LiveEvents): Live {
    if (this.live++ > 0) this.doubt = kept
    return connect(this.sites.urls[site] ?? '', events)
  }

  // Accounts.

  async server(): Promise<ServerInfo> {
    let asked = 0
    const r = await this.ask(({ account }, site) => {
      asked = site
      return account.getServer({})
    })
    // Whichever site has answered, what is meant is the one that the page came from: only that has the next page.
    const home = asked === 0 ? r : (await this.attempt(() => this.calls(0, shortTimeout).account.getServer({}))).answer
    const sites = r.sites.map(({ name, url }) => ({ name, url }))
    const site = sites.find((s) => originOf(s.url) === this.sites.urls[0])?.name ?? home?.site ?? ''
    return { signup: r.signup === 'open' || r.signup === 'invite' ? r.signup : 'closed', version: r.version, webBuild: home?.webBuild ?? '', site, sites }
  }

  async checkHandle(handle: string): Promise<boolean> {
    return (await this.ask(({ account }) => account.checkHandle({ handle }))).free
  }

  async signUp(o: Opening & { random: Uint8Array; handle: string; name: string; password: string; invitation: string }): Promise<Entered> {
    const { random, handle, password, token, device, invitation } = o
    const r = await this.ask(({ account }) => account.signUp({ random, handle, displayName: o.name, password, token, device, deviceLabel: o.label, invitation }))
    return { user: r.user, handle: r.handle, mustChange: false }
  }

  async logIn(o: Opening & { handle: string; password: string }): Promise<Entered> {
    const { handle, password, token, device } = o
    const r = await this.ask(({ account }) => account.logIn({ handle, password, token, device, deviceLabel: o.label }))
    return { user: r.user, handle: r.handle, mustChange: r.mustChangePassword }
  }

  async requestCode(o: Opening): Promise<{ code: string; validMs: number }> {
    const r = await this.ask(({ account }) => account.requestDeviceCode({ tokenHash: sha256(o.token), device: o.device, deviceLabel: o.label }))
    return { code: r.code, validMs: Number(r.validMs) }
  }

  async pollCode(token: Uint8Array): Promise<Entered | 'waiting' | 'expired'> {
    const r = await this.ask(({ account }) => account.pollDeviceCode({ token }))
    if (r.expired) return 'expired'
    return r.admitted ? { user: r.user, handle: r.handle, mustChange: false } : 'waiting'
  }

  async logOut(): Promise<void> {
    // Asked again it must not end the session of whoever logged in here meanwhile.
    const token = this.session.token()
    await this.ask(async ({ people }) => {
      if (this.session.token() !== token) throw new RefusedError(unreachable)
      await people.logOut({})
    })
  }

  // What the core asks for.

  change(site: number, op: Op, n: Name, skip: boolean, oldDevice: string): Promise<Outcome<CallAnswer>> {
    const call = this.changeCall(this.calls(site, this.limit()).people, op, n, skip, oldDevice)
    // Not a change of the account: it is given up, so that later ones are not blocked.
    if (!call) return Promise.resolve({ answer: null, failure: failure('invalid') })
    return this.attempt(async () => {
      const r = await call()
      return { seq: Number(r.seq), time: Number(r.timeMs), repeated: r.repeated }
    })
  }

  private changeCall(p: Calls['people'], op: Op, n: Name, skip: boolean, oldDevice: string): (() => Promise<ChangeResponse>) | null {
    const name = commandName(n)
    const user = op.peer ?? ''
    if (skip) return () => p.skipAccountCommand({ name, device: oldDevice })
    switch (op.kind) {
      case 'addFriend':
        return () => p.addFriend({ name, user })
      case 'removeFriend':
        return () => p.removeFriend({ name, user })
      case 'setProfile': {
        const change = { ...(op.name !== undefined ? { displayName: op.name } : {}), ...(op.status !== undefined ? { statusMessage: op.status } : {}) }
        return () => p.setProfile({ name, ...change })
      }
      case 'setPhoto':
        return () => p.setPhoto({ name, jpeg: op.bytes ?? new Uint8Array() })
      case 'changePassword':
        return () => p.changePassword({ name, oldPassword: op.old ?? '', newPassword: op.next ?? '' })
      case 'deleteAccount':
        return () => p.deleteAccount({ name, password: op.old ?? '' })
      case 'revokeDevices':
        return () => p.revokeDevices({ name, devices: [...(op.list ?? [])], allOthers: op.on ?? false })
      case 'labelDevice':
        return () => p.labelDevice({ name, device: op.peer ?? '', label: op.text ?? '' })
      case 'createInvitation':
        return () => p.createInvitation({ name, secretHash: op.bytes ?? new Uint8Array(), uses: op.uses ?? 0, validDays: op.days ?? 0 })
      case 'revokeInvitation':
        return () => p.revokeInvitation({ name, id: op.text ?? '' })
      default:
        return null
    }
  }

  renew(site: number, device: string): Promise<Outcome<boolean>> {
    return this.attempt(async () => {
      await this.calls(site, this.limit()).people.renewDevice({ device: decode(device) ?? new Uint8Array() })
      return true
    })
  }

  fetch(site: number, q: HistoryRequest): Promise<Outcome<HistoryPage>> {
    return this.attempt(() => page(this.calls(site, this.limit()), q))
  }

  // Rooms.

  history(q: HistoryRequest): Promise<HistoryPage> {
    return this.ask((calls) => page(calls, q))
  }

  async members(id: string): Promise<readonly Member[]> {
    const r = await this.ask(({ chat }) => chat.listMembers({ room: id }))
    return r.members.map((m) => ({ user: m.user, joinedSeq: Number(m.joinedSeq), readSeq: Number(m.readSeq) }))
  }

  async room(id: string): Promise<Room | null> {
    try {
      const r = await this.ask(({ chat }) => chat.getRoom({ room: id }))
      return r.room ? room(r.room) : null
    } catch (e) {
      if (e instanceof RefusedError && (e.refusal.reason === 'unknown_room' || e.refusal.reason === 'not_member')) return null
      throw e
    }
  }

  async reactions(id: string, seq: number): Promise<readonly { user: string; reaction: number }[]> {
    const r = await this.ask(({ chat }) => chat.listReactions({ room: id, seq: BigInt(seq) }))
    return r.reactions.map((x) => ({ user: x.user, reaction: x.reaction }))
  }

  // People.

  async users(ids: readonly string[]): Promise<readonly Person[]> {
    const found: Person[] = []
    for (let i = 0; i < ids.length; i += peopleBatch) {
      const r = await this.ask(({ people }) => people.getUsers({ ids: ids.slice(i, i + peopleBatch) }))
      found.push(...r.users.map(person))
    }
    return found
  }

  async friends(): Promise<readonly Person[]> {
    return (await this.ask(({ people }) => people.listFriends({}))).friends.map(person)
  }

  async addedMe(): Promise<readonly Person[]> {
    return (await this.ask(({ people }) => people.listAddedMe({}))).users.map(person)
  }

  async blocked(): Promise<readonly string[]> {
    return (await this.ask(({ chat }) => chat.listBlocked({}))).users
  }

  async presence(ids: readonly string[]): Promise<readonly string[]> {
    const online: string[] = []
    for (let i = 0; i < ids.length; i += peopleBatch) {
      online.push(...(await this.ask(({ people }) => people.getPresence({ users: ids.slice(i, i + peopleBatch) }))).online)
    }
    return online
  }

  async photos(users: readonly string[]): Promise<readonly Photo[]> {
    const r = await this.ask(({ people }) => people.getPhotos({ users: [...users] }))
    return r.photos.map((p) => ({ user: p.user, photo: p.photo, jpeg: p.jpeg }))
  }

  async find(handle: string, self: string): Promise<Found | null> {
    const r = await this.ask(({ people }) => people.findUser({ handle }))
    return r.user ? { person: person(r.user), friend: r.friend, addedMe: r.addedMe, self: r.user.id === self } : null
  }

  async devices(): Promise<readonly Device[]> {
    const r = await this.ask(({ people }) => people.listDevices({}))
    return r.devices.map((d) => ({ id: d.id, label: d.label, lastDay: d.lastDay * 86_400_000, current: d.current, connected: d.connected }))
  }

  async peekCode(code: string): Promise<string> {
    return (await this.byCode(({ people }) => people.peekDeviceCode({ code }))).deviceLabel
  }

  async admitCode(code: string): Promise<void> {
    await this.byCode(({ people }) => people.admitDevice({ code }))
  }

  async invitations(): Promise<readonly Invitation[]> {
    const r = await this.ask(({ people }) => people.listInvitations({}))
    return r.invitations.map((i) => {
      const { id, uses, used, users, revoked } = i
      return { id, secret: '', created: Number(i.createdMs), until: Number(i.untilMs), uses, used, users, revoked }
    })
  }

  async operator(): Promise<boolean> {
    return (await this.ask(({ people }) => people.getMe({}))).operator
  }

  service<T>(f: (at: Transport) => Promise<T>): Promise<T> {
    return this.ask(({ transport }) => f(transport))
  }

  private limit(): number {
    return this.doubt > 0 ? shortTimeout : attemptTimeout
  }

  /** attempt makes one call and says what came of it; it never rejects. */
  private async attempt<T>(f: () => Promise<T>): Promise<Outcome<T>> {
    try {
      const answer = await f()
      this.doubt = 0
      return { answer, failure: null }
    } catch (e) {
      const failure = failureOf(e)
      this.doubt = failure ? 0 : Math.max(0, this.doubt - 1)
      return { answer: null, failure }
    }
  }

  /** byCode asks each site once: a code is known where it was made, and only there. */
  private async byCode<T>(f: (calls: Calls) => Promise<T>): Promise<T> {
    const sites = this.sites.order
    if (sites.length === 1) return this.ask(f)
    let why = unreachable
    for (const site of sites) {
      const { answer, failure } = await this.attempt(async () => ({ value: await f(this.calls(site, shortTimeout)) }))
      if (answer) return answer.value
      if (failure) why = plain(failure)
      if (failure && failure.reason !== 'bad_code' && !soon.has(failure.reason)) break
    }
    throw new RefusedError(why)
  }

  /** ask makes a call that is harmless to repeat, up to three times at each site. One that has burnt does not refuse, it is
   * silent: while another one could be asked, not much time is spent on it. */
  private async ask<T>(f: (calls: Calls, site: number) => Promise<T>): Promise<T> {
    const sites = this.sites.order
    let waited = 0
    for (let n = 1; ; n++) {
      const site = sites[(n - 1) % sites.length] ?? 0
      const last = attempts * sites.length
      const ms = n < sites.length ? shortTimeout : n < last ? this.limit() : attemptTimeout
      const { answer, failure } = await this.attempt(async () => ({ value: await f(this.calls(site, ms), site) }))
      if (answer) return answer.value
      // Told to come back later, by a busy server or because this session has asked too often: the same again then.
      const wait = (failure?.retryAfterMs ?? 0) + 10 + Math.random() * 50
      if (failure?.reason === 'busy' && waited + wait <= busyPatience) {
        waited += wait
        n--
        await new Promise<void>((resolve) => this.after(wait, resolve))
        continue
      }
      if (n >= last || (failure && !soon.has(failure.reason))) throw new RefusedError(failure ? plain(failure) : unreachable)
      if (n % sites.length === 0) await new Promise<void>((resolve) => this.after((150 * n) / sites.length, resolve))
    }
  }
}

async function page({ chat }: Calls, q: HistoryRequest): Promise<HistoryPage> {
  const atLeast = q.atLeast ? { atLeast: { epoch: q.atLeast.epoch, n: BigInt(q.atLeast.n) } } : {}
  const r = await chat.history({ room: q.room, from: BigInt(q.from), backward: q.backward, limit: q.limit, ...atLeast })
  return { messages: r.messages.map(message), lastSeq: Number(r.lastSeq), joinedSeq: Number(r.joinedSeq), position: position(r.position) }
}
