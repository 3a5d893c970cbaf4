import type { ServerResponse as NodeResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What node:net keeps of a connection below its streams; it has no other way to see a write advance. */
interface Handle {
	readonly bytesWritten: number
	readonly writeQueueSize: number
	/** Of TLS: the connection that it goes over. */
	readonly _parent?: Handle
}

/**
 * Cuts the connection of an answer when the client takes nothing for `stallMs`. Any byte the
 * system takes counts, however large the piece it is of. Returns what ends the watch.
 */
export function cutWhenStalled(outgoing: NodeResponse, stallMs: number): () => void {
	let before = taken(outgoing.socket)
	const timer = setInterval(() => {
		const now = taken(outgoing.socket)
		if (now === before) outgoing.destroy()
		before = now
	}, stallMs)
	return () => clearInterval(timer)
}

/** Whether bytes wait that the system does not take, or more than `joinedBytes`, which it may not take. */
export function isHeldUp(outgoing: NodeResponse, joinedBytes: number): boolean {
	const unsent = outgoing.writableLength
	// TLS calls nothing sent before the next turn of the loop, not even what is.
	return unsent > 0 && (unsent > joinedBytes || (handleOf(outgoing.socket)?.writeQueueSize ?? 1) > 0)
}

/** How many bytes the system has taken of all that was written to a connection. */
function taken(socket: Socket | null): number {
	const handle = handleOf(socket)
	return handle ? handle.bytesWritten - handle.writeQueueSize : 0
}

function handleOf(socket: Socket | null): Handle | undefined {
	// oxlint-disable-next-line no-underscore-dangle -- the names that Node.js gives them
	const handle = (socket as { readonly _handle?: Handle | null } | null)?._handle
	// oxlint-disable-next-line no-underscore-dangle -- as above
	return handle?._parent ?? handle ?? undefined
}
