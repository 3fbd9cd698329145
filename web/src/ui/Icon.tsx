// Icons, logo and flame. The drawings are in the page once (Sprite); an icon only refers to one, so hundreds cost little.
// All are hidden from screen readers: words beside them or a label on the button say what they mean.
import type { IconName } from './icons.ts'
import css from './Icon.module.css'

export type { IconName }

export function Icon({ name, className }: { readonly name: IconName; readonly className?: string | undefined }) {
  return (
    <svg className={className ? `${css.icon} ${className}` : css.icon} aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  )
}

/** Logo is ㅂ as a fire basket with a flame between its posts; the basket takes the colour of the text. */
export function Logo({ className }: { readonly className?: string | undefined }) {
  return (
    <svg className={className ? `${css.logo} ${className}` : css.logo} viewBox="0 0 40 40" aria-hidden="true">
      <path d="M9.5 15.5v20h21v-20M9.5 26h21" fill="none" stroke="currentColor" strokeWidth="3.7" strokeLinecap="round" strokeLinejoin="round" />
      <path d="M20 1.5c.9 5.2 6 7.2 6 12.9a6 6 0 0 1-12 0c0-3.1 1.6-4.5 2.5-6.3.6 1.8 1.3 2.6 2.4 3-.7-3.5 0-6.4 1.1-9.6z" fill="#ff9b3d" />
    </svg>
  )
}

/** Flame: lit, breath (connecting), out; grey if nothing is said of it. */
export function Flame({ state, className }: { readonly state?: 'lit' | 'breath' | 'out' | undefined; readonly className?: string | undefined }) {
  return (
    <svg className={`${css.flame} ${state ? css[state] : ''} ${className ?? ''}`} viewBox="6 1 12 18" aria-hidden="true">
      <path d="M12 1.5c.7 4.2 5.2 6.3 5.2 11.2A5.2 5.2 0 0 1 12 18a5.2 5.2 0 0 1-5.2-5.3c0-2.7 1.3-4 2.1-5.6.5 1.6 1.1 2.3 2 2.7C10.4 6.8 11 4.3 12 1.5z" />
    </svg>
  )
}
