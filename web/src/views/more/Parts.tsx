// Small pieces that several pages share.
import './texts.ts'
import type { ReactNode } from 'react'
import { t } from '../../lib/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import css from './More.module.css'

/** Wrong says what failed, and offers to try again where that makes sense. */
export function Wrong({ text, onAgain }: { readonly text: string; readonly onAgain?: () => void }) {
  if (text === '') return null
  return (
    <div className={css.wrong} role="alert">
      <Icon name="circle-alert" />
      <span>{text}</span>
      {onAgain && (
        <Button size="s" onClick={onAgain}>
          {t('more.tryAgain')}
        </Button>
      )}
    </div>
  )
}

export function Warned({ children }: { readonly children: ReactNode }) {
  return (
    <div className={css.warn}>
      <Icon name="triangle-alert" />
      <p>{children}</p>
    </div>
  )
}

export function Calm({ children }: { readonly children: ReactNode }) {
  return (
    <p className={css.calm}>
      <Icon name="shield-check" />
      <span>{children}</span>
    </p>
  )
}
