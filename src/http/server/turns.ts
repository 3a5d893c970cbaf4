import type { ServerResponse as NodeResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The last request that waits, on each connection that has one. */
const lastWaiting = new WeakMap<Socket, NodeResponse>()

/**
 * Serves a request once every answer before it on its connection is out: node:http hands
 * over all that a client pipelines at once, and what each of them opens and reads would wait
 * in memory for a client that may never take it. While one waits, no more are read.
 */
export function whenInTurn(outgoing: NodeResponse, serve: () => void): void {
	const { socket } = outgoing.req
	if (!lastWaiting.has(socket)) socket.on('resume', pause)
	lastWaiting.set(socket, outgoing)
	socket.pause()
	outgoing.once('socket', () => {
		// Once node:http is done with the hand-over.
		process.nextTick(() => {
			// Its body, if it has one, may still have to come.
			if (lastWaiting.get(socket) === outgoing) {
				lastWaiting.delete(socket)
				socket.off('resume', pause)
				socket.resume()
			}
			serve()
		})
	})
}

/** node:http reads on by itself when the client has taken something. */
function pause(this: Socket): void {
	this.pause()
}
