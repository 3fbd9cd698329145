// The night over the ridges with one fire: at the entry and in an empty house.
import { useId } from 'react'
import css from './NightArt.module.css'

interface Scene {
  readonly width: number
  readonly height: number
  /** stars as x,y,radius,opacity. */
  readonly stars: string
  /** ridges from the farthest to the nearest: colour and heights from left to right at equal steps. */
  readonly ridges: readonly (readonly [fill: string, heights: string])[]
  /** fire stands behind the ridge of this number. */
  readonly fire: { readonly x: number; readonly y: number; readonly scale: number; readonly behind: number }
}

const scenes: Readonly<Record<'home' | 'entry', Scene>> = {
  home: {
    width: 640,
    height: 210,
    stars: '155,69,0.9,0.33 457,28,1,0.3 100,47,0.9,0.37 141,6,1.2,0.4 199,48,0.9,0.52 175,9,1.1,0.41 5,65,0.6,0.49 141,53,0.8,0.5 478,58,1.1,0.34 110,12,0.7,0.23 434,18,0.6,0.32 223,13,1.2,0.22 229,45,0.8,0.55 485,62,0.9,0.47 529,7,0.7,0.4 103,29,0.6,0.24 632,39,1,0.51 239,45,0.7,0.48 198,51,1.3,0.45 550,70,0.5,0.65 531,71,0.9,0.25 421,52,0.6,0.26 310,7,0.6,0.49 385,13,0.7,0.27 472,11,1.3,0.23 555,47,1,0.24 339,78,0.9,0.26 524,77,0.6,0.58 344,81,0.8,0.27 117,38,1.1,0.25 480,61,1.2,0.31 335,63,1.1,0.47 221,15,0.8,0.27 18,3,0.6,0.62 573,29,0.6,0.49 398,40,0.8,0.2 557,77,1.3,0.42 240,58,0.8,0.21 300,79,0.6,0.62 149,8,0.8,0.23',
    ridges: [
      ['#2c3d50', '126 118 117 110 103 104 105 108 104 98 96 99 96 93 92 94 97 96 102 97 93 90 86 82 84 90 92 96 106 113 120 122 126 210'],
      ['#1f2c3a', '151 147 142 145 148 154 153 147 146 144 134 130 123 124 126 126 127 128 127 127 133 132 128 131 131 139 146 150 148 151 150 153 151 210'],
      ['#15202b', '176 182 181 185 189 185 184 183 185 186 184 181 177 176 172 166 160 161 167 171 172 173 169 170 175 178 181 185 187 186 179 177 176 210'],
      ['#0d141b', '202 199 198 194 191 191 189 189 188 189 192 190 189 190 188 191 194 199 202 203 205 203 204 208 210 206 203 202 202 198 199 201 202 210'],
    ],
    fire: { x: 240, y: 118, scale: 1.25, behind: 1 },
  },
  entry: {
    width: 720,
    height: 900,
    stars: '177,164,0.7,0.45 273,204,1.1,0.48 516,346,1,0.28 42,262,0.9,0.52 276,244,0.9,0.62 80,18,0.9,0.64 598,313,0.8,0.21 640,342,0.9,0.54 353,335,0.9,0.55 120,324,0.9,0.24 580,157,0.5,0.28 415,51,1,0.31 319,6,1.1,0.56 80,75,0.6,0.42 420,11,0.8,0.64 497,93,0.6,0.28 187,26,1.1,0.34 567,84,1.3,0.31 558,96,1.2,0.43 84,294,0.6,0.56 118,142,0.8,0.43 278,76,0.9,0.33 526,296,0.6,0.63 82,262,0.6,0.56 464,87,1.2,0.59 363,65,0.9,0.52 429,85,1.1,0.58 276,37,1.2,0.53 374,233,1.2,0.36 149,279,0.8,0.26 271,269,1,0.4 88,23,1.3,0.36 720,88,0.6,0.55 68,22,0.9,0.63 2,29,1.1,0.63 70,202,1.2,0.57 539,22,0.7,0.26 260,117,1.2,0.51 279,99,0.8,0.64 500,64,1.3,0.22',
    ridges: [
      ['#2c3d50', '540 523 510 507 502 492 480 472 475 474 474 472 465 469 479 483 497 511 523 527 537 538 534 539 547 548 557 555 545 547 539 540 540 900'],
      ['#1f2c3a', '648 648 642 641 639 637 624 614 610 614 624 623 620 620 621 613 613 606 608 620 623 616 602 606 600 616 620 628 635 629 633 646 648 900'],
      ['#15202b', '756 751 752 744 736 740 745 744 745 742 732 732 733 739 741 733 732 737 739 746 751 748 754 747 740 746 747 754 765 764 768 762 756 900'],
      ['#0d141b', '864 863 861 863 866 866 863 866 869 869 868 868 871 867 859 854 853 856 863 865 870 870 873 873 868 868 868 866 860 862 864 866 864 900'],
    ],
    fire: { x: 540, y: 731, scale: 2.38, behind: 2 },
  },
}

export function NightArt({ kind, className }: { readonly kind: 'home' | 'entry'; readonly className?: string | undefined }) {
  const id = useId()
  const s = scenes[kind]
  return (
    <svg className={`${css.art} ${className ?? ''}`} viewBox={`0 0 ${s.width} ${s.height}`} preserveAspectRatio="xMidYMax slice" aria-hidden="true">
      <defs>
        <radialGradient id={`${id}g`}>
          <stop offset="0" stopColor="#ffa64d" stopOpacity=".62" />
          <stop offset=".45" stopColor="#ff9b3d" stopOpacity=".2" />
          <stop offset="1" stopColor="#ff9b3d" stopOpacity="0" />
        </radialGradient>
        <linearGradient id={`${id}s`} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#0e1620" />
          <stop offset=".45" stopColor="#1f2f41" />
          <stop offset=".75" stopColor="#54505c" />
          <stop offset="1" stopColor="#8a6252" />
        </linearGradient>
      </defs>
      <rect width={s.width} height={s.height} fill={`url(#${id}s)`} />
      <g fill="#f4ece0">
        {s.stars.split(' ').map((star, i) => {
          const [cx, cy, r, opacity] = star.split(',')
          return <circle key={i} cx={cx} cy={cy} r={r} opacity={opacity} />
        })}
      </g>
      {s.ridges.slice(0, s.fire.behind).map(ridge(s))}
      <g transform={`translate(${s.fire.x} ${s.fire.y}) scale(${s.fire.scale})`}>
        <circle r="58" fill={`url(#${id}g)`} />
        <g transform="translate(-12 -18)">
          <path d="M12 1.5c.7 4.2 5.2 6.3 5.2 11.2A5.2 5.2 0 0 1 12 18a5.2 5.2 0 0 1-5.2-5.3c0-2.7 1.3-4 2.1-5.6.5 1.6 1.1 2.3 2 2.7C10.4 6.8 11 4.3 12 1.5z" fill="#ff9b3d" />
          <path d="M12 9.5c.4 2 2.3 2.8 2.3 5A2.3 2.3 0 0 1 12 17a2.3 2.3 0 0 1-2.3-2.4c0-2 1.7-2.7 2.3-5.1z" fill="#ffe3ae" />
        </g>
        <path d="M-8 0h16l-2 6h-12z" fill="#070b10" />
      </g>
      {s.ridges.slice(s.fire.behind).map(ridge(s))}
    </svg>
  )
}

function ridge(s: Scene): (r: Scene['ridges'][number]) => React.JSX.Element {
  return function draw([fill, heights]) {
    const y = heights.split(' ')
    const step = s.width / (y.length - 2)
    return <path key={fill} d={`M0 ${s.height}${y.map((h, i) => `L${Math.round(Math.min(i * step, s.width))} ${h}`).join('')}Z`} fill={fill} />
  }
}
