import { Readable } from 'node:stream'
import { runCli } from '../../../src/cli/app.ts'
import type { Ended } from '../../e2e/program.ts'

/** A whole command in this process: a hundred of them cost no start of a program each. */
export async function ladingHere(
	args: readonly string[],
	{ cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ended> {
	const written = { stdout: '', stderr: '' }
	const stream = (name: 'stdout' | 'stderr'): { write(text: string): void } => ({
		write(text) {
			written[name] += text
		},
	})
	const code = await runCli({
		args,
		stdout: stream('stdout'),
		stderr: stream('stderr'),
		stdin: Readable.from([]),
		cwd,
		env: { HOME: cwd, ...env },
		version: '0.0.0',
		nodeVersion: process.version,
		signal: new AbortController().signal,
		launcher: { command: process.execPath, args: [] },
	})
	return { code, signal: null, ...written }
}
