// Wire is the server as the shell sees it, in plain objects. http.ts speaks to a real one; tests put the fake server here.
// Reading, and what names itself, is asked again a few times while no answer comes, at the site of the connection first and then
// at the others; promises reject with RefusedError only:
// the server's refusal, or `unreachable`. Attempts are made once; what came of them is for the core to judge.
import type { Transport } from '@connectrpc/connect'
import type { CallAnswer, DownFrame, Failure, HistoryPage, HistoryRequest, Name, UpFrame } from '../core/frames.ts'
import type { Op, Room } from '../inner.ts'
import type { Device, Found, Invitation, Member, Person, ServerInfo } from '../types.ts'

/** Outcome of one attempt: the answer, the server's refusal, or neither: the outcome is open. */
export interface Outcome<T> {
  readonly answer: T | null
  readonly failure: Failure | null
}

export interface LiveEvents {
  opened(): void
  frame(f: DownFrame): void
  lost(): void
}

export interface Live {
  write(f: UpFrame): void
  /** close ends the connection; nothing is reported any more. */
  close(): void
}

export interface Entered {
  readonly user: string
  readonly handle: string
  readonly mustChange: boolean
}

export interface Opening {
  readonly token: Uint8Array
  readonly device: Uint8Array
  readonly label: string
}

export interface Photo {
  readonly user: string
  readonly photo: string
  readonly jpeg: Uint8Array
}

/** Session is whose calls these are. */
export interface Session {
  /** token at the time of a call, lower-case base32; empty: none. */
  token(): string
  /** over: the server does not know this token any more. */
  over(token: string): void
}

export interface Wire {
  connect(site: number, events: LiveEvents): Live

  server(): Promise<ServerInfo>
  checkHandle(handle: string): Promise<boolean>
  signUp(o: Opening & { random: Uint8Array; handle: string; name: string; password: string; invitation: string }): Promise<Entered>
  logIn(o: Opening & { handle: string; password: string }): Promise<Entered>
  requestCode(o: Opening): Promise<{ code: string; validMs: number }>
  pollCode(token: Uint8Array): Promise<Entered | 'waiting' | 'expired'>
  logOut(): Promise<void>

  change(site: number, op: Op, name: Name, skip: boolean, oldDevice: string): Promise<Outcome<CallAnswer>>
  renew(site: number, device: string): Promise<Outcome<boolean>>
  fetch(site: number, q: HistoryRequest): Promise<Outcome<HistoryPage>>

  history(q: HistoryRequest): Promise<HistoryPage>
  members(room: string): Promise<readonly Member[]>
  room(id: string): Promise<Room | null>
  reactions(room: string, seq: number): Promise<readonly { user: string; reaction: number }[]>
  users(ids: readonly string[]): Promise<readonly Person[]>
  friends(): Promise<readonly Person[]>
  addedMe(): Promise<readonly Person[]>
  blocked(): Promise<readonly string[]>
  presence(ids: readonly string[]): Promise<readonly string[]>
  photos(users: readonly string[]): Promise<readonly Photo[]>
  find(handle: string, self: string): Promise<Found | null>
  devices(): Promise<readonly Device[]>
  peekCode(code: string): Promise<string>
  admitCode(code: string): Promise<void>
  invitations(): Promise<readonly Invitation[]>
  operator(): Promise<boolean>
  /** service asks a service that only some pages know, at any site; it must be harmless to repeat. */
  service<T>(f: (at: Transport) => Promise<T>): Promise<T>
}
