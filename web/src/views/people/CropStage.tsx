// The stage on which a picture is cropped: it is dragged, pinched, turned by wheel, slider, buttons and keys. The soft square
// is what people see in lists, the dashed circle what system notifications cut out of it.
import { type KeyboardEvent, type PointerEvent, useEffect, useId, useLayoutEffect, useRef } from 'react'
import { t } from '../../lib/messages.ts'
import { IconButton } from '../../ui/Button.tsx'
import css from './MeEdit.module.css'
import { type Crop, fromSlider, move, toSlider, turn, zoomAt } from './crop.ts'
import { paint, type Source } from './photo.ts'

/** The stage is 244 px with 22 px around the square; the canvas has twice as many. */
const STAGE = 244
const MARGIN = 22
const STEP = 1.15
const NUDGE = 8

export function CropStage({ source, crop, onChange }: { readonly source: Source; readonly crop: Crop; readonly onChange: (crop: Crop) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const stage = useRef<HTMLDivElement>(null)
  const keys = useId()
  const latest = useRef({ source, crop, onChange })
  latest.current = { source, crop, onChange }
  const fingers = useRef(new Map<number, { x: number; y: number }>())

  useLayoutEffect(() => {
    if (canvas.current) paint(canvas.current, source, crop, 2 * MARGIN)
  }, [source, crop])

  // side of the square on the screen.
  const side = () => ((stage.current?.clientWidth ?? STAGE) * (STAGE - 2 * MARGIN)) / STAGE
  const change = (fn: (c: Crop, s: Source) => Crop) => {
    const next = fn(latest.current.crop, latest.current.source)
    latest.current.crop = next
    latest.current.onChange(next)
  }
  const from = (x: number, y: number): readonly [number, number] => {
    const r = stage.current?.getBoundingClientRect()
    return r ? [x - r.left - r.width / 2, y - r.top - r.height / 2] : [0, 0]
  }

  // React listens to the wheel passively; here the page must not scroll.
  useEffect(() => {
    const el = stage.current
    if (!el) return
    const wheel = (e: WheelEvent) => {
      e.preventDefault()
      const [x, y] = from(e.clientX, e.clientY)
      const lines = e.deltaMode === 0 ? e.deltaY : e.deltaY * 40
      change((c, s) => zoomAt(s, c, c.zoom * Math.exp(-Math.max(-400, Math.min(400, lines)) / 500), x, y, side()))
    }
    el.addEventListener('wheel', wheel, { passive: false })
    return () => el.removeEventListener('wheel', wheel)
  }, [])

  const down = (e: PointerEvent<HTMLDivElement>) => {
    if (e.button !== 0) return
    e.currentTarget.setPointerCapture(e.pointerId)
    fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY })
  }
  const drag = (e: PointerEvent) => {
    const all = fingers.current
    const was = all.get(e.pointerId)
    if (!was) return
    const is = { x: e.clientX, y: e.clientY }
    const other = [...all].find(([id]) => id !== e.pointerId)?.[1]
    if (!other) change((c, s) => move(s, c, is.x - was.x, is.y - was.y, side()))
    else {
      // Two fingers: their distance zooms, their middle moves.
      const before = Math.hypot(was.x - other.x, was.y - other.y)
      const after = Math.hypot(is.x - other.x, is.y - other.y)
      const [x, y] = from((is.x + other.x) / 2, (is.y + other.y) / 2)
      if (before > 0) change((c, s) => move(s, zoomAt(s, c, (c.zoom * after) / before, x, y, side()), (is.x - was.x) / 2, (is.y - was.y) / 2, side()))
    }
    all.set(e.pointerId, is)
  }
  const up = (e: PointerEvent) => fingers.current.delete(e.pointerId)

  const zoom = (factor: number) => change((c, s) => zoomAt(s, c, c.zoom * factor, 0, 0, side()))
  const key = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return
    const by = e.shiftKey ? NUDGE * 4 : NUDGE
    // An arrow moves the square over the picture, so the picture goes the other way.
    const arrows: Record<string, readonly [number, number]> = { ArrowLeft: [by, 0], ArrowRight: [-by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] }
    const arrow = arrows[e.key]
    if (arrow) change((c, s) => move(s, c, arrow[0], arrow[1], side()))
    else if (e.key === '+' || e.key === '=') zoom(STEP)
    else if (e.key === '-') zoom(1 / STEP)
    else return
    e.preventDefault()
  }

  return (
    <>
      <div
        ref={stage}
        className={css.stage}
        role="group"
        tabIndex={0}
        aria-label={t('people.photoCrop')}
        aria-describedby={keys}
        onPointerDown={down}
        onPointerMove={drag}
        onPointerUp={up}
        onPointerCancel={up}
        onKeyDown={key}
      >
        <canvas ref={canvas} width={2 * STAGE} height={2 * STAGE} />
        <span className={css.window} />
        <span id={keys} className="vh">
          {t('people.photoCropKeys')}
        </span>
      </div>
      <div className={css.bar}>
        <IconButton icon="zoom-out" size="s" label={t('people.photoSmaller')} onClick={() => zoom(1 / STEP)} />
        <input
          type="range"
          min={0}
          max={100}
          step={1}
          value={Math.round(toSlider(source, crop.zoom))}
          aria-label={t('people.photoSize')}
          onChange={(e) => change((c, s) => zoomAt(s, c, fromSlider(s, Number(e.target.value)), 0, 0, side()))}
        />
        <IconButton icon="zoom-in" size="s" label={t('people.photoLarger')} onClick={() => zoom(STEP)} />
        <IconButton icon="rotate-cw" size="s" label={t('people.photoTurn')} onClick={() => change((c, s) => turn(s, c))} />
      </div>
      <ul className={css.previews}>
        <Preview source={source} crop={crop} className={css.p1} px={112} label={t('people.previewProfile')} />
        <Preview source={source} crop={crop} className={css.p2} px={76} label={t('people.previewChat')} />
        <Preview source={source} crop={crop} className={css.p3} px={76} label={t('people.previewNotify')} />
      </ul>
    </>
  )
}

function Preview({ source, crop, px, label, className }: { readonly source: Source; readonly crop: Crop; readonly px: number; readonly label: string; readonly className: string | undefined }) {
  const ref = useRef<HTMLCanvasElement>(null)
  useLayoutEffect(() => {
    if (ref.current) paint(ref.current, source, crop, 0)
  }, [source, crop])
  return (
    <li>
      <canvas ref={ref} width={px} height={px} className={className} aria-hidden="true" />
      <span>{label}</span>
    </li>
  )
}
