import { isIPv6 } from 'node:net'

/** Counters kept at most; the oldest are forgotten first. */
const MAX_COUNTERS = 20_000
/** Of a user's name, so that names cost little. */
const MAX_NAME = 64
const MINUTE_MS = 60_000
/** Of one address with any user, as a multiple of what one user may have from it. */
const ADDRESS_FACTOR = 5
/** Of one user from anywhere. */
const USER_FACTOR = 10

interface Bucket {
	/** What is left. */
	left: number
	/** When that was so, in milliseconds since 1970. */
	at: number
}

/**
 * Bounds wrong passwords: for a user from an address, for an address, and for a user from
 * anywhere. Who guesses from one address keeps nobody else out: the limit of a user does
 * not hold for an address from which nothing wrong has come for him.
 */
export class FailureLimit {
	readonly #perMinute: number
	readonly #buckets = new Map<string, Bucket>()

	/** @param perMinute wrong passwords of one user from one address */
	constructor(perMinute: number) {
		this.#perMinute = perMinute
	}

	/** Seconds to wait; 0: a password may be checked. */
	wait(who: { readonly address: string; readonly user: string }, now: number): number {
		const [pair, address, user] = this.#keys(who)
		const waits = [this.#wait(pair, now), this.#wait(address, now)]
		if (this.#wasWrong(pair, now)) waits.push(this.#wait(user, now))
		return Math.ceil(Math.max(...waits) / 1000)
	}

	failed(who: { readonly address: string; readonly user: string }, now: number): void {
		for (const { key, size } of this.#keys(who)) {
			const bucket = this.#buckets.get(key)
			const left = bucket ? this.#left(bucket, { size, now }) : size
			// To the end: the oldest is the first.
			this.#buckets.delete(key)
			this.#buckets.set(key, { left: left - 1, at: now })
		}
		for (const oldest of this.#buckets.keys()) {
			if (this.#buckets.size <= MAX_COUNTERS) break
			this.#buckets.delete(oldest)
		}
	}

	#keys(who: { readonly address: string; readonly user: string }): readonly [Limit, Limit, Limit] {
		const net = networkOf(who.address)
		const user = who.user.slice(0, MAX_NAME)
		return [
			{ key: `p ${net} ${user}`, size: this.#perMinute },
			{ key: `a ${net}`, size: this.#perMinute * ADDRESS_FACTOR },
			{ key: `u ${user}`, size: this.#perMinute * USER_FACTOR },
		]
	}

	/** Lately. */
	#wasWrong({ key, size }: Limit, now: number): boolean {
		const bucket = this.#buckets.get(key)
		return bucket !== undefined && this.#left(bucket, { size, now }) < size
	}

	/** Milliseconds. */
	#wait({ key, size }: Limit, now: number): number {
		const bucket = this.#buckets.get(key)
		if (!bucket) return 0
		const left = this.#left(bucket, { size, now })
		return left >= 1 ? 0 : ((1 - left) * MINUTE_MS) / size
	}

	#left({ left, at }: Bucket, { size, now }: { readonly size: number; readonly now: number }): number {
		return Math.min(size, left + (Math.max(0, now - at) * size) / MINUTE_MS)
	}
}

interface Limit {
	readonly key: string
	readonly size: number
}

/** An address; of IPv6 the network of 64 bits, which one customer has whole. */
export function networkOf(address: string): string {
	if (!isIPv6(address)) return address
	const [head = '', tail = ''] = new URL(`http://[${address.split('%')[0]}]`).hostname
		.slice(1, -1)
		.split('::')
	const first = head === '' ? [] : head.split(':')
	const last = tail === '' ? [] : tail.split(':')
	const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
	return [...first, ...zeros, ...last].slice(0, 4).join(':')
}
