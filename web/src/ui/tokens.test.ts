import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8')

function block(after: string): string[] {
  const from = css.indexOf('{', css.indexOf(after)) + 1
  const body = css.slice(from, css.indexOf('}', from)).replace(/\/\*.*?\*\//g, '')
  return body.split(';').map((d) => d.trim()).filter((d) => d !== '')
}

test('dark by choice and dark by the system are the same', () => {
  const chosen = block(':root[data-theme="dark"] {')
  expect(chosen.length).toBeGreaterThan(30)
  expect(block(':root:not([data-theme]) {')).toEqual(chosen)
})
