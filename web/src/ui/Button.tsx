// Buttons. A busy button says what it does and takes no second press; it keeps its focus.
import type { ButtonHTMLAttributes, MouseEvent, ReactNode, Ref } from 'react'
import css from './Button.module.css'
import { Icon, type IconName } from './Icon.tsx'

type Native = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'>

export interface ButtonProps extends Native {
  /** kind: primary once in a view; danger loses something (solid in a dialog that asks). */
  readonly kind?: 'plain' | 'primary' | 'danger' | 'dangerSolid'
  readonly size?: 'm' | 's'
  readonly block?: boolean
  readonly busy?: boolean
  readonly icon?: IconName | undefined
  readonly children: ReactNode
  readonly ref?: Ref<HTMLButtonElement>
}

export function Button({ kind = 'plain', size = 'm', block, busy, icon, children, className, onClick, type = 'button', ...rest }: ButtonProps) {
  const classes = [css.btn, kind !== 'plain' && css[kind], size === 's' && css.sm, block && css.block, className]
  return (
    <button {...rest} type={type} className={classes.filter(Boolean).join(' ')} aria-busy={busy || undefined} onClick={busy ? stop : onClick}>
      {busy ? <span className={css.spin} aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

function stop(e: MouseEvent): void {
  e.preventDefault()
}

export interface IconButtonProps extends Native {
  readonly icon: IconName
  /** label is the name for screen readers, and the hint for the mouse. */
  readonly label: string
  readonly size?: 'm' | 's'
  readonly ref?: Ref<HTMLButtonElement>
}

export function IconButton({ icon, label, size = 'm', className, type = 'button', ...rest }: IconButtonProps) {
  const classes = [css.iconBtn, size === 's' && css.iconS, className]
  return (
    <button title={label} {...rest} type={type} aria-label={label} className={classes.filter(Boolean).join(' ')}>
      <Icon name={icon} />
    </button>
  )
}

/** Badge is a number of unread: 1-99, 99+; nothing for 0. quiet is for muted rooms. label is what is heard, the number in it. */
export function Badge({ n, quiet, label, className = '' }: { readonly n: number; readonly quiet?: boolean; readonly label?: string; readonly className?: string | undefined }) {
  if (n <= 0) return null
  return (
    <b className={`${css.badge} ${quiet ? css.quiet : ''} ${className}`}>
      <span aria-hidden={label ? true : undefined}>{n > 99 ? '99+' : n}</span>
      {label && <span className="vh">{label}</span>}
    </b>
  )
}

/** Tag is a small word on a row: 가상, 이 기기. */
export function Tag({ kind = 'plain', children, className = '' }: { readonly kind?: 'plain' | 'good' | 'warn' | 'info' | 'danger' | 'outline'; readonly children: ReactNode; readonly className?: string | undefined }) {
  return <span className={`${css.tag} ${kind === 'plain' ? '' : css[kind]} ${className}`}>{children}</span>
}
