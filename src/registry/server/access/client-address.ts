import { isIP } from 'node:net'

/** What names the client of a request. */
export interface Sender {
	readonly remoteAddress: string
	/** A header that comes more than once may be a list. */
	readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/**
 * The address a request comes from: that of its connection, or what a trusted proxy says.
 * Of `X-Forwarded-For` the last entry that no trusted proxy has counts: those before it may be made up.
 */
export function clientAddress(sender: Sender, trusted: ReadonlySet<string>): string {
	const direct = plainAddress(sender.remoteAddress)
	if (trusted.size === 0 || !trusted.has(direct)) return direct
	const entries = [sender.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
	let address = direct
	for (const entry of entries.reverse()) {
		const next = plainAddress(entry.trim())
		if (isIP(next) === 0) break
		address = next
		if (!trusted.has(next)) break
	}
	return address
}

/** IPv4 in IPv6 is written as IPv4. */
export function plainAddress(address: string): string {
	return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}
