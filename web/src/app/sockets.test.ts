import { expect, test } from 'vitest'
import { socketsRefused } from './sockets.tsx'

/** play answers with one letter a round: x socket refused, o opened, d server down, n online. */
async function play(rounds: string): Promise<[boolean, number]> {
  let at = -1
  const refused = await socketsRefused({
    wait: async () => {
      at++
      if (at > 20) throw new Error('still waiting')
    },
    online: () => rounds[at] === 'n',
    answers: async () => rounds[at] !== 'd',
    opens: async () => rounds[at] === 'o',
  })
  return [refused, at + 1]
}

test('sockets are called refused after three failures in a row beside answers, and never once one has opened', async () => {
  expect(await play('xxx')).toEqual([true, 3])
  expect(await play('ddddxxx')).toEqual([true, 7])
  expect(await play('xxdxxx')).toEqual([true, 6])
  expect(await play('n')).toEqual([false, 1])
  expect(await play('xxn')).toEqual([false, 3])
  expect(await play('xo')).toEqual([false, 2])
})
