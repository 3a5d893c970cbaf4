#!/usr/bin/env node
import { readFileSync } from 'node:fs'

// Start-up time is what a user feels first: the version is answered before
// anything else is loaded.
const [first, ...rest] = process.argv.slice(2)
if (rest.length === 0 && (first === '--version' || first === '-v')) {
	process.stdout.write(`${version()}\n`)
} else {
	const { runMain } = await import('./app.ts')
	await runMain({ process, version: version(), mainFile: import.meta.filename })
}

function version(): string {
	const file = new URL('../../package.json', import.meta.url)
	const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
	return typeof parsed === 'object' && parsed !== null && 'version' in parsed
		? String(parsed.version)
		: 'unknown'
}
