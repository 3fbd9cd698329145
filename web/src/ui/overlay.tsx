// What lies over the page: dialogs, menus, toasts. They are opened by a call from anywhere and drawn by Overlays, once, at
// the end of the page. Dialogs make what is below inert and give the focus back when they close. Esc closes the topmost.
import { type ReactNode, createContext, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { createPortal } from 'react-dom'
import { route } from '../app/route.ts'
import { t } from '../lib/messages.ts'
import { Button } from './Button.tsx'
import { Dialog, Warn } from './Dialog.tsx'
import { Icon, type IconName } from './Icon.tsx'
import { Menu, type MenuItem, type MenuOptions } from './Menu.tsx'
import css from './overlay.module.css'

type Layer = { readonly id: number } & ({ readonly kind: 'dialog'; readonly render: (close: () => void) => ReactNode } | { readonly kind: 'menu'; readonly anchor: DOMRect; readonly items: readonly (MenuItem | 'line')[]; readonly options: MenuOptions })

interface Toast {
  readonly id: number
  readonly text: string
  readonly icon: IconName
  readonly action: { readonly label: string; readonly run: () => void } | undefined
}

interface State {
  readonly layers: readonly Layer[]
  readonly toast: Toast | null
}

let state: State = { layers: [], toast: null }
let ids = 0
const listeners = new Set<() => void>()
// Where the focus goes back to, by layer.
const origins = new Map<number, Element | null>()

function set(next: State): void {
  state = next
  for (const fn of listeners) fn()
}

function close(id: number): void {
  if (!state.layers.some((l) => l.id === id)) return
  set({ ...state, layers: state.layers.filter((l) => l.id !== id) })
  const origin = origins.get(id)
  origins.delete(id)
  // After the layer is gone and what is below can take the focus again.
  queueMicrotask(() => {
    if (origin instanceof HTMLElement && origin.isConnected && (document.activeElement === document.body || document.activeElement === null)) origin.focus({ preventScroll: true })
  })
}

function open(layer: Layer): () => void {
  origins.set(layer.id, document.activeElement)
  set({ ...state, layers: [...state.layers, layer] })
  return () => close(layer.id)
}

/** openDialog shows what render returns, a Dialog; the result closes it. */
export function openDialog(render: (close: () => void) => ReactNode): () => void {
  return open({ id: ++ids, kind: 'dialog', render })
}

/** openMenu shows a menu at an element or a place. */
export function openMenu(anchor: DOMRect | Element, items: readonly (MenuItem | 'line')[], options: MenuOptions): () => void {
  const rect = anchor instanceof Element ? anchor.getBoundingClientRect() : anchor
  return open({ id: ++ids, kind: 'menu', anchor: rect, items, options })
}

/** toast says something in passing, for 6 seconds, with at most one action. Not for errors. */
export function toast(text: string, action?: { readonly label: string; readonly run: () => void }, icon: IconName = 'circle-check'): void {
  set({ ...state, toast: { id: ++ids, text, icon, action } })
}

export interface Question {
  readonly title: string
  readonly body?: ReactNode
  /** warn says what is lost: it comes first. */
  readonly warn?: ReactNode
  /** action is the button: a verb that names the result. */
  readonly action: string
  readonly danger?: boolean
  readonly icon?: IconName
}

/** ask is true when the person chose the action. */
export function ask(q: Question): Promise<boolean> {
  return new Promise((resolve) => {
    openDialog((done) => {
      const answer = (yes: boolean) => {
        resolve(yes)
        done()
      }
      const footer = (
        <>
          <Button onClick={() => answer(false)} autoFocus={q.danger === true}>
            {t('common.cancel')}
          </Button>
          <Button kind={q.danger ? 'dangerSolid' : 'primary'} icon={q.icon} onClick={() => answer(true)} autoFocus={q.danger !== true}>
            {q.action}
          </Button>
        </>
      )
      return (
        <Dialog title={q.title} footer={footer} onClose={() => answer(false)} {...(q.danger ? { danger: true } : {})}>
          {q.warn !== undefined && <Warn>{q.warn}</Warn>}
          {typeof q.body === 'string' ? <p className={css.rest}>{q.body}</p> : q.body}
        </Dialog>
      )
    })
  })
}

/** overlaid: a dialog or menu is open, and keys of the page rest. */
export function overlaid(): boolean {
  return state.layers.length > 0
}

/** closeAll closes what is open, as when the account goes. */
export function closeAll(): void {
  for (const l of state.layers) close(l.id)
}

/** Top tells a layer whether it is the topmost: only that one takes Esc and keeps the focus in. */
export const Top = createContext(true)
export const useTop = (): boolean => useContext(Top)

export function useOverlaid(): boolean {
  return useSyncExternalStore(subscribe, overlaid)
}

function subscribe(fn: () => void): () => void {
  listeners.add(fn)
  return () => listeners.delete(fn)
}

export function Overlays() {
  const s = useSyncExternalStore(subscribe, () => state)
  return createPortal(
    <>
      {s.layers.map((l, i) => (
        <Top key={l.id} value={i === s.layers.length - 1}>
          {l.kind === 'dialog' ? <Rendered render={l.render} close={() => close(l.id)} /> : <Menu anchor={l.anchor} items={l.items} options={l.options} onClose={() => close(l.id)} />}
        </Top>
      ))}
      <ToastBox toast={s.toast} />
    </>,
    document.body,
  )
}

// A component of its own, so that render may use hooks.
function Rendered({ render, close: done }: { readonly render: (close: () => void) => ReactNode; readonly close: () => void }) {
  return render(done)
}

function ToastBox({ toast: shown }: { readonly toast: Toast | null }) {
  const [held, setHeld] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => {
    if (!shown || held) return
    timer.current = setTimeout(() => hide(shown.id), 6000)
    return () => clearTimeout(timer.current)
  }, [shown, held])
  const { at } = route()
  // The region is there before its text, or it is not read.
  return (
    <div className={`${css.toasts} ${at === 'room' ? '' : at === 'ops' ? css.whole : css.low}`} role="status">
      {shown && (
        <div key={shown.id} className={css.toast} onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)} onFocus={() => setHeld(true)} onBlur={() => setHeld(false)}>
          <Icon name={shown.icon} />
          {shown.text}
          {shown.action && (
            <button
              type="button"
              onClick={() => {
                shown.action?.run()
                setHeld(false)
                hide(shown.id)
              }}
            >
              {shown.action.label}
            </button>
          )}
        </div>
      )}
    </div>
  )
}

function hide(id: number): void {
  if (state.toast?.id === id) set({ ...state, toast: null })
}
