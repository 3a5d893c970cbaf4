import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** What fails, until it is told otherwise: sent to the process as a message, which it answers. */
export interface Fault {
	/** `open` is that to write. */
	readonly call: 'open' | 'write' | 'fsync' | 'rename' | 'read' | 'truncate'
	/** Only where the path of the file has this in it. */
	readonly path: string
	readonly code: 'ENOSPC' | 'EIO'
	/** A write that fails has written half by then. */
	readonly half?: boolean
}

// Loaded before a registry, in its process: the calls of node:fs that it makes, with a disk that fails on demand.

let faults: readonly Fault[] = []
const paths = new Map<number, string>()
const { openSync, closeSync, writeSync, writev, readSync, renameSync, fsync, fsyncSync, ftruncateSync } = fs

function faultOf(call: Fault['call'], path: string | undefined): Fault | undefined {
	return faults.find((fault) => fault.call === call && path?.includes(fault.path) === true)
}

function failure({ code, call }: Fault): NodeJS.ErrnoException {
	return Object.assign(new Error(`${code}: ${call}, injected`), { code, syscall: call, errno: -1 })
}

function check(call: Fault['call'], path: string | undefined): void {
	const fault = faultOf(call, path)
	if (fault) throw failure(fault)
}

fs.openSync = ((path: string, flags: string, mode?: number) => {
	if (flags !== 'r') check('open', path)
	const descriptor = openSync(path, flags, mode)
	paths.set(descriptor, path)
	return descriptor
}) as typeof fs.openSync
fs.closeSync = (descriptor) => {
	paths.delete(descriptor)
	closeSync(descriptor)
}
fs.writeSync = ((descriptor: number, bytes: Uint8Array, start?: number | null) => {
	const offset = start ?? 0
	const fault = faultOf('write', paths.get(descriptor))
	if (!fault) return writeSync(descriptor, bytes, offset)
	if (fault.half) writeSync(descriptor, bytes, offset, Math.floor((bytes.byteLength - offset) / 2))
	throw failure(fault)
}) as typeof fs.writeSync
fs.writev = ((
	descriptor: number,
	batch: readonly Uint8Array[],
	done: (error: Error | null, written: number) => void,
) => {
	const fault = faultOf('write', paths.get(descriptor))
	if (!fault) writev(descriptor, batch, done)
	else if (fault.half !== true) process.nextTick(done, failure(fault), 0)
	else {
		const bytes = Buffer.concat(batch)
		process.nextTick(done, null, writeSync(descriptor, bytes, 0, Math.floor(bytes.byteLength / 2)))
	}
}) as typeof fs.writev
fs.readSync = ((descriptor: number, ...rest: [Uint8Array, number, number, number]) => {
	check('read', paths.get(descriptor))
	return readSync(descriptor, ...rest)
}) as typeof fs.readSync
fs.renameSync = (from, to) => {
	check('rename', String(to))
	renameSync(from, to)
}
fs.fsync = ((descriptor: number, done: fs.NoParamCallback) => {
	const fault = faultOf('fsync', paths.get(descriptor))
	if (fault) process.nextTick(done, failure(fault))
	else fsync(descriptor, done)
}) as typeof fs.fsync
fs.fsyncSync = (descriptor) => {
	check('fsync', paths.get(descriptor))
	fsyncSync(descriptor)
}
fs.ftruncateSync = (descriptor, length) => {
	check('truncate', paths.get(descriptor))
	ftruncateSync(descriptor, length)
}
syncBuiltinESMExports()

process.on('message', (message: { readonly faults?: readonly Fault[] }) => {
	faults = message.faults ?? []
	process.send?.('armed')
})
// The channel alone keeps no process alive.
process.channel?.unref()
