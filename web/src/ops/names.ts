// How sites are called in a sentence.
import { siteName } from '../app/sites.ts'
import { w } from './words.ts'

/** nameOf is what a site is called; the one machine has no name. */
export function nameOf(site: string): string {
  return site === '' ? w('here') : siteName(site)
}

/** listed joins names: 대전과 부산. */
export function listed(names: readonly string[], word: 'and' | 'or'): string {
  if (names.length < 2) return names[0] ?? ''
  return w(word, { a: names.slice(0, -1).join(', '), b: names.at(-1)! })
}
