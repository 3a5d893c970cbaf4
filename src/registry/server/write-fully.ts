import { writeSync } from 'node:fs'

export function writeFully(descriptor: number, bytes: Uint8Array): void {
	let written = 0
	while (written < bytes.byteLength) written += writeSync(descriptor, bytes, written)
}
