import { readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** Bytes on their way, by the inode of their socket. */
type Table = ReadonlyMap<string, number>

interface Snapshot {
	/** By `performance.now()`, in milliseconds. */
	readonly at: number
	readonly table: Promise<Table>
}

const snapshots = new Map<string, Snapshot>()

/**
 * How many bytes the system has taken for a socket that the other side has not acknowledged. Only Linux
 * tells, and tells it of all sockets at once: what was read for another within `maxAgeMs` counts.
 * @returns `undefined` where the system does not tell
 */
export async function unacknowledged(
	socket: { readonly fd: number; readonly family: string | undefined },
	maxAgeMs: number,
): Promise<number | undefined> {
	try {
		const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${socket.fd}`))?.[1]
		if (inode === undefined) return undefined
		const path = socket.family === 'IPv6' ? '/proc/self/net/tcp6' : '/proc/self/net/tcp'
		let snapshot = snapshots.get(path)
		const now = performance.now()
		if (!snapshot || now - snapshot.at > maxAgeMs) {
			snapshot = { at: now, table: readTable(path) }
			snapshots.set(path, snapshot)
		}
		return (await snapshot.table).get(inode)
	} catch {
		return undefined
	}
}

/** @see https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html */
async function readTable(path: string): Promise<Table> {
	const table = new Map<string, number>()
	for (const line of (await readFile(path, 'latin1')).split('\n')) {
		const [, , , , queues = '', , , , , inode] = line.trim().split(/\s+/)
		if (inode !== undefined) table.set(inode, Number.parseInt(queues, 16))
	}
	return table
}
