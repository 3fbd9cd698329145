import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Built files have fixed names; the server puts them under /a/<hash of all of them>/ and writes that hash into index.html
// in place of __BUILD__. So nothing in here depends on time, machine or hash of a single file.
export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    outDir: 'dist',
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: '[name].js',
        assetFileNames: '[name][extname]',
      },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0])
