// The WebSocket of /live, binary form. It reports opened, frames and lost, each as the core expects; a frame that is none
// ends the connection. Where /live is follows from where the page came from.
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Frame, FrameSchema } from '../../gen/bonghwa/live/v1/frame_pb.ts'
import type { UpFrame } from '../core/frames.ts'
import { down, up } from './frames.ts'
import type { Live, LiveEvents } from './wire.ts'

const subprotocol = 'bonghwa.v1.proto'

/** connect opens a connection to /live of an origin. */
export function connect(origin: string, events: LiveEvents): Live {
  let over = false
  const lose = () => {
    if (over) return
    over = true
    events.lost()
  }
  let ws: WebSocket
  try {
    ws = new WebSocket(`${origin.replace(/^http/, 'ws')}/live`, subprotocol)
  } catch {
    // Refused by the browser (policy, mixed content): lost, but not before the caller knows of the connection.
    queueMicrotask(lose)
    return { write() {}, close: () => void (over = true) }
  }
  ws.binaryType = 'arraybuffer'
  ws.onopen = () => {
    if (!over) events.opened()
  }
  ws.onmessage = (e: MessageEvent) => {
    if (over) return
    const f = read(e.data)
    if (!f) {
      ws.close()
      lose()
      return
    }
    const d = down(f)
    if (d) events.frame(d)
  }
  ws.onclose = lose
  return {
    write(f: UpFrame) {
      const frame = up(f)
      if (frame && !over && ws.readyState === WebSocket.OPEN) ws.send(toBinary(FrameSchema, frame))
    },
    close() {
      over = true
      ws.close()
    },
  }
}

function read(data: unknown): Frame | null {
  if (!(data instanceof ArrayBuffer)) return null
  try {
    return fromBinary(FrameSchema, new Uint8Array(data))
  } catch {
    return null
  }
}
