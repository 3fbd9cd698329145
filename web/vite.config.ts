// Built files have fixed names. The server puts them under /a/<hash of all of them>/ and writes that hash into the texts in
// place of __BUILD__. So nothing in here depends on time, on the machine, on the folder or on the hash of a single file.
import react from '@vitejs/plugin-react'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, defineConfig, type Plugin, type Rolldown } from 'vite'

const here = fileURLToPath(new URL('.', import.meta.url))
const pretendard = `${here}node_modules/pretendard/`

/** fonts puts the author's files of Pretendard, unchanged, under fonts/, with their licence, as a stylesheet of their own. */
function fonts(): Plugin {
  const sheet = 'dist/web/variable/pretendardvariable-dynamic-subset.css'
  const folder = 'woff2-dynamic-subset'
  return {
    name: 'fonts',
    apply: 'build',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'fonts/fonts.css', source: readFileSync(pretendard + sheet) })
      this.emitFile({ type: 'asset', fileName: 'fonts/LICENSE.txt', source: readFileSync(`${pretendard}dist/LICENSE.txt`) })
      for (const name of readdirSync(`${pretendard}dist/web/variable/${folder}`).toSorted()) {
        this.emitFile({ type: 'asset', fileName: `fonts/${folder}/${name}`, source: readFileSync(`${pretendard}dist/web/variable/${folder}/${name}`) })
      }
    },
  }
}

/** early builds the small script that runs before the first paint, whole and classic, and puts it first into the page. */
function early(): Plugin {
  return {
    name: 'early',
    apply: 'build',
    async generateBundle() {
      const built = (await build({
        configFile: false,
        root: here,
        logLevel: 'silent',
        build: { write: false, copyPublicDir: false, target: 'es2022', lib: { entry: `${here}src/early.ts`, formats: ['iife'], name: 'early' } },
      })) as Rolldown.RolldownOutput[]
      this.emitFile({ type: 'asset', fileName: 'early.js', source: built[0]!.output[0].code })
    },
  }
}

/** page completes the head: early.js before everything, what app.js needs at once, the fonts apart from app.css. */
function page(): Plugin {
  let base = '/'
  return {
    name: 'page',
    apply: 'build',
    configResolved(config) {
      base = config.base
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { chunk }) => [
        { tag: 'script', attrs: { src: `${base}early.js` }, injectTo: 'head-prepend' },
        ...(chunk?.imports ?? []).map((name) => ({ tag: 'link', attrs: { rel: 'modulepreload', href: base + name }, injectTo: 'head' as const })),
        { tag: 'link', attrs: { rel: 'stylesheet', href: `${base}fonts/fonts.css` }, injectTo: 'head' },
      ],
    },
  }
}

export default defineConfig({
  base: '/a/__BUILD__/',
  plugins: [react(), early(), fonts(), page()],
  css: {
    modules: {
      // Readable, and the same wherever the project lies.
      generateScopedName(name, file) {
        const path = relative(here, file.split('?')[0] ?? file).split(sep).join('/')
        const hash = createHash('sha256').update(path).digest('base64url').replace(/[-_]/g, '').slice(0, 4)
        return `${name}_${hash}`
      },
    },
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: '[name].js',
        // What the first script shares with later ones is one file; what only later ones share stays out of the first visit.
        codeSplitting: { groups: [{ name: 'base', test: /\/(?:node_modules\/react|messages\/ko|src\/(?:app|lib|ui))\/(?!NightArt|clipboard|finder|entry)/, minShareCount: 2 }] },
        assetFileNames: (asset) => (asset.names[0]?.endsWith('.css') ? 'app.css' : '[name][extname]'),
      },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0])
