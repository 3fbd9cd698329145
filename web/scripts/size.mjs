// Prints what a first visit loads, gzipped, and fails above the limits: scripts 200 kB, styles 30 kB. Scripts are early.js,
// app.js and all that app.js imports at once; the stylesheet of the fonts is the author's and stands apart.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const LIMITS = { script: 200_000, style: 30_000 }
const dist = join(import.meta.dirname, '..', process.argv[2] ?? 'dist')

const gzipped = (name) => gzipSync(readFileSync(join(dist, name)), { level: 9 }).length

function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen
  seen.add(name)
  const text = readFileSync(join(dist, name), 'utf8')
  for (const m of text.matchAll(/(?:^|[;\s}])(?:import|export)[^'"`();]*from\s*['"`]\.\/([\w.-]+\.js)['"`]|(?:^|[;\s}])import\s*['"`]\.\/([\w.-]+\.js)['"`]/g)) closure(m[1] ?? m[2], seen)
  return seen
}

const scripts = ['early.js', ...closure('app.js')]
const script = scripts.reduce((n, name) => n + gzipped(name), 0)
const style = gzipped('app.css')
console.log(`script ${(script / 1000).toFixed(1)} kB gzipped (${scripts.join(', ')}), limit ${LIMITS.script / 1000}`)
console.log(`style ${(style / 1000).toFixed(1)} kB gzipped (app.css), limit ${LIMITS.style / 1000}; fonts.css ${(gzipped('fonts/fonts.css') / 1000).toFixed(1)}`)
if (script > LIMITS.script || style > LIMITS.style) {
  console.error('too large')
  process.exit(1)
}
