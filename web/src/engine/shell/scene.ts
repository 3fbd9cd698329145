// For tests: a scene of people with browsers in front of one imitated server, under one clock.
import { FakeServer } from '../fake/server.ts'
import { Browser, Window, form } from './fakewire.ts'
import { Time } from './testing.ts'

export class Scene {
  readonly time = new Time()
  readonly server = new FakeServer()

  browser(name: string): Browser {
    return new Browser(name, this.server, this.time)
  }

  /** done waits for a promise of an engine while time passes. */
  async done<T>(p: Promise<T>): Promise<T> {
    let over = false
    void p.then(
      () => (over = true),
      () => (over = true),
    )
    for (let i = 0; i < 80 && !over; i++) await this.time.pass(100)
    if (!over) throw new Error('it hangs')
    return p
  }

  async open(b: Browser, visible = true): Promise<Window> {
    return this.done(b.open(visible))
  }

  /** pair is two people with a browser each and the room between them. */
  async pair(): Promise<{ a: Browser; alice: Window; bob: Window; room: string }> {
    const a = this.browser('a')
    const alice = await this.open(a)
    const bob = await this.open(this.browser('b'))
    await this.done(alice.engine.signUp(form('alice')))
    await this.done(bob.engine.signUp(form('bobby')))
    await this.time.pass(1000)
    const room = alice.engine.directRoom(bob.engine.app.get().me?.id ?? '')
    look(alice, room)
    alice.engine.send(room, 'first', 0)
    await this.time.pass(1000)
    look(bob, room)
    await this.time.pass(1000)
    return { a, alice, bob, room }
  }

  onServer(room: string): string[] {
    return (this.server.data.rooms.get(room)?.rows ?? []).filter((r) => r.message.kind === 'text').map((r) => r.message.text)
  }
}

export const texts = (w: Window, room: string): string[] =>
  (w.engine.room(room).get()?.rows ?? []).flatMap((r) => (r.kind === 'message' ? [r.text] : []))

export function look(w: Window, room: string): void {
  w.engine.room(room).subscribe(() => {})
  w.engine.view([room])
}

export const draft = (w: Window, room: string): string => w.engine.rooms.get().byId.get(room)?.draft ?? ''
