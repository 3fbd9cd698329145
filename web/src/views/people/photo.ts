// From a chosen file to the profile photo that is sent: decoded by the browser (turned upright by its EXIF mark), cropped,
// 320 px square, JPEG of at most 48 KiB. Nothing of the file itself is sent, so no place or camera data leaves the machine.
import { OUT, sideOf, turned, type Crop, type Size } from './crop.ts'

export const PHOTO_BYTES = 48 * 1024
/** The working copy is at most so large: a phone's 50 megapixels would be 200 MB in memory. */
const WORK = 2048
const QUALITIES = [0.92, 0.86, 0.8, 0.72, 0.64, 0.56, 0.48, 0.4, 0.3, 0.2, 0.1] as const

/** Source is a decoded picture, upright. */
export interface Source extends Size {
  readonly image: CanvasImageSource
}

/** fit encodes with falling quality until the result is small enough; null if even the lowest is not, or nothing comes. */
export async function fit<T extends { readonly size: number }>(encode: (quality: number) => Promise<T | null>, limit: number): Promise<T | null> {
  for (const q of QUALITIES) {
    const out = await encode(q)
    if (out === null) return null
    if (out.size <= limit) return out
  }
  return null
}

/** workSize is the size of the working copy. */
export function workSize(size: Size): Size {
  const k = Math.min(1, WORK / Math.max(size.w, size.h))
  return { w: Math.max(1, Math.round(size.w * k)), h: Math.max(1, Math.round(size.h * k)) }
}

/** decode rejects if the browser cannot read the file as a picture. */
export async function decode(file: Blob): Promise<Source> {
  const whole = await open(file)
  try {
    const { w, h } = workSize(whole)
    const canvas = document.createElement('canvas')
    canvas.width = w
    canvas.height = h
    const ctx = canvas.getContext('2d')
    if (ctx === null) throw new Error('no canvas')
    ctx.imageSmoothingQuality = 'high'
    ctx.drawImage(whole.image, 0, 0, w, h)
    return { image: canvas, w, h }
  } finally {
    whole.close()
  }
}

async function open(file: Blob): Promise<Source & { close(): void }> {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
    return { image: bitmap, w: bitmap.width, h: bitmap.height, close: () => bitmap.close() }
  } catch {
    // Vector pictures decode only as an element.
    const url = URL.createObjectURL(file)
    try {
      const img = new Image()
      img.src = url
      await img.decode()
      if (img.naturalWidth === 0 || img.naturalHeight === 0) throw new Error('no size')
      return { image: img, w: img.naturalWidth, h: img.naturalHeight, close: () => URL.revokeObjectURL(url) }
    } catch (e) {
      URL.revokeObjectURL(url)
      throw e
    }
  }
}

/** paint draws the crop so that its square fills the canvas except for a margin, which shows what lies around. */
export function paint(canvas: HTMLCanvasElement, source: Source, crop: Crop, margin: number): void {
  const ctx = canvas.getContext('2d')
  if (ctx === null) return
  const px = canvas.width
  const scale = (px - 2 * margin) / sideOf(source, crop)
  const { w, h } = turned(source, crop.turns)
  ctx.setTransform(1, 0, 0, 1, 0, 0)
  ctx.fillStyle = margin > 0 ? '#0c1016' : '#ffffff'
  ctx.fillRect(0, 0, px, px)
  ctx.imageSmoothingQuality = 'high'
  ctx.translate(px / 2, px / 2)
  ctx.scale(scale, scale)
  ctx.translate(w / 2 - crop.x, h / 2 - crop.y)
  ctx.rotate((crop.turns * Math.PI) / 2)
  ctx.drawImage(source.image, -source.w / 2, -source.h / 2, source.w, source.h)
}

/** encode makes the JPEG; null if this browser cannot. */
export async function encode(source: Source, crop: Crop): Promise<Blob | null> {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = OUT
  paint(canvas, source, crop, 0)
  const out = await fit((q) => new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', q)), PHOTO_BYTES)
  return out !== null && out.type === 'image/jpeg' ? out : null
}
