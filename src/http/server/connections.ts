import type { Socket } from 'node:net'

/** What a connection is doing. */
export interface Use {
	/** Requests under way. */
	pending: number
	/** When it was opened, or its last request ended; by `performance.now()`, in milliseconds. */
	at: number
}

/**
 * The connections of a listener that may have no more than `limit`. A newcomer takes the place of the one that
 * has been without a request longest: whoever opens many and leaves them keeps nobody else out.
 */
export class Connections {
	readonly #limit: number
	/** By what TLS goes over, where there is TLS. */
	readonly #uses = new Map<Socket, Use>()

	constructor(limit: number) {
		this.#limit = limit
	}

	/** Takes a connection in, or ends it where every other one has a request under way. */
	admit(socket: Socket): void {
		const place = this.#uses.size < this.#limit ? undefined : this.#idlest()
		if (this.#uses.size >= this.#limit && !place) {
			socket.destroy()
			return
		}
		if (place) {
			this.#uses.delete(place)
			place.destroy()
		}
		this.#uses.set(socket, { pending: 0, at: performance.now() })
		socket.once('close', () => this.#uses.delete(socket))
	}

	/** Of the connection that a request came by. */
	useOf(socket: Socket): Use | undefined {
		// oxlint-disable-next-line no-underscore-dangle -- the name that Node.js gives it, and no other way there
		return this.#uses.get((socket as { readonly _parent?: Socket | null })._parent ?? socket)
	}

	#idlest(): Socket | undefined {
		let idlest: Socket | undefined
		let since = Infinity
		for (const [socket, { pending, at }] of this.#uses) {
			if (pending > 0 || at >= since) continue
			idlest = socket
			since = at
		}
		return idlest
	}
}
