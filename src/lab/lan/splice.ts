import type { Socket } from "node:net";

/**
 * Joins two connections until both are done: bytes both ways with backpressure, an end in one direction is passed on
 * and leaves the other open, a break of one breaks the other. Both must have been made with `allowHalfOpen`.
 */
export function splice(left: Socket, right: Socket): void {
  passOn(left, right);
  passOn(right, left);
}

function passOn(from: Socket, to: Socket): void {
  from.on("error", () => breakOff(to));
  from.on("close", () => {
    if (!from.readableEnded || !from.writableFinished) breakOff(to);
  });
  from.pipe(to);
}

/** A reset tells the other side that bytes may be missing; a unix socket has none, its users must frame their data. */
function breakOff(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
