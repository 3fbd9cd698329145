// The engine: what views ask for, put together from its parts. shell runs this window, model is what is read, accounts signs
// up and logs in. One engine a window; the account slot follows from the address, /u/<slot>/.
import type { Transport } from '@connectrpc/connect'
import { sha256 } from '@noble/hashes/sha2.js'
import { directRoom, encode, groupRoom } from './core/ids.ts'
import { bytes } from './core/rand.ts'
import type { Op, Settled } from './inner.ts'
import { Accounts } from './shell/accounts.ts'
import { type Env, Mark, browserEnv } from './shell/env.ts'
import { HttpWire } from './shell/http.ts'
import { Shell, type ShellDeps } from './shell/shell.ts'
import { openStore } from './shell/store.ts'
import type { AppState, Device, DeviceCode, Engine, Found, Invitation, Notice, PeopleState, RoomState, RoomsState, SignUpForm, Signal } from './types.ts'

const presenceEvery = 30_000
/** presenceMost bounds how many people are asked about. */
const presenceMost = 400
/** atOnce is how many people one request may name. */
const atOnce = 200

/** openEngine opens the engine of this window's account slot; it is ready to be drawn from. */
export async function openEngine(): Promise<Engine> {
  const env = browserEnv()
  const slot = /^\/u\/(\d+)(?:\/|$)/.exec(location.pathname)?.[1] ?? '0'
  return startEngine({
    env,
    slot,
    store: await openStore(slot, env.after, new Mark(env.rescue, slot).there),
    wire: (session, sites) => new HttpWire(sites, session, env.after),
    schedule: frames(env),
  })
}

/** startEngine is openEngine with the browser's part given. */
export async function startEngine(deps: ShellDeps): Promise<WindowEngine> {
  const engine = new WindowEngine(deps)
  await engine.start()
  return engine
}

/** frames runs a round at the next animation frame; a hidden window has none and takes a task. */
function frames(env: Env): (fn: () => void) => void {
  return (fn) => {
    let done = false
    const once = () => {
      if (done) return
      done = true
      stop()
      fn()
    }
    // A window that is hidden before its frame comes gets it late: the timer is there for that.
    const stop = env.after(env.visible() ? 100 : 0, once)
    if (env.visible()) requestAnimationFrame(once)
  }
}

export class WindowEngine implements Engine {
  readonly app: Signal<AppState>
  readonly rooms: Signal<RoomsState>
  readonly people: Signal<PeopleState>
  private readonly shell: Shell
  private readonly accounts: Accounts
  private presence: readonly string[] = []
  private stopPresence: (() => void) | null = null

  constructor(deps: ShellDeps) {
    this.shell = new Shell(deps)
    this.accounts = new Accounts(this.shell)
    this.app = this.shell.app
    this.rooms = this.shell.model.rooms
    this.people = this.shell.people
  }

  start(): Promise<void> {
    return this.shell.start()
  }

  /** close ends this window's part: tests close windows, browsers do it themselves. */
  close(): void {
    this.stopPresence?.()
    this.shell.close()
  }

  room(id: string): Signal<RoomState | null> {
    return this.shell.model.room(id)
  }

  onNotice(fn: (n: Notice) => void): () => void {
    return this.shell.notices.listen(fn)
  }

  // Accounts.

  checkHandle(handle: string): Promise<boolean> {
    return this.shell.wire.checkHandle(handle.trim().toLowerCase())
  }

  signUp(form: SignUpForm): Promise<void> {
    return this.accounts.signUp(form)
  }

  logIn(handle: string, password: string, deviceLabel: string): Promise<void> {
    return this.accounts.logIn(handle, password, deviceLabel)
  }

  requestDeviceCode(deviceLabel: string): Promise<DeviceCode> {
    return this.accounts.requestCode(deviceLabel)
  }

  pollDeviceCode(): Promise<'waiting' | 'admitted' | 'expired'> {
    return this.accounts.pollCode()
  }

  logOut(): Promise<void> {
    return this.accounts.logOut()
  }

  unsent(): number {
    return this.shell.unsent
  }

  dismissEnded(): void {
    if (this.shell.ended) this.shell.setPhase({ kind: 'signedOut' })
  }

  takeOver(): void {
    this.shell.takeOver()
  }

  // What is looked at.

  view(rooms: readonly string[]): void {
    this.shell.attention.view(rooms.slice(0, 8))
    this.shell.model.view(rooms)
  }

  setActive(on: boolean): void {
    this.shell.attention.setActive(on)
  }

  loadOlder(room: string): void {
    this.shell.model.loadOlder(room)
  }

  loadNewer(room: string): void {
    this.shell.model.loadNewer(room)
  }

  jumpTo(room: string, seq: number): Promise<void> {
    return this.shell.model.jumpTo(room, seq)
  }

  lookAt(room: string, seq: number, finding: boolean): void {
    this.shell.model.lookAt(room, seq, finding)
  }

  markRead(room: string, seq: number): void {
    this.shell.errands.markRead(room, seq)
  }

  typing(room: string, stopped: boolean): void {
    this.shell.errands.typing(room, stopped)
  }

  setDraft(room: string, text: string, replyTo = 0): void {
    this.shell.drafts.set(room, text, replyTo)
  }

  private change(op: Omit<Op, 'uid'>): Promise<Settled> {
    return this.shell.changes.change(op, [])
  }

  // Changes of rooms.

  send(room: string, text: string, replyTo: number): number {
    const line = this.rooms.get().byId.get(room)
    const op: Op = {
      uid: this.shell.uid(),
      kind: 'send',
      room,
      text: text.normalize('NFC'),
      replyTo,
      readSeq: line?.readSeq ?? 0,
      ...(line?.peer ? { peer: line.peer } : {}),
    }
    return this.shell.changes.submit(op, [this.shell.drafts.sent(room)])
  }

  async edit(room: string, seq: number, text: string): Promise<void> {
    await this.change({ kind: 'edit', room, seq, text: text.normalize('NFC') })
  }

  async remove(room: string, seq: number): Promise<void> {
    await this.change({ kind: 'delete', room, seq })
  }

  async react(room: string, seq: number, reaction: number): Promise<void> {
    await this.change({ kind: 'react', room, seq, reaction })
  }

  replaceUnsent(item: number, text: string): Promise<void> {
    const { changes } = this.shell
    return changes.replace(changes.asks.uid(item), text.normalize('NFC'))
  }

  async giveUp(item: number): Promise<'gone' | 'sent'> {
    const { asks } = this.shell.changes
    const uid = asks.uid(item)
    if (asks.kept.has(item)) {
      this.discard(item)
      return 'gone'
    }
    if (!asks.id(uid)) return 'sent' // decided a moment ago, and not refused
    const verdict = asks.wait(uid)
    this.shell.changes.ask({ t: 'giveUp', uid })
    return (await verdict).givenUp ? 'gone' : 'sent'
  }

  discard(item: number): void {
    const uid = this.shell.changes.asks.uid(item)
    if (uid) this.shell.changes.ask({ t: 'discard', uid })
  }

  resend(item: number): void {
    const uid = this.shell.changes.asks.uid(item)
    if (uid) this.shell.changes.ask({ t: 'resend', uid })
  }

  directRoom(user: string): string {
    const room = directRoom(this.shell.account?.user ?? '', user)
    if (room) this.shell.model.provisional(room, user)
    return room
  }

  createGroup(title: string, members: readonly string[]): { room: string; done: Promise<readonly string[]> } {
    const random = bytes(this.shell.env.rand, 16)
    const room = groupRoom(this.shell.account?.user ?? '', random)
    const create = this.change({ kind: 'createRoom', room, bytes: random, text: title.normalize('NFC'), list: members.slice(0, atOnce) })
    // Asked for at once, so that they are kept; they go when the creation is answered.
    const rest = this.invite(room, members.slice(atOnce))
    const done = Promise.all([create, rest]).then(([s, refused]) => [...s.refused, ...refused])
    done.catch(() => undefined) // who does not ask is not told
    return { room, done }
  }

  async invite(room: string, members: readonly string[]): Promise<readonly string[]> {
    const asked: Promise<{ readonly refused: readonly string[] }>[] = []
    for (let i = 0; i < members.length; i += atOnce) asked.push(this.change({ kind: 'invite', room, list: members.slice(i, i + atOnce) }))
    return (await Promise.all(asked)).flatMap((s) => s.refused)
  }

  async leave(room: string): Promise<void> {
    await this.change({ kind: 'leave', room })
  }

  async rename(room: string, title: string): Promise<void> {
    await this.change({ kind: 'rename', room, text: title.normalize('NFC') })
  }

  async mute(room: string, on: boolean): Promise<void> {
    await this.change({ kind: 'mute', room, on })
  }

  async pin(room: string, on: boolean): Promise<void> {
    await this.change({ kind: 'pin', room, on })
  }

  whoReacted(room: string, seq: number): Promise<readonly { user: string; reaction: number }[]> {
    return this.shell.wire.reactions(room, seq)
  }

  // People.

  wantPeople(ids: readonly string[]): void {
    this.shell.model.wantPeople(ids)
  }

  wantFaces(room: string): void {
    const key = `faces.${room}`
    const known = (this.shell.errands.memory.get(key) ?? '').split(' ').filter((u) => u !== '')
    this.shell.model.wantFaces(room, known, (users) => this.shell.errands.remember(key, users.join(' ')))
  }

  wantPresence(ids: readonly string[]): void {
    this.presence = [...new Set([...ids, ...this.presence])].slice(0, presenceMost)
    if (this.shell.env.visible()) this.shell.model.wantPresence(ids)
    this.pollPresence()
  }

  private pollPresence(): void {
    this.stopPresence ??= this.shell.env.after(presenceEvery, () => {
      this.stopPresence = null
      if (this.shell.env.visible()) this.shell.model.wantPresence(this.presence)
      this.pollPresence()
    })
  }

  findUser(handle: string): Promise<Found | null> {
    return this.shell.wire.find(handle.trim().toLowerCase(), this.shell.account?.user ?? '')
  }

  async addFriend(user: string): Promise<void> {
    await this.change({ kind: 'addFriend', peer: user })
  }

  async removeFriend(user: string): Promise<void> {
    await this.change({ kind: 'removeFriend', peer: user })
  }

  async block(user: string): Promise<void> {
    await this.change({ kind: 'block', peer: user })
  }

  async unblock(user: string): Promise<void> {
    await this.change({ kind: 'unblock', peer: user })
  }

  async setProfile(change: { name?: string; status?: string }): Promise<void> {
    await this.change({
      kind: 'setProfile',
      ...(change.name !== undefined ? { name: change.name.normalize('NFC') } : {}),
      ...(change.status !== undefined ? { status: change.status.normalize('NFC') } : {}),
    })
  }

  async setPhoto(jpeg: Blob | null): Promise<void> {
    const photo = jpeg ? new Uint8Array(await jpeg.arrayBuffer()) : new Uint8Array()
    await this.change({ kind: 'setPhoto', bytes: photo })
  }

  photoUrl(user: string): string {
    return this.shell.photos.url(user)
  }

  async changePassword(old: string, password: string): Promise<void> {
    await this.change({ kind: 'changePassword', old: old.normalize('NFC'), next: password.normalize('NFC') })
  }

  async deleteAccount(password: string): Promise<void> {
    await this.change({ kind: 'deleteAccount', old: password.normalize('NFC') })
  }

  devices(): Promise<readonly Device[]> {
    return this.shell.wire.devices()
  }

  async revokeDevices(ids: readonly string[] | 'others'): Promise<void> {
    await this.change(ids === 'others' ? { kind: 'revokeDevices', on: true, list: [] } : { kind: 'revokeDevices', list: ids })
  }

  async labelDevice(id: string, label: string): Promise<void> {
    await this.change({ kind: 'labelDevice', peer: id, text: label.normalize('NFC') })
  }

  peekDeviceCode(code: string): Promise<string> {
    return this.shell.wire.peekCode(code)
  }

  admitDevice(code: string): Promise<void> {
    return this.shell.wire.admitCode(code)
  }

  isOperator(): Promise<boolean> {
    return this.shell.wire.operator()
  }

  service<T>(f: (at: Transport) => Promise<T>): Promise<T> {
    return this.shell.wire.service(f)
  }

  async invitations(): Promise<readonly Invitation[]> {
    const list = await this.shell.wire.invitations()
    return list.map((i) => ({ ...i, secret: this.shell.errands.memory.get(`invitation.${i.id}`) ?? '' }))
  }

  async createInvitation(): Promise<string> {
    const secret = encode(bytes(this.shell.env.rand, 16))
    const hash = sha256(new TextEncoder().encode(secret))
    // Kept before it is asked for: an invitation nobody has the secret of would be of no use.
    this.shell.errands.remember(`invitation.${encode(hash)}`, secret)
    await this.change({ kind: 'createInvitation', bytes: hash })
    return secret
  }

  async revokeInvitation(id: string): Promise<void> {
    await this.change({ kind: 'revokeInvitation', text: id })
  }

  kept(key: string): string {
    return this.shell.errands.memory.get(`view.${key}`) ?? ''
  }

  keep(key: string, value: string): void {
    this.shell.errands.remember(`view.${key}`, value)
  }
}
