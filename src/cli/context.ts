import type { CommandContext, StricliProcess } from '@stricli/core'
import type { Launcher } from '../flows/index.ts'

/** What a command knows of the world. Nothing below `cli/` touches argv, environment or console by itself. */
export interface CliContext extends CommandContext {
	readonly process: StricliProcess
	readonly stdout: TextStream
	readonly stderr: TextStream
	readonly stdin: AsyncIterable<Uint8Array | string> & {
		readonly isTTY?: boolean | undefined
		/** Of a terminal: whether keys come one by one and unshown. */
		readonly setRawMode?: ((isRaw: boolean) => unknown) | undefined
	}
	readonly cwd: string
	readonly env: Readonly<Record<string, string | undefined>>
	readonly version: string
	/** Of Node, `v20.19.0`. */
	readonly nodeVersion: string
	/** Aborts on SIGINT, SIGTERM and SIGHUP. */
	readonly signal: AbortSignal
	readonly launcher: Launcher
	/** Set by the command; decides over what stricli says. */
	readonly result: { exitCode: number | undefined }
}

export interface TextStream {
	write(text: string): unknown
	readonly isTTY?: boolean | undefined
	readonly columns?: number | undefined
	readonly rows?: number | undefined
}
