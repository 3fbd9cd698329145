// ReadMarks is who is in a room and how far each has read. The number beside a message is how many members other than its
// author have not read it: a mark is never lower than where its owner came in minus one, so that is how many marks lie below
// the message, found by binary search in the sorted marks (3,000 members).
import type { Member } from '../types.ts'

export interface Readers {
  readonly members: readonly Member[]
  readonly unreadAt: (seq: number, author: string) => number
}

function markOf(m: Member): number {
  return Math.max(m.readSeq, m.joinedSeq - 1)
}

/** below counts the marks lower than seq. */
function below(marks: Float64Array, seq: number): number {
  let lo = 0
  let hi = marks.length
  while (lo < hi) {
    const mid = (lo + hi) >>> 1
    if (marks[mid]! < seq) lo = mid + 1
    else hi = mid
  }
  return lo
}

export class ReadMarks {
  private members: Member[] = []
  private at = new Map<string, number>()
  /** marks is sorted; null: to be made again. */
  private marks: Float64Array | null = null
  private shown: Readers | null = null

  load(members: readonly Member[]): void {
    this.members = [...members]
    this.at = new Map(members.map((m, i) => [m.user, i]))
    this.marks = null
    this.shown = null
  }

  get(user: string): Member | undefined {
    const i = this.at.get(user)
    return i === undefined ? undefined : this.members[i]
  }

  /** read moves a mark; marks only grow. */
  read(user: string, seq: number): boolean {
    const i = this.at.get(user)
    const m = i === undefined ? undefined : this.members[i]
    if (i === undefined || !m || seq <= m.readSeq) return false
    const next = { ...m, readSeq: seq }
    this.own()
    this.members[i] = next
    if (this.marks) move(this.marks, markOf(m), markOf(next))
    return true
  }

  /** joined takes people in who came with the row seq. */
  joined(users: readonly string[], seq: number): boolean {
    let any = false
    for (const user of users) {
      const m = this.get(user)
      if (m && m.joinedSeq >= seq) continue
      if (m) this.drop(user)
      this.own()
      this.at.set(user, this.members.length)
      this.members.push({ user, joinedSeq: seq, readSeq: seq })
      this.marks = null
      any = true
    }
    return any
  }

  /** left takes somebody out who left with the row seq. */
  left(user: string, seq: number): boolean {
    const m = this.get(user)
    if (!m || m.joinedSeq > seq) return false
    this.drop(user)
    return true
  }

  snapshot(): Readers {
    if (this.shown) return this.shown
    this.marks ??= Float64Array.from(this.members, markOf).sort()
    const marks = this.marks
    const members = this.members
    const at = this.at
    this.shown = {
      members,
      unreadAt: (seq, author) => {
        const i = at.get(author)
        const m = i === undefined ? undefined : members[i]
        return below(marks, seq) - (m && m.user === author && markOf(m) < seq ? 1 : 0)
      },
    }
    return this.shown
  }

  private drop(user: string): void {
    this.own()
    this.members = this.members.filter((m) => m.user !== user)
    this.at = new Map(this.members.map((m, i) => [m.user, i]))
    this.marks = null
  }

  /** own makes copies of what a snapshot shows before it changes. at stays: a snapshot looks up by it and then compares. */
  private own(): void {
    if (!this.shown) return
    this.shown = null
    this.members = [...this.members]
    if (this.marks) this.marks = this.marks.slice()
  }
}

function move(marks: Float64Array, from: number, to: number): void {
  if (from === to) return
  const i = below(marks, from + 1) - 1
  const j = below(marks, to)
  marks.copyWithin(i, i + 1, j)
  marks[j - 1] = to
}
