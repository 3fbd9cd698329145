// The page begins here.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './ui/tokens.css'
import './ui/base.css'
import { App } from './app/App.tsx'
import { EngineContext } from './app/context.ts'
import { watchDrops } from './app/drops.ts'
import { watchKeys } from './app/keys.ts'
import { Starting } from './app/Pages.tsx'
import { watchRoute } from './app/route.ts'
import { readyWords, settings, showSettings, watchSettings } from './app/settings.ts'
import { startWorker } from './app/worker.ts'
import { openEngine } from './engine/engine.ts'
import { Sprite } from './ui/Sprite.tsx'

showSettings(settings())
watchSettings()
watchRoute()
watchKeys()
watchDrops()
startWorker()

void start()

async function start(): Promise<void> {
  const root = createRoot(document.getElementById('root')!)
  const opened = openEngine()
  await readyWords()
  root.render(
    <>
      <Sprite />
      <Starting />
    </>,
  )
  const engine = await opened
  root.render(
    <StrictMode>
      <EngineContext value={engine}>
        <App />
      </EngineContext>
    </StrictMode>,
  )
}
