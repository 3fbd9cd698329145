// Fields and choices. A field has a name, says what is wrong and how to put it right, and keeps what was typed.
import { type InputHTMLAttributes, type ReactNode, type Ref, useId } from 'react'
import css from './Field.module.css'
import { Icon, type IconName } from './Icon.tsx'

export interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'size'> {
  readonly label: string
  /** hideLabel: the label is heard only, as in search fields. */
  readonly hideLabel?: boolean
  readonly hint?: ReactNode
  /** error says how to put it right; the field is marked. */
  readonly error?: ReactNode
  /** ok confirms, as a free 아이디. */
  readonly ok?: ReactNode
  readonly icon?: IconName
  /** kind search is a quiet, sunken field without an edge. */
  readonly kind?: 'plain' | 'search'
  /** trailing stands in the field after the text: a button, a unit, a count. */
  readonly trailing?: ReactNode
  readonly ref?: Ref<HTMLInputElement>
}

export function Field({ label, hideLabel, hint, error, ok, icon, kind = 'plain', trailing, className, id, ...rest }: FieldProps) {
  const own = useId()
  const input = id ?? own
  const note = `${input}-note`
  const noted = error !== undefined || ok !== undefined || hint !== undefined
  return (
    <div className={`${css.fieldset} ${className ?? ''}`}>
      <label htmlFor={input} className={hideLabel ? 'vh' : css.label}>
        {label}
      </label>
      <div className={`${css.field} ${kind === 'search' ? css.search : ''} ${error !== undefined ? css.bad : ''}`}>
        {icon && <Icon name={icon} />}
        <input {...rest} id={input} aria-invalid={error !== undefined || undefined} aria-describedby={noted ? note : rest['aria-describedby']} />
        {trailing}
      </div>
      {noted && (
        <div id={note}>
          {error !== undefined ? (
            <p className={css.err} role="alert">
              <Icon name="circle-alert" />
              <span>{error}</span>
            </p>
          ) : ok !== undefined ? (
            <p className={css.ok} role="status">
              <Icon name="circle-check" />
              <span>{ok}</span>
            </p>
          ) : (
            <p className={css.hint}>{hint}</p>
          )}
        </div>
      )}
    </div>
  )
}

export function Switch({ label, checked, onChange, disabled }: { readonly label: string; readonly checked: boolean; readonly onChange: (on: boolean) => void; readonly disabled?: boolean }) {
  return (
    <button type="button" role="switch" aria-checked={checked} aria-label={label} className={css.switch} disabled={disabled} onClick={() => onChange(!checked)}>
      <i />
    </button>
  )
}

export interface SegmentedProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly label: ReactNode }[]
  readonly onChange: (value: T) => void
}

/** Segmented is one choice of a few, as radio buttons. */
export function Segmented<T extends string>({ label, value, options, onChange }: SegmentedProps<T>) {
  const name = useId()
  return (
    <fieldset className={css.seg}>
      <legend className="vh">{label}</legend>
      {options.map((o) => (
        <label key={o.value}>
          <input type="radio" name={name} checked={o.value === value} onChange={() => onChange(o.value)} />
          <span>{o.label}</span>
        </label>
      ))}
    </fieldset>
  )
}

/** Chip is a filter that is on or off. */
export function Chip({ pressed, onClick, children }: { readonly pressed: boolean; readonly onClick: () => void; readonly children: ReactNode }) {
  return (
    <button type="button" className={css.chip} aria-pressed={pressed} onClick={onClick}>
      {children}
    </button>
  )
}

export function Checkbox({ checked, onChange, children }: { readonly checked: boolean; readonly onChange: (on: boolean) => void; readonly children: ReactNode }) {
  return (
    <label className={css.check}>
      <input type="checkbox" checked={checked} onChange={(e) => onChange(e.target.checked)} />
      <span>{children}</span>
    </label>
  )
}
