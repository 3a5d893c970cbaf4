import { type Config, readConfig } from '../config/index.ts'
import { asLadingError } from '../errors/index.ts'
import { openWorkspace, type Workspace } from '../flows/index.ts'
import { createOutput, type Output, programOf } from '../output/index.ts'
import type { CliContext } from './context.ts'
import { exitCodes } from './exit-codes.ts'
import { withProjectAbove } from './project-above.ts'

/** Flags that every command has. */
export interface CommonFlags {
	readonly json?: boolean
	readonly quiet?: boolean
	readonly color?: boolean
}

/** One run of one command. */
export interface Invocation {
	readonly context: CliContext
	readonly output: Output
	readonly signal: AbortSignal
	readonly env: CliContext['env']
	readonly cwd: string
	/** `lading.yaml` of the working directory. */
	readonly config: () => Promise<Config>
	readonly workspace: Workspace
}

/** The work of a command. It returns an exit code, or nothing for 0; it throws LadingErrors. */
export type Run<FLAGS extends CommonFlags, ARGS extends readonly unknown[]> = (
	invocation: Invocation,
	flags: FLAGS,
	...args: ARGS
) => Promise<number | void>

/** Makes the work of a command into a function of stricli: output, errors and exit code in one place. */
export function commandFunction<FLAGS extends CommonFlags, ARGS extends readonly unknown[]>(
	run: Run<FLAGS, ARGS>,
): (this: CliContext, flags: FLAGS, ...args: ARGS) => Promise<void> {
	return async function (flags, ...args) {
		const output = createOutput({
			stdout: this.stdout,
			stderr: this.stderr,
			json: flags.json ?? isJsonFormat(flags),
			quiet: flags.quiet ?? false,
			color: flags.color ?? (this.env.NO_COLOR === undefined || this.env.NO_COLOR === '' ? undefined : false),
			debug: this.env.LADING_DEBUG === '1',
			program: programOf(this.env),
			// `performance` would load another six modules.
			now: () => Number(process.hrtime.bigint()) / 1e6,
		})
		let invocation: Invocation | undefined
		try {
			invocation = invocationOf(this, output)
			this.result.exitCode = (await run(invocation, flags, ...args)) ?? 0
		} catch (error) {
			const found = asLadingError(error, this.signal)
			const failure = invocation ? withProjectAbove(found, invocation.cwd) : found
			output.fail()
			output.error(failure)
			this.result.exitCode = exitCodes[failure.kind]
		}
	}
}

/** @throws UserError `DIRECTORY_INVALID` without a working directory */
function invocationOf(context: CliContext, output: Output): Invocation {
	const { cwd, signal, env } = context
	let config: Promise<Config> | undefined
	return {
		context,
		output,
		signal,
		env,
		cwd,
		config: () => (config ??= readConfig(cwd)),
		workspace: openWorkspace(cwd),
	}
}

/** `--format json` of a command that has more than one form of answer. */
function isJsonFormat(flags: object): boolean {
	return 'format' in flags && flags.format === 'json'
}
