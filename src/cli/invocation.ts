import { type Config, readConfig } from '../config/index.ts'
import { InternalError, isSystemError, LadingError, UserError } from '../errors/index.ts'
import { openWorkspace, type Workspace } from '../flows/index.ts'
import { createOutput, type Output } from '../output/index.ts'
import type { CliContext } from './context.ts'
import { exitCodes } from './exit-codes.ts'

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
			now: () => performance.now(),
		})
		let config: Promise<Config> | undefined
		const invocation: Invocation = {
			context: this,
			output,
			signal: this.signal,
			env: this.env,
			cwd: this.cwd,
			config: () => (config ??= readConfig(this.cwd)),
			workspace: openWorkspace(this.cwd),
		}
		try {
			this.result.exitCode = (await run(invocation, flags, ...args)) ?? 0
		} catch (error) {
			const failure = asLadingError(error, this.signal)
			output.fail()
			output.error(failure)
			this.result.exitCode = exitCodes[failure.kind]
		}
	}
}

/** `--format json` of a command that has more than one form of answer. */
function isJsonFormat(flags: object): boolean {
	return 'format' in flags && flags.format === 'json'
}

/** Any thrown value as an error of ours: interrupts, full disks and bugs are told apart here, once. */
export function asLadingError(error: unknown, signal: AbortSignal): LadingError {
	// An interrupt that says what it left knows more than this does.
	const isTold = error instanceof LadingError && (error.kind === 'bug' || error.kind === 'interrupted')
	if (signal.aborted && !isTold) {
		return new UserError('INTERRUPTED', 'interrupted', {
			cause: error,
			hint: 'Run the same command again: it finishes what is missing.',
		})
	}
	if (error instanceof LadingError) return error
	if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
		return new UserError(
			'DISK_FULL',
			`no space is left on the disk${error.path === undefined ? '' : ` for ${error.path}`}`,
			{
				cause: error,
				hint: 'Free some space and run the same command again.',
			},
		)
	}
	// A system call that was about a file: its reason is the file's, not ours.
	if (isSystemError(error) && error.path !== undefined) {
		return new UserError(
			'FILE_UNWRITABLE',
			`the system refuses ${error.path} (${error.syscall}: ${error.code})`,
			{
				cause: error,
				hint: 'See that the path is right and that you may write there.',
			},
		)
	}
	const text = error instanceof Error ? error.message : String(error)
	return new InternalError(`lading has a bug: ${text}`, {
		cause: error,
		hint: 'Please report it, with the output of the same command with LADING_DEBUG=1.',
	})
}
