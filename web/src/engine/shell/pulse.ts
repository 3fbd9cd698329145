// Pulse notices that time has passed without this page: the machine slept, the network is another one, somebody came back. Then
// the connection is tried at once, and once more a second later if something happened again in between.
import type { Env } from './env.ts'

const every = 5000
/** late: a timer that comes so much later than it was set for has slept; those of a hidden window come once a minute. */
const late = { visible: 10_000, hidden: 75_000 } as const

export class Pulse {
  private stopTimer: () => void = () => {}
  private last = 0
  private pinged = -1000
  private stopAgain: (() => void) | null = null
  private readonly env: Env
  private readonly ping: () => void

  constructor(env: Env, ping: () => void) {
    this.env = env
    this.ping = ping
  }

  start(): void {
    this.last = this.env.wall()
    this.stopTimer = this.env.after(every, () => {
      const over = this.env.wall() - this.last - every
      if (over > (this.env.visible() ? late.visible : late.hidden)) this.beat()
      this.start()
    })
  }

  stop(): void {
    this.stopTimer()
    this.stopAgain?.()
    this.stopAgain = null
  }

  beat(): void {
    const wait = this.pinged + 1000 - this.env.mono()
    if (wait > 0) {
      this.stopAgain ??= this.env.after(wait, () => {
        this.stopAgain = null
        this.beat()
      })
      return
    }
    this.pinged = this.env.mono()
    this.ping()
  }
}
