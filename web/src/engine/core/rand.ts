// Random numbers come from outside, so that the same inputs give the same outputs.

/** Rand gives 32 random bits. */
export type Rand = () => number

/** secureRand draws on the browser. */
export const secureRand: Rand = () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0

/** below is a number from 0 to n-1. */
export const below = (rand: Rand, n: number): number => Math.floor((rand() / 2 ** 32) * n)

export function bytes(rand: Rand, n: number): Uint8Array {
  const b = new Uint8Array(n)
  for (let i = 0; i < n; i++) b[i] = rand() >>> 24
  return b
}

/** seededRand is mulberry32, for tests. */
export function seededRand(seed: number): Rand {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
}
