// The tab's icon, drawn: the mark on night blue, with the number of unread messages in its corner.

const BASKET = 'M9.5 15.5v20h21v-20M9.5 26h21'
const FLAME = 'M20 1.5c.9 5.2 6 7.2 6 12.9a6 6 0 0 1-12 0c0-3.1 1.6-4.5 2.5-6.3.6 1.8 1.3 2.6 2.4 3-.7-3.5 0-6.4 1.1-9.6z'

let shown = ''

/** drawIcon shows n unread; 0 is the plain mark. */
export function drawIcon(n: number): void {
  const label = n > 99 ? '99+' : n > 0 ? String(n) : ''
  if (label === shown) return
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (!link) return
  if (label === '') {
    link.type = 'image/svg+xml'
    link.href = '/favicon.svg'
    shown = label
    return
  }
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 64
  const c = canvas.getContext('2d')
  if (!c) return
  c.fillStyle = '#1a222d'
  c.beginPath()
  c.roundRect(0, 0, 64, 64, 15)
  c.fill()
  c.save()
  c.translate(10, 9)
  c.scale(1.1, 1.1)
  c.strokeStyle = '#fff'
  c.lineWidth = 3.7
  c.lineCap = c.lineJoin = 'round'
  c.stroke(new Path2D(BASKET))
  c.fillStyle = '#ff9b3d'
  c.fill(new Path2D(FLAME))
  c.restore()
  c.font = `700 ${label.length > 2 ? 22 : 27}px sans-serif`
  const width = Math.max(36, c.measureText(label).width + 14)
  c.fillStyle = '#c44a0d'
  c.beginPath()
  c.roundRect(64 - width, 28, width, 36, 18)
  c.fill()
  c.fillStyle = '#fff'
  c.textAlign = 'center'
  c.textBaseline = 'middle'
  c.fillText(label, 64 - width / 2, 47)
  link.type = 'image/png'
  link.href = canvas.toDataURL('image/png')
  shown = label
}
