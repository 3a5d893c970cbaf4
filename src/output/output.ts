import type { LadingError } from '../errors/index.ts'
import { type Progress, silentProgress, type Step } from '../flows/index.ts'
import { errorDocument, formatError } from './error.ts'
import { createStyle, escapeControls, printable, type Style } from './style.ts'
import type { Program } from './program.ts'
import { lineProgress, liveProgress } from './progress.ts'
import type { TextSink } from './text-sink.ts'

export interface OutputOptions {
	readonly stdout: TextSink
	readonly stderr: TextSink
	/** One JSON document on stdout instead of text. */
	readonly json: boolean
	/** No talk on stderr, but errors. */
	readonly quiet: boolean
	/** `undefined`: where the stream is a terminal. */
	readonly color?: boolean | undefined
	readonly debug?: boolean | undefined
	/** How hints call us; `lading`. */
	readonly program?: Program | undefined
	readonly now: () => number
}

/** stdout is the answer, stderr the talk. */
export interface Output {
	readonly json: boolean
	/** For stdout. */
	readonly style: Style
	readonly progress: Progress
	/** Ends the steps that a failure has left open. */
	fail(): void
	/** The answer: `text` for people, or `document` with `--json`. */
	answer(answer: {
		readonly text: string
		readonly document: Readonly<Record<string, unknown>>
		/** The document also without `--json`; false. */
		readonly isDocument?: boolean | undefined
	}): void
	/** One line of an answer that comes piece by piece, such as a log. Not with `--json`. */
	line(text: string): void
	error(error: LadingError): void
}

/** Version of every JSON document of `--json`. A change that breaks a reader raises it. */
export const DOCUMENT_VERSION = 1

export function createOutput(options: OutputOptions): Output {
	const { stdout, stderr, json, quiet } = options
	const outStyle = createStyle(options.color ?? stdout.isTTY === true)
	const errStyle = createStyle(options.color ?? stderr.isTTY === true)
	const open = new Set<Step>()
	const talk = { sink: stderr, style: errStyle, now: options.now }
	const progress = quiet
		? silentProgress
		: openSteps(stderr.isTTY === true ? liveProgress(talk) : lineProgress(talk), open)
	const document = (body: Readonly<Record<string, unknown>>): void => {
		const text = JSON.stringify({ version: DOCUMENT_VERSION, ...body }, undefined, 2)
		stdout.write(`${escapeControls(text)}\n`)
	}
	return {
		json,
		style: outStyle,
		progress,
		fail() {
			for (const step of open) step.fail()
		},
		answer(answer) {
			if (json || answer.isDocument === true) document(answer.document)
			else if (answer.text !== '') stdout.write(answer.text.endsWith('\n') ? answer.text : `${answer.text}\n`)
		},
		line: (text) => void stdout.write(`${stdout.isTTY === true ? printable(text) : text}\n`),
		error(error) {
			if (json) document(errorDocument(error))
			else
				stderr.write(
					formatError(error, { style: errStyle, debug: options.debug ?? false, program: options.program }),
				)
		},
	}
}

/** Remembers which steps have not ended yet. */
function openSteps(progress: Progress, open: Set<Step>): Progress {
	return {
		...progress,
		step(title) {
			const inner = progress.step(title)
			const ending =
				(end: (detail?: string) => void) =>
				(detail?: string): void => {
					open.delete(step)
					end(detail)
				}
			const step: Step = {
				update: (detail) => inner.update(detail),
				done: ending((detail) => inner.done(detail)),
				unchanged: ending((detail) => inner.unchanged(detail)),
				fail: ending((detail) => inner.fail(detail)),
			}
			open.add(step)
			return step
		},
	}
}
