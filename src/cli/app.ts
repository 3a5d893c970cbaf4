import { proposeCompletions, run, type StricliProcess } from '@stricli/core'
import { isSystemError, UserError } from '../errors/index.ts'
import { programOf } from '../output/index.ts'
import { buildCli } from './application.ts'
import type { CliContext, TextStream } from './context.ts'
import { exitCodes, signalExitCodes } from './exit-codes.ts'
import { routesFor } from './routes.ts'
import { usageAnswer } from './usage.ts'

export interface RunCliOptions {
	readonly args: readonly string[]
	readonly stdout: TextStream
	readonly stderr: TextStream
	readonly stdin: CliContext['stdin']
	readonly cwd: string
	readonly env: CliContext['env']
	readonly version: string
	readonly nodeVersion: string
	readonly signal: AbortSignal
	readonly launcher: CliContext['launcher']
}

/** Asked by the scripts of `lading completion`. */
const COMPLETE = '__complete'

/** Runs one command line in this process. @returns the exit code */
export async function runCli(options: RunCliOptions): Promise<number> {
	const { args, stdout, stderr, env } = options
	const result: CliContext['result'] = { exitCode: undefined }
	const noColor = env.NO_COLOR !== undefined && env.NO_COLOR !== ''
	const colors = (stream: TextStream): number => (stream.isTTY === true && !noColor ? 4 : 1)
	// What stricli itself writes to stderr is a complaint about the usage.
	const complaints: string[] = []
	const stricliProcess: StricliProcess = {
		stdout: { write: (text: string) => void stdout.write(text), getColorDepth: () => colors(stdout) },
		stderr: { write: (text: string) => void complaints.push(text), getColorDepth: () => 1 },
		env: {},
	}
	const words = withHelp(args)
	const routes = routesFor(words[0])
	const application = buildCli({ version: options.version, color: colors(stdout) > 1, routes })
	const context: CliContext = {
		process: stricliProcess,
		stdout,
		stderr,
		get stdin() {
			return options.stdin
		},
		get cwd() {
			return options.cwd
		},
		env,
		version: options.version,
		nodeVersion: options.nodeVersion,
		signal: options.signal,
		launcher: options.launcher,
		result,
	}
	if (args[0] === COMPLETE) {
		// Flags are proposed to who has begun one: an empty word may be a file.
		const wantsFlag = args.at(-1)?.startsWith('-') === true
		for (const { completion, brief } of await proposeCompletions(application, args.slice(1), context)) {
			if (completion === '--' || completion.startsWith('-') !== wantsFlag) continue
			stdout.write(`${completion}\t${brief}\n`)
		}
		return 0
	}
	await run(application, words, context)
	if (result.exitCode !== undefined) return result.exitCode
	const code: number = Number(stricliProcess.exitCode ?? 0)
	if (complaints.length === 0) return code === 0 ? 0 : exitCodes.bug
	const message = complaints.join('').trim().replaceAll('\n', '; ')
	const usage = usageAnswer(message, { args, routes, program: programOf(env) })
	if (args.includes('--json')) stdout.write(usage.document)
	else stderr.write(usage.text)
	return exitCodes.usage
}

/** `lading` and `lading help COMMAND` ask for the help page too. */
function withHelp(args: readonly string[]): readonly string[] {
	if (args.length === 0) return ['--help']
	return args[0] === 'help' ? [...args.slice(1), '--help'] : args
}

/** @throws UserError `DIRECTORY_INVALID` where it was removed */
function workingDirectory(process: NodeJS.Process): string {
	try {
		return process.cwd()
	} catch (error) {
		if (!isSystemError(error, 'ENOENT')) throw error
		throw new UserError('DIRECTORY_INVALID', 'the working directory is gone', {
			hint: 'It was removed while this shell stood in it: change to one that is there.',
			cause: error,
		})
	}
}

/** By the signal itself, which a shell reports as code 129: Node.js aborts when it exits without its terminal. */
function hangUp(process: NodeJS.Process): void {
	process.removeAllListeners('SIGHUP')
	process.kill(process.pid, 'SIGHUP')
}

/** What was a terminal is none any more. The end of what is read there and a failed write can come before the signal. */
function isTerminalGone(process: NodeJS.Process): boolean {
	const terminals = [process.stdout, process.stderr].filter(({ isTTY }) => isTTY)
	return !terminals.every(({ fd }) => process.getBuiltinModule('node:tty').isatty(fd))
}

export interface MainOptions {
	readonly process: NodeJS.Process
	readonly version: string
	/** Path of the program, to start it again as a server. */
	readonly mainFile: string
}

/** The composition root: the one place that touches the process. */
export async function runMain({ process, version, mainFile }: MainOptions): Promise<void> {
	const abort = new AbortController()
	let interruptedBy: keyof typeof signalExitCodes | undefined
	// That nohup had SIGHUP ignored is lost before this: Node.js starts with every signal's default.
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
		process.on(name, () => {
			// The second one means it, but of SIGHUP: the shell of a closed terminal sends one and the system another.
			if (interruptedBy && name !== 'SIGHUP') process.exit(signalExitCodes[name])
			interruptedBy ??= name
			abort.abort()
		})
	}
	process.once('exit', () => {
		if (interruptedBy === 'SIGHUP' || isTerminalGone(process)) hangUp(process)
	})
	process.stdout.on('error', (error: NodeJS.ErrnoException) => {
		// A reader that has seen enough (`lading tags … | head`) is no error, and a no is still a no: what ends with its
		// answer has its exit code a turn later.
		if (error.code === 'EPIPE') return void setImmediate(() => process.exit())
		if (error.code === 'EIO' && isTerminalGone(process)) {
			interruptedBy ??= 'SIGHUP'
			return abort.abort()
		}
		process.stderr.write(`error: the answer cannot be written to standard output: ${error.message}\n`)
		process.exit(exitCodes.machine)
	})
	// The talk is not the answer: without a reader the work goes on.
	process.stderr.on('error', () => {})
	const code = await runCli({
		args: process.argv.slice(2),
		stdout: process.stdout,
		stderr: process.stderr,
		// Made when it is first asked for, which takes four modules where it is a file.
		get stdin() {
			return process.stdin
		},
		// Who only asks for help needs none.
		get cwd() {
			return workingDirectory(process)
		},
		env: process.env,
		version,
		nodeVersion: process.version,
		signal: abort.signal,
		launcher: { command: process.execPath, args: [mainFile] },
	})
	process.exitCode = interruptedBy && code === exitCodes.interrupted ? signalExitCodes[interruptedBy] : code
}
