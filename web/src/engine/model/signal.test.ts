import { expect, test } from 'vitest'
import { Source, Ticker } from './signal.ts'

test('one subscriber that throws does not keep the others from being told, now or later', () => {
  const rounds: (() => void)[] = []
  const ticker = new Ticker((fn) => rounds.push(fn))
  let n = 0
  const [a, b] = [new Source(ticker, () => n), new Source(ticker, () => n)]
  const told: string[] = []
  a.subscribe(() => {
    throw new Error('a view is broken')
  })
  a.subscribe(() => told.push(`a${n}`))
  b.subscribe(() => told.push(`b${n}`))
  const round = () => {
    n++
    a.touch()
    b.touch()
    expect(() => rounds.shift()?.()).toThrow('a view is broken')
  }
  round()
  round()
  expect(told).toEqual(['a1', 'b1', 'a2', 'b2'])
  expect(rounds).toEqual([])
})
