// Where sites stand on the map. Cities that are known have their place; any other name gets one on a ring.
import land from './land.json'

/** Place is a point of the map, and the side on which the name stands. */
export interface Place {
  readonly x: number
  readonly y: number
  readonly side: 'left' | 'right'
}

const cities: Readonly<Record<string, readonly [number, number, 'left' | 'right']>> = {
  seoul: [99, 151, 'right'],
  incheon: [76, 160, 'left'],
  suwon: [108, 178, 'right'],
  anyang: [98, 168, 'left'],
  ansan: [88, 178, 'left'],
  pangyo: [112, 165, 'right'],
  chuncheon: [156, 118, 'right'],
  wonju: [176, 176, 'right'],
  gangneung: [246, 138, 'left'],
  cheonan: [120, 236, 'left'],
  cheongju: [146, 258, 'right'],
  sejong: [126, 268, 'left'],
  daejeon: [136, 290, 'left'],
  jeonju: [112, 352, 'left'],
  gwangju: [92, 420, 'left'],
  daegu: [244, 344, 'left'],
  pohang: [306, 322, 'left'],
  ulsan: [308, 384, 'right'],
  changwon: [256, 412, 'left'],
  gimhae: [276, 410, 'left'],
  busan: [288, 423, 'right'],
  jeju: [66, 580, 'right'],
}

/** VIEW is the part of the plane that the map shows; the land and its mountains lie in it. */
export const VIEW = '-14 18 420 596'
export const drawn: { readonly land: string; readonly spine: string; readonly thin: string } = land

/** known: every one of these sites has a place on the land. */
export function known(sites: readonly string[]): boolean {
  return sites.every((s) => s in cities)
}

/** placesOf gives every site its place: on the land if all are cities that are known, otherwise all on a plain ring. */
export function placesOf(sites: readonly string[]): ReadonlyMap<string, Place> {
  const out = new Map<string, Place>()
  if (sites.length > 1 && known(sites)) {
    for (const s of sites) {
      const [x, y, side] = cities[s]!
      out.set(s, { x, y, side })
    }
    return out
  }
  const middle = { x: 196, y: 306 }
  sites.forEach((s, i) => {
    const angle = (2 * Math.PI * i) / sites.length - Math.PI / 2
    const r = sites.length === 1 ? 0 : 118
    const x = Math.round(middle.x + r * Math.cos(angle))
    out.set(s, { x, y: Math.round(middle.y + r * Math.sin(angle)), side: x < middle.x - 4 ? 'left' : 'right' })
  })
  return out
}

/** ordered is the order in which sites are drawn, from north to south; those without a place come last, by name. */
export function ordered(sites: readonly string[]): readonly string[] {
  const y = (s: string) => cities[s]?.[1] ?? Infinity
  return [...sites].sort((a, b) => (y(a) === y(b) ? a.localeCompare(b) : y(a) - y(b)))
}
