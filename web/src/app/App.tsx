// The whole window, by phase.
import { useEffect } from 'react'
import { setSkew } from '../lib/dates.ts'
import { closeAll, Overlays, useOverlaid } from '../ui/overlay.tsx'
import { Sprite } from '../ui/Sprite.tsx'
import { rememberSlot } from './account.ts'
import { watchActive } from './active.ts'
import { useEngine, useSelect } from './context.ts'
import { Ended, Entry, Later, NewPassword, Ops } from './lazy.tsx'
import { watchNotices } from './notify.ts'
import { Catch, OtherWindow, Starting } from './Pages.tsx'
import { persist } from './persist.ts'
import { watchBuild } from './reload.ts'
import { useRoute } from './route.ts'
import { useSetting } from './settings.ts'
import { Shell } from './Shell.tsx'

export function App() {
  const engine = useEngine()
  const lang = useSetting('lang')
  const overlaid = useOverlaid()

  useEffect(() => {
    const skew = () => setSkew(engine.app.get().skew)
    skew()
    const ends = [engine.app.subscribe(skew), watchNotices(engine), watchActive(engine), watchBuild(engine)]
    return () => {
      for (const end of ends) end()
    }
  }, [engine, lang])

  // Another language draws everything anew.
  return (
    <Catch key={lang}>
      <Sprite />
      <div inert={overlaid}>
        <Phases />
      </div>
      <Overlays />
    </Catch>
  )
}

function Phases() {
  const engine = useEngine()
  const phase = useSelect(engine.app, (a) => a.phase.kind)
  const at = useRoute().at
  const must = useSelect(engine.app, (a) => a.mustChangePassword)
  useEffect(() => {
    if (phase === 'in') {
      rememberSlot(true)
      void persist(false)
    } else if (phase !== 'starting') closeAll()
    if (phase === 'signedOut' || phase === 'ended') rememberSlot(false)
  }, [phase])
  switch (phase) {
    case 'starting':
      return <Starting />
    case 'signedOut':
      return <Later><Entry /></Later>
    case 'ended':
      return <Later><Ended /></Later>
    case 'otherWindow':
      return <OtherWindow />
    case 'in':
      return must ? <Later><NewPassword /></Later> : at === 'ops' ? <Later><Ops /></Later> : <Shell />
  }
}
