// Long messages are folded: 2,000 lines or 3,000 characters must not push everything else away. What is cut ends at a line
// break, a space or at least between two characters as people see them.

export const foldLines = 14
export const foldChars = 700
/** A text only a little longer than the fold is shown whole: a button would save nothing. */
const slack = 1.3

/** foldText gives the beginning of a long text, or null if it is short enough to be shown whole. */
export function foldText(text: string): string | null {
  const lineEnd = nth(text, '\n', foldLines)
  const byLines = lineEnd >= 0 && nth(text, '\n', Math.ceil(foldLines * slack)) >= 0 ? lineEnd : text.length
  const byChars = text.length > foldChars * slack ? foldChars : text.length
  const cut = Math.min(byLines, byChars)
  if (cut >= text.length) return null
  if (cut === byLines) return text.slice(0, cut)
  const space = Math.max(text.lastIndexOf(' ', cut), text.lastIndexOf('\n', cut))
  if (space > foldChars * 0.8) return text.slice(0, space)
  return text.slice(0, wholeCharacters(text, cut))
}

/** nth is the position of the n-th occurrence of c (from 1), -1 if there are fewer. */
function nth(text: string, c: string, n: number): number {
  let at = -1
  for (let k = 0; k < n; k++) {
    at = text.indexOf(c, at + 1)
    if (at < 0) return -1
  }
  return at
}

/** wholeCharacters moves a cut back so that no emoji sequence, flag or accent is torn. Pairs of a run of flags count from its start. */
function wholeCharacters(text: string, cut: number): number {
  let end = 0
  // Look a little beyond the cut: the last segment of a slice always looks complete.
  for (const s of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text.slice(0, cut + 64))) {
    const next = s.index + s.segment.length
    if (next > cut) break
    end = next
  }
  // One cluster takes up all of it: cut inside, but not between two code units of a pair.
  if (end < cut / 2) return /[\uD800-\uDBFF]/.test(text[cut - 1] ?? '') ? cut - 1 : cut
  return end
}
