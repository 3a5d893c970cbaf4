#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { runMain } from './app.ts'
import { exitCodes } from './exit-codes.ts'
import { loadProgram } from './load-program.ts'

// Start-up time is what a user feels first: the version is answered before
// anything else is loaded.
const [first, ...rest] = process.argv.slice(2)
if (rest.length === 0 && (first === '--version' || first === '-v')) {
	process.stdout.write(`${version()}\n`)
} else {
	const options = { directory: import.meta.dirname, command: first, process, require }
	const program = loadProgram('./app.cjs', options) as { readonly runMain: typeof runMain }
	let isDone = false
	void program
		.runMain({ process, version: version(), mainFile: import.meta.filename })
		.then(() => (isDone = true))
	process.once('beforeExit', () => {
		// Node.js would take its heap apart first, piece by piece.
		if (isDone) process.exit()
		// Nothing is left to wait for, and it has not ended: that is no success.
		process.stderr.write('error: lading has a bug: it ended before it was done\n')
		process.exitCode = exitCodes.bug
	})
}

function version(): string {
	const file = join(import.meta.dirname, '../../package.json')
	const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
	return typeof parsed === 'object' && parsed !== null && 'version' in parsed
		? String(parsed.version)
		: 'unknown'
}
