// Geometry of the crop stage. A crop is a square of the turned picture: it never leaves the picture, at zoom 1 it is the
// largest one, and MAX_ZOOM or the picture's own pixels end it at the other side. No DOM in here.

/** Size of a picture in its own pixels, turned upright. */
export interface Size {
  readonly w: number
  readonly h: number
}

/** Crop is centre and zoom of the square, in the pixels of the picture after its quarter turns. */
export interface Crop {
  readonly x: number
  readonly y: number
  readonly zoom: number
  readonly turns: number
}

/** OUT is the side of the stored picture. */
export const OUT = 320
const MAX_ZOOM = 8
/** A square of fewer pixels would only be blur. */
const MIN_SIDE = 48

export function turned(size: Size, turns: number): Size {
  return turns % 2 === 0 ? size : { w: size.h, h: size.w }
}

export function maxZoom(size: Size): number {
  return Math.max(1, Math.min(MAX_ZOOM, Math.min(size.w, size.h) / MIN_SIDE))
}

/** side of the square in pixels of the picture. */
export function sideOf(size: Size, crop: Crop): number {
  return Math.min(size.w, size.h) / crop.zoom
}

/** clamp brings a crop back into the picture. */
export function clamp(size: Size, crop: Crop): Crop {
  const zoom = Math.min(maxZoom(size), Math.max(1, crop.zoom))
  const { w, h } = turned(size, crop.turns)
  const half = Math.min(w, h) / zoom / 2
  return { x: Math.min(w - half, Math.max(half, crop.x)), y: Math.min(h - half, Math.max(half, crop.y)), zoom, turns: crop.turns }
}

/** start is the middle; of an upright picture a little above it, where faces are. */
export function start(size: Size): Crop {
  return clamp(size, { x: size.w / 2, y: size.h > size.w ? size.h * 0.42 : size.h / 2, zoom: 1, turns: 0 })
}

/** move by a distance on the screen: the picture follows the finger. windowPx is the side of the square on the screen. */
export function move(size: Size, crop: Crop, dx: number, dy: number, windowPx: number): Crop {
  const scale = sideOf(size, crop) / windowPx
  return clamp(size, { ...crop, x: crop.x - dx * scale, y: crop.y - dy * scale })
}

/** zoomAt keeps the point of the picture under (px, py) in its place; these count from the middle of the square, on the screen. */
export function zoomAt(size: Size, crop: Crop, zoom: number, px: number, py: number, windowPx: number): Crop {
  const before = sideOf(size, crop) / windowPx
  const next = Math.min(maxZoom(size), Math.max(1, zoom))
  const after = Math.min(size.w, size.h) / next / windowPx
  return clamp(size, { ...crop, zoom: next, x: crop.x + px * (before - after), y: crop.y + py * (before - after) })
}

/** turn by a quarter, clockwise, about the middle of the square. */
export function turn(size: Size, crop: Crop): Crop {
  const { h } = turned(size, crop.turns)
  return clamp(size, { x: h - crop.y, y: crop.x, zoom: crop.zoom, turns: (crop.turns + 1) % 4 })
}

/** The slider is logarithmic, so that equal ways look equal: 0 is zoom 1, 100 the largest. */
export function toSlider(size: Size, zoom: number): number {
  const max = maxZoom(size)
  return max === 1 ? 0 : (Math.log(zoom) / Math.log(max)) * 100
}
export function fromSlider(size: Size, value: number): number {
  return Math.pow(maxZoom(size), Math.min(100, Math.max(0, value)) / 100)
}
