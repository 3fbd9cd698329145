import { describe, expect, it, vi } from 'vitest'
import { ReadMarks } from './readmarks.ts'
import { random } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

describe('unread numbers', () => {
  it('are those of counting each member, through any changes', () => {
    const pick = random(7)
    const marks = new ReadMarks()
    marks.load(Array.from({ length: 3000 }, (_, i) => ({ user: `u${i}`, joinedSeq: 1 + pick(50), readSeq: 50 + pick(200) })))
    let seq = 300
    for (let i = 0; i < 150; i++) {
      const user = `u${pick(3100)}`
      const old = marks.snapshot()
      const members = old.members
      switch (pick(8)) {
        case 0:
          marks.joined([user], ++seq)
          break
        case 1:
          marks.left(user, ++seq)
          break
        default:
          marks.read(user, pick(seq))
      }
      const now = marks.snapshot()
      if (now.members === members) expect(now.unreadAt).toBe(old.unreadAt)
      for (let k = 0; k < 5; k++) {
        const at = 1 + pick(seq)
        const author = `u${pick(3000)}`
        const want = now.members.filter((m) => m.user !== author && m.joinedSeq <= at && m.readSeq < at).length
        expect(now.unreadAt(at, author)).toBe(want)
      }
    }
  })

  it('leave an earlier snapshot as it was', () => {
    const marks = new ReadMarks()
    marks.load([{ user: 'a', joinedSeq: 1, readSeq: 1 }, { user: 'b', joinedSeq: 1, readSeq: 5 }])
    const was = marks.snapshot()
    marks.read('a', 9)
    marks.joined(['c'], 10)
    expect([was.members.length, was.members[0]!.readSeq, was.unreadAt(6, 'b')]).toEqual([2, 1, 1])
    expect(marks.snapshot().unreadAt(6, 'b')).toBe(0)
    expect(marks.snapshot()).toBe(marks.snapshot())
  })
})
