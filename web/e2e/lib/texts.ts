// Texts of every length and kind, the same ones each time.

const parts = ['오늘은 일찍 들어가요', '네, 알겠어요', '회의 자료는 세 시까지 올려 둘게요', '비가 온대요. 우산 챙기세요', '점심은 국수로 할까요?', '길이 막혀서 조금 늦어요', '사진은 내일 정리해서 보낼게요', '주말에 산에 가실 분?', '저도 갈게요', '그때 뵈어요'] as const

/** Dice gives the same numbers for the same seed. */
export class Dice {
  constructor(private seed: number) {}

  /** below n, from 0. */
  below(n: number): number {
    this.seed = (Math.imul(this.seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.seed / 2 ** 32) * n)
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}

/** mixed are n texts with heights from one line to a folded letter. Each begins with its number, so that it is found again. */
export function mixed(n: number, seed = 1): string[] {
  const d = new Dice(seed)
  const some = (k: number, between: string) => Array.from({ length: k }, () => d.of(parts)).join(between)
  return Array.from({ length: n }, (_, i) => {
    const no = `${i + 1}번`
    switch (d.below(12)) {
      case 0:
        return `${no} ${some(2 + d.below(14), '\n')}`
      case 1:
        return `${no} ${some(10 + d.below(20), '. ')}`
      case 2:
        return `${no} https://example.org/${'long-path/'.repeat(1 + d.below(12))}`
      case 3:
        return `${no} ${some(60, ' ')}`
      case 4:
        return `${no} ${'😀👨‍👩‍👧‍👦🇰🇷'.repeat(1 + d.below(8))}`
      default:
        return `${no} ${some(1 + d.below(3), ', ')}`
    }
  })
}
