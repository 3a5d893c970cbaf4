import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import type { runMain } from '../../../src/cli/app.ts'
import { type Ended, environmentOf, MAIN, type RunOptions } from '../../e2e/program.ts'

/** The built program in this process: of hundreds of commands none costs the start of a program. */
export async function ladingHere(args: readonly string[], options: RunOptions): Promise<Ended> {
	const written = { stdout: '', stderr: '' }
	const stream = (name: 'stdout' | 'stderr'): object => ({
		write: (text: string) => void (written[name] += text),
		on: () => {},
	})
	const child = {
		argv: [process.execPath, MAIN, ...args],
		env: environmentOf(options),
		execPath: process.execPath,
		version: process.version,
		exitCode: undefined as number | undefined,
		stdin: Readable.from([]),
		stdout: stream('stdout'),
		stderr: stream('stderr'),
		cwd: () => options.cwd,
		on: () => {},
		once: () => {},
	}
	const main = await builtMain()
	// Of a process it asks for these alone.
	await main({ process: child as unknown as NodeJS.Process, version: '0.0.0', mainFile: MAIN })
	return { code: child.exitCode ?? 0, signal: null, ...written }
}

/** Of what stands beside main.cjs, which loads it. */
async function builtMain(): Promise<typeof runMain> {
	const built: unknown = await import(pathToFileURL(join(dirname(MAIN), 'app.cjs')).href)
	return (built as { readonly runMain: typeof runMain }).runMain
}
