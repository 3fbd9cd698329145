// Pages that stand alone: while the window starts, while another window talks, when drawing failed.
import { Component, type ReactNode, useEffect, useState } from 'react'
import { t } from '../lib/messages.ts'
import { Button } from '../ui/Button.tsx'
import { Icon, Logo } from '../ui/Icon.tsx'
import { useEngine } from './context.ts'
import css from './Pages.module.css'

/** Starting shows nothing for 200 ms, then the shape of what comes. */
export function Starting() {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200)
    return () => clearTimeout(timer)
  }, [])
  return (
    <main className={css.starting} aria-busy="true">
      <h1 className="vh">{t('shell.starting')}</h1>
      {late && (
        <div className={css.shape} aria-hidden="true">
          <div className={css.rail}>
            <Logo />
          </div>
          <div className={css.list}>
            {Array.from({ length: 8 }, (_, i) => (
              <div key={i} className={css.row}>
                <i />
                <span>
                  <i />
                  <i />
                </span>
              </div>
            ))}
          </div>
        </div>
      )}
    </main>
  )
}

/** OtherWindow: only one window can be used here, and it is not this one. */
export function OtherWindow() {
  const engine = useEngine()
  return (
    <main className={css.alone}>
      <span className={css.mark}>
        <Icon name="app-window" />
      </span>
      <h1>{t('shell.otherTitle')}</h1>
      <p>{t('shell.otherText')}</p>
      <Button kind="primary" onClick={() => engine.takeOver()}>
        {t('shell.otherTake')}
      </Button>
    </main>
  )
}

/** Catch keeps a failure of a view from leaving a white page: it says so and offers to load anew. */
export class Catch extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return (
      <main className={css.alone}>
        <span className={css.mark}>
          <Icon name="triangle-alert" />
        </span>
        <h1>{t('shell.brokenTitle')}</h1>
        <p>{t('shell.brokenText')}</p>
        <Button kind="primary" onClick={() => location.reload()}>
          {t('shell.brokenAgain')}
        </Button>
      </main>
    )
  }
}
