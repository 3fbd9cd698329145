// Pulse notices that time has passed without this page: the machine slept, the network is another one, somebody came back. Then
// the connection is tried, at most once a second.
import type { Env } from './env.ts'

const every = 5000
/** late: a timer that comes so much later than it was set for has slept; those of a hidden window come once a minute. */
const late = { visible: 10_000, hidden: 75_000 } as const

export class Pulse {
  private stopTimer: () => void = () => {}
  private last = 0
  private pinged = -1000
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
  }

  beat(): void {
    const now = this.env.mono()
    if (now - this.pinged < 1000) return
    this.pinged = now
    this.ping()
  }
}
