import type { ServerResponse as NodeResponse } from 'node:http'
import type { Socket } from 'node:net'
import { unacknowledged } from './unacknowledged.ts'

/** What node:net keeps of a connection below its streams; it has no other way to see a write advance. */
interface Handle {
	readonly bytesWritten: number
	readonly writeQueueSize: number
	/** -1 where there is none. */
	readonly fd?: number
	/** Of TLS: the connection that it goes over. */
	readonly _parent?: Handle
}

/** How often is looked for progress before a connection is cut. */
const LOOKS = 4

/**
 * Cuts the connection of an answer when the client takes nothing for `stallMs`, or up to a quarter longer.
 * Any byte the system takes counts, however large the piece it is of; and any that the client
 * acknowledges, as a system with large buffers takes the next byte long after. Returns what ends the watch.
 */
export function cutWhenStalled(outgoing: NodeResponse, stallMs: number): () => void {
	const { socket } = outgoing
	let before = taken(socket)
	let unseen: number | undefined
	let quiet = 0
	let isOver = false
	const look = async (): Promise<void> => {
		const now = taken(socket)
		const left = now === before ? await notSeenBy(socket, stallMs / LOOKS / 2) : undefined
		if (isOver) return
		const hasMoved = now !== before || (left !== undefined && unseen !== undefined && left < unseen)
		quiet = hasMoved ? 0 : quiet + 1
		before = now
		unseen = left
		if (quiet === LOOKS) outgoing.destroy()
		else timer = setTimeout(() => void look(), stallMs / LOOKS)
	}
	let timer = setTimeout(() => void look(), stallMs / LOOKS)
	return () => {
		isOver = true
		clearTimeout(timer)
	}
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

/** How many of those the client has not acknowledged; `undefined` where the system does not tell. */
async function notSeenBy(socket: Socket | null, maxAgeMs: number): Promise<number | undefined> {
	const { fd = -1 } = handleOf(socket) ?? {}
	return fd < 0 ? undefined : await unacknowledged({ fd, family: socket?.remoteFamily }, maxAgeMs)
}

function handleOf(socket: Socket | null): Handle | undefined {
	// oxlint-disable-next-line no-underscore-dangle -- the names that Node.js gives them
	const handle = (socket as { readonly _handle?: Handle | null } | null)?._handle
	// oxlint-disable-next-line no-underscore-dangle -- as above
	return handle?._parent ?? handle ?? undefined
}
