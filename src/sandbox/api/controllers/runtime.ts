import type { ObjectApi } from '../object-api.ts'
import { StatusError } from '../status-error.ts'
import type { ObjectKey, StoreEvent } from '../store.ts'
import type { EventRecorder } from './event-recorder.ts'

/** How long the sandbox's node takes, in milliseconds. */
export interface Delays {
	/** From Pending to Running. */
	readonly startMs: number
	/** From Running to Ready; for pods of Jobs from Running to Succeeded. */
	readonly readyMs: number
	/** From the request to end to gone. */
	readonly stopMs: number
}

/** A control loop over one type of object. */
export interface Controller {
	/** The objects to look at after a change of anything. */
	readonly affected: (event: StoreEvent) => readonly ObjectKey[]
	/** Brings the world one step nearer to what the object asks for; called again after each change. */
	readonly reconcile: (key: ObjectKey) => void
}

export interface ControllerContext {
	readonly api: ObjectApi
	readonly events: EventRecorder
	readonly delays: Delays
	readonly now: () => Date
	/** Runs later, unless the sandbox is closed first. */
	readonly later: (ms: number, run: () => void) => void
}

const RETRY_MS = 1000
const NO_KEY_SEPARATOR = '\u0000'

/** Runs control loops over the changes of a store, each object at most once per turn of the event loop. */
export class ControllerRuntime {
	private readonly controllers: Controller[] = []
	private readonly pending = new Map<Controller, Map<string, ObjectKey>>()
	private readonly timers = new Set<NodeJS.Timeout>()
	private scheduled = false
	private closed = false
	private saidFull = false
	private readonly unsubscribe: () => void
	private readonly onFault: (error: unknown) => void

	constructor(api: ObjectApi, onFault: (error: unknown) => void) {
		this.onFault = onFault
		this.unsubscribe = api.store.subscribe((event) => this.see(event))
	}

	add(controller: Controller): void {
		this.controllers.push(controller)
	}

	/** Looks at everything that is there, as after a start. */
	resync(api: ObjectApi): void {
		for (const key of api.store.keys()) {
			for (const object of api.store.list(key)) {
				this.see({ type: 'ADDED', key, object, previous: undefined, revision: api.store.revision })
			}
		}
	}

	later(ms: number, run: () => void): void {
		if (this.closed) return
		const timer = setTimeout(
			() => {
				this.timers.delete(timer)
				this.guard(run)
			},
			Math.min(ms, 2 ** 31 - 1),
		)
		timer.unref()
		this.timers.add(timer)
	}

	close(): void {
		this.closed = true
		this.unsubscribe()
		for (const timer of this.timers) clearTimeout(timer)
	}

	private see(event: StoreEvent): void {
		for (const controller of this.controllers) {
			for (const key of controller.affected(event)) {
				const keys = this.pending.get(controller) ?? new Map<string, ObjectKey>()
				this.pending.set(controller, keys.set(`${key.namespace ?? ''}${NO_KEY_SEPARATOR}${key.name}`, key))
			}
		}
		if (this.scheduled || this.pending.size === 0) return
		this.scheduled = true
		setImmediate(() => this.drain())
	}

	private drain(): void {
		this.scheduled = false
		if (this.closed) return
		const work = [...this.pending]
		this.pending.clear()
		for (const [controller, keys] of work) {
			for (const key of keys.values()) this.guard(() => controller.reconcile(key))
		}
	}

	/** A loop that fails must not end the others. What the disk had no room for is tried again. */
	private guard(run: () => void): void {
		try {
			run()
		} catch (error) {
			const full = error instanceof StatusError && error.reason === 'InsufficientStorage'
			if (full) this.later(RETRY_MS, run)
			if (!full || !this.saidFull) this.onFault(error)
			this.saidFull = full
		}
	}
}
