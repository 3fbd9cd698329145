// Clock is the machine's wall clock made fit for a core: it never goes back. When somebody sets the clock back, it goes on
// from where it was, at the pace of the monotonic clock; when the machine slept or the clock was set forward, it follows.

export class Clock {
  private last = 0
  private lastMono = 0
  private shift = 0
  private readonly wall: () => number
  private readonly mono: () => number

  constructor(wall: () => number, mono: () => number) {
    this.wall = wall
    this.mono = mono
  }

  now(): number {
    const mono = this.mono()
    const expected = this.last + Math.max(0, mono - this.lastMono)
    let t = this.wall() + this.shift
    // A second of tolerance: clocks that are disciplined by the network tick a little slower or faster.
    if (this.last > 0 && t < expected - 1000) {
      this.shift += expected - t
      t = expected
    }
    this.last = Math.max(this.last, Math.round(t))
    this.lastMono = mono
    return this.last
  }
}
