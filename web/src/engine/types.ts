// What the views know of the engine. No React in here and in what implements it. Everything that is read is an immutable
// snapshot: an object that did not change is the same object. Times are Unix milliseconds of the server's clock unless
// named local; seq are sequence numbers of a room.
import type { Transport } from '@connectrpc/connect'

/** Signal is a value that tells when it changed. It fits React's useSyncExternalStore. */
export interface Signal<T> {
  get(): T
  /** subscribe calls fn after each change, at most once per animation frame's worth of changes; returns the way out. */
  subscribe(fn: () => void): () => void
}

export interface Person {
  readonly id: string
  readonly handle: string
  /** name is the display name; empty of a closed account. */
  readonly name: string
  readonly status: string
  readonly closed: boolean
  /** photo names the profile photo; empty: none, a default picture by id is drawn. */
  readonly photo: string
  readonly simulated: boolean
}

/** Phase of the whole window. */
export type Phase =
  | { readonly kind: 'starting' }
  | { readonly kind: 'signedOut' }
  | { readonly kind: 'in' }
  /** ended: the session was ended from elsewhere (or with this account); the store is wiped, `unsent` texts went with it.
   * storage: the store cannot be read, or was emptied by the browser; a reload may find it again. untold: the person logged out
   * and all is wiped here, but the server could not be told. */
  | { readonly kind: 'ended'; readonly unsent: number; readonly why: 'revoked' | 'closed' | 'password' | 'storage' | 'untold' }
  /** otherWindow: no Web Locks here and another window talks; this one shows nothing but that. `take` takes over. */
  | { readonly kind: 'otherWindow' }

/** Site is one of the places where the system runs; url is its origin. */
export interface Site {
  readonly name: string
  readonly url: string
}

/** Sites: where the system runs, in the order of their names; empty: it is one machine. */
export interface Sites {
  readonly list: readonly Site[]
  /** at is the name of the site that this device is connected to, or was last. */
  readonly at: string
  /** left is the site that it was connected to before, and movedAt when (local) it went from there to another; 0: it has not. */
  readonly left: string
  readonly movedAt: number
}

/** Connection: online after the first Welcome; reconnecting from 400 ms after it broke. */
export type Connection = 'connecting' | 'online' | 'reconnecting'

export interface AppState {
  readonly phase: Phase
  readonly connection: Connection
  /** since (local) the connection is as it is. */
  readonly since: number
  /** me is absent until known. */
  readonly me: Person | null
  readonly mustChangePassword: boolean
  /** storage: refused = IndexedDB cannot be used, all is in memory; full = the last write failed, what was typed since is not safe. */
  readonly storage: 'ok' | 'refused' | 'full'
  /** leader: this window holds the connection; another one of the same device may. */
  readonly leader: boolean
  /** secure: a secure context (https or localhost); without it notifications, clipboard, locks are off. */
  readonly secure: boolean
  /** skew is local clock minus server clock, ms, 0 until known. */
  readonly skew: number
  /** newBuild: the server has another web client; the page reloads when nothing is being typed. */
  readonly newBuild: boolean
  /** unread messages in rooms that are not muted, and rooms with unread ones (muted too). */
  readonly unreadTotal: number
  readonly unreadRooms: number
  readonly server: ServerInfo | null
  readonly sites: Sites
}

export interface ServerInfo {
  readonly signup: 'open' | 'invite' | 'closed'
  readonly version: string
  /** webBuild is that of the site which the page came from; empty: another site was asked. */
  readonly webBuild: string
  /** site is the name of the site that the page came from, sites are all of them; empty: it is one machine. */
  readonly site: string
  readonly sites: readonly Site[]
}

export type RoomKind = 'direct' | 'self' | 'group'

/** RoomLine is a row of the chat list. */
export interface RoomLine {
  readonly id: string
  readonly kind: RoomKind
  /** title of a group; empty otherwise (the view shows the peer's name or 나와의 채팅). */
  readonly title: string
  /** peer of a 1:1, own id in the self chat, empty in groups. */
  readonly peer: string
  readonly lastSeq: number
  readonly joinedSeq: number
  readonly readSeq: number
  readonly unread: number
  readonly memberCount: number
  readonly muted: boolean
  readonly pinned: boolean
  /** left: no longer a member (groups), or hidden until the next message (1:1). Left rooms are not in the list. */
  readonly left: boolean
  /** blocked: I have blocked the peer of this 1:1. */
  readonly blocked: boolean
  /** provisional: known here only, e.g. a 1:1 before its first message or a group whose creation waits. */
  readonly provisional: boolean
  /** last message by a person, or an own one that is under way. */
  readonly last: Preview | null
  readonly draft: string
  /** draftReply is the seq of what the draft answers; 0: nothing. */
  readonly draftReply: number
  /** refused own messages that a person must decide about. */
  readonly failed: number
  /** typing people, others only, names in order of begin. */
  readonly typing: readonly string[]
  /** up to 2 members for the picture of a group without one (duo); may be empty. */
  readonly faces: readonly string[]
}

export interface Preview {
  /** seq is 0 until the message is acknowledged. */
  readonly seq: number
  readonly author: string
  readonly text: string
  readonly deleted: boolean
  readonly time: number
}

export interface RoomsState {
  /** lines in list order: pinned first, then by time of the last message, newest first. */
  readonly lines: readonly RoomLine[]
  readonly byId: ReadonlyMap<string, RoomLine>
  /** loaded: the first answer (or the local copy) is in; before it show skeletons. */
  readonly loaded: boolean
}

export type SendState = 'sent' | 'sending' | 'waiting' | 'unknown' | 'givingUp' | 'refused'

/** MessageRow is a text by a person: a row of the server, or an item of the outbox. */
export interface MessageRow {
  readonly kind: 'message'
  /** key is the same before and after the acknowledgement: React keeps the bubble. */
  readonly key: string
  /** seq is 0 until acknowledged. */
  readonly seq: number
  readonly author: string
  readonly own: boolean
  /** time of the server; of an item the local time, corrected by the skew. */
  readonly time: number
  readonly text: string
  readonly edited: boolean
  readonly deleted: boolean
  readonly reply: Quote | null
  /** reactions: counts of 1 heart, 2 thumb, 3 check, 4 laugh, 5 surprise, 6 sad; empty: none. */
  readonly reactions: readonly number[]
  readonly myReaction: number
  /** state of sending; waiting = behind others or offline before it ever left; unknown = left, no answer. */
  readonly state: SendState
  /** item of the outbox while not settled, else 0. */
  readonly item: number
  /** refusal of state refused. */
  readonly refusal: Refusal | null
  /** change under way on a sent row: an edit or a deletion not acknowledged yet. */
  readonly changing: boolean
}

export interface Quote {
  readonly seq: number
  /** author and text are empty while not loaded. */
  readonly author: string
  readonly text: string
  readonly deleted: boolean
  readonly loaded: boolean
}

/** SystemRow is a line in the log. */
export interface SystemRow {
  readonly kind: 'system'
  readonly key: string
  readonly seq: number
  readonly time: number
  readonly what: 'created' | 'invited' | 'left' | 'renamed'
  readonly author: string
  readonly users: readonly string[]
  readonly title: string
}

/** GapRow: history between two loaded stretches is missing; loads when it comes into view. */
export interface GapRow {
  readonly kind: 'gap'
  readonly key: string
  readonly seq: number
}

export type Row = MessageRow | SystemRow | GapRow

export interface Member {
  readonly user: string
  readonly joinedSeq: number
  readonly readSeq: number
}

/** RoomState is an open room. */
export interface RoomState {
  readonly line: RoomLine
  /** rows ascending, one contiguous loaded stretch, then what is not acknowledged. Rows of edits, deletions, reactions are folded in. */
  readonly rows: readonly Row[]
  /** loaded: rows that the room has are here, or it is known to have none; until then there is only what is under way. */
  readonly loaded: boolean
  /** atStart: nothing older can be read; atEnd: the stretch reaches the newest row. */
  readonly atStart: boolean
  readonly atEnd: boolean
  readonly loadingOlder: boolean
  readonly loadingNewer: boolean
  /** failed: the last page could not be read; reading again is up to the person or the next connection. */
  readonly failed: Refusal | null
  /** members is null until read. */
  readonly members: readonly Member[] | null
  /** unreadAt counts other members who have not read a row; 0 until members are known. A new function after each change. */
  readonly unreadAt: (seq: number, author: string) => number
  /** online is null while unknown (offline too). */
  readonly online: { readonly count: number; readonly users: readonly string[] } | null
  readonly typing: readonly string[]
  /** readLine is the seq up to which all was read when the room was opened, 0 where nothing was; -1: no line. Stays until closed. */
  readonly readLine: number
}

export interface PeopleState {
  /** friends, unsorted. */
  readonly friends: readonly string[]
  readonly friendsLoaded: boolean
  readonly addedMe: readonly string[]
  readonly blocked: readonly string[]
  /** byId: everybody this client has looked up; ask with wantPeople. */
  readonly byId: ReadonlyMap<string, Person>
  /** online: presence of friends and peers as last asked with wantPresence; empty while offline. */
  readonly online: ReadonlySet<string>
}

/** Reason is ErrorInfo.reason without its prefix, lower case ('cannot_receive'), or one of the client's own. */
export type Reason = string

/** Refusal is an answer that is not success; RefusedError carries one. */
export interface Refusal {
  /** reason: the server's, or unreachable, given_up, not_stored, signed_out, other_window. */
  readonly reason: Reason
  readonly subject: string
  readonly retryAfterMs: number
  readonly fields: readonly string[]
}

export class RefusedError extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.reason)
    this.refusal = refusal
  }
}

export interface Device {
  readonly id: string
  readonly label: string
  /** lastDay: Unix ms of the beginning of a day in UTC; at some time of it the device was last connected. */
  readonly lastDay: number
  readonly current: boolean
  /** connected now, as far as this site knows. */
  readonly connected: boolean
}

export interface Invitation {
  readonly id: string
  /** secret is known on the device that made it, else empty. */
  readonly secret: string
  readonly created: number
  readonly until: number
  readonly uses: number
  readonly used: number
  readonly users: readonly string[]
  readonly revoked: boolean
}

export interface SignUpForm {
  readonly handle: string
  readonly name: string
  readonly password: string
  readonly deviceLabel: string
  readonly invitation: string
}

/** DeviceCode is shown on a new device; poll until it is confirmed. */
export interface DeviceCode {
  readonly code: string
  /** until, local time. */
  readonly until: number
}

export interface Found {
  readonly person: Person
  readonly friend: boolean
  readonly addedMe: boolean
  readonly self: boolean
}

/** Notice is a message that came while its room was not looked at; for sound, notification, title. */
export interface Notice {
  readonly room: string
  readonly author: string
  readonly text: string
  readonly time: number
  readonly muted: boolean
}

/** Engine is everything a view can ask for. Calls that return a promise reject with RefusedError only. */
export interface Engine {
  readonly app: Signal<AppState>
  readonly rooms: Signal<RoomsState>
  readonly people: Signal<PeopleState>
  /** room opens a room for reading; the signal of a room that does not exist holds null. Same id, same signal. */
  room(id: string): Signal<RoomState | null>
  /** onNotice is called for each new message by others that the person does not see come; in one window only (the leader). */
  onNotice(fn: (n: Notice) => void): () => void

  // Accounts.
  checkHandle(handle: string): Promise<boolean>
  signUp(form: SignUpForm): Promise<void>
  logIn(handle: string, password: string, deviceLabel: string): Promise<void>
  requestDeviceCode(deviceLabel: string): Promise<DeviceCode>
  /** pollDeviceCode: 'admitted' is followed by phase in. */
  pollDeviceCode(): Promise<'waiting' | 'admitted' | 'expired'>
  /** logOut wipes this device's store, also when the server cannot be told (phase ended, untold); unsent counts what would be
   * lost. */
  logOut(): Promise<void>
  unsent(): number
  /** dismissEnded leaves phase ended for signedOut. */
  dismissEnded(): void
  /** takeOver makes this window the one that talks (phase otherWindow). */
  takeOver(): void

  // What is looked at.
  /** view tells which rooms are visible and focused (at most 8); read marks move only for these. */
  view(rooms: readonly string[]): void
  /** active: the window is visible and was touched lately. */
  setActive(on: boolean): void
  /** lookAt says which row of an open room is in the middle of the screen (0: what is not acknowledged): of a long log only the
   * rows around it are kept. finding: somebody finds words in the loaded rows; more of them stay. */
  lookAt(room: string, seq: number, finding: boolean): void
  loadOlder(room: string): void
  loadNewer(room: string): void
  /** jumpTo loads the stretch around a seq (0: the newest). */
  jumpTo(room: string, seq: number): Promise<void>
  markRead(room: string, seq: number): void
  typing(room: string, stopped: boolean): void
  setDraft(room: string, text: string, replyTo?: number): void

  // Changes of rooms: stored first, then sent until decided. Sending never waits for the network.
  /** send returns the item's id. peer is given for a 1:1 whose room may not exist yet. */
  send(room: string, text: string, replyTo: number): number
  /** edit and remove change an own sent row; the promise ends with the verdict. */
  edit(room: string, seq: number, text: string): Promise<void>
  remove(room: string, seq: number): Promise<void>
  react(room: string, seq: number, reaction: number): Promise<void>
  /** replaceUnsent gives another text to an item that was not acknowledged when it was drawn; the promise ends with the verdict.
   * Acknowledged meanwhile, the message is edited; refused, it is sent anew, and kept if it is refused again. */
  replaceUnsent(item: number, text: string): Promise<void>
  /** giveUp asks an unsettled message back: 'gone' = certainly not in, 'sent' = it was in already. */
  giveUp(item: number): Promise<'gone' | 'sent'>
  /** discard drops a refused message; resend sends its text anew. */
  discard(item: number): void
  resend(item: number): void

  /** directRoom is the id of the 1:1 with a person (self chat with oneself); makes a provisional line. */
  directRoom(user: string): string
  /** createGroup returns the id at once; refused people are told when known. */
  createGroup(title: string, members: readonly string[]): { room: string; done: Promise<readonly string[]> }
  invite(room: string, members: readonly string[]): Promise<readonly string[]>
  leave(room: string): Promise<void>
  rename(room: string, title: string): Promise<void>
  mute(room: string, on: boolean): Promise<void>
  pin(room: string, on: boolean): Promise<void>
  whoReacted(room: string, seq: number): Promise<readonly { user: string; reaction: number }[]>

  // People.
  /** wantPeople looks up people not known yet; they appear in people. */
  wantPeople(ids: readonly string[]): void
  /** wantFaces looks for two people for the picture of a group that is seen; they appear in its line. */
  wantFaces(room: string): void
  wantPresence(ids: readonly string[]): void
  findUser(handle: string): Promise<Found | null>
  addFriend(user: string): Promise<void>
  removeFriend(user: string): Promise<void>
  block(user: string): Promise<void>
  unblock(user: string): Promise<void>
  setProfile(change: { name?: string; status?: string }): Promise<void>
  /** setPhoto takes a JPEG of at most 48 KiB, or null to remove. */
  setPhoto(jpeg: Blob | null): Promise<void>
  /** photoUrl is a blob: address of a person's photo, to be asked for anew each time it is drawn; '' until loaded, then the
   * signal of people changes. */
  photoUrl(user: string): string
  changePassword(old: string, password: string): Promise<void>
  deleteAccount(password: string): Promise<void>
  devices(): Promise<readonly Device[]>
  revokeDevices(ids: readonly string[] | 'others'): Promise<void>
  labelDevice(id: string, label: string): Promise<void>
  peekDeviceCode(code: string): Promise<string>
  admitDevice(code: string): Promise<void>
  invitations(): Promise<readonly Invitation[]>
  /** createInvitation returns the secret that goes into the link /#i/<secret>. */
  createInvitation(): Promise<string>
  revokeInvitation(id: string): Promise<void>
  /** isOperator: this person has the role at this moment. */
  isOperator(): Promise<boolean>
  /** service asks a service of the server that only some pages know, at whatever site answers; the call may be made twice. */
  service<T>(f: (at: Transport) => Promise<T>): Promise<T>
  /** kept is a small device-local memory in the account's store (recent emoji, ...). */
  kept(key: string): string
  keep(key: string, value: string): void
}
