import type { LadingError } from '../errors/index.ts'
import type { DevEvent } from '../flows/index.ts'
import { cut } from './cut.ts'
import { differencesDocument } from './diff.ts'
import { devLines, formatMs } from './dev-lines.ts'
import { errorDocument } from './error.ts'
import { createStyle, escapeControls, printableLine, type Style } from './style.ts'
import type { TextSink } from './text-sink.ts'

/** Shows what happens while a directory is followed. */
export interface DevView {
	show(event: DevEvent): void
	/** Leaves what is shown as it is. */
	close(): void
}

export interface DevViewOptions {
	readonly sink: TextSink
	/** A line of JSON for each event. */
	readonly json: boolean
	/** `undefined`: where the stream is a terminal. */
	readonly color?: boolean | undefined
	/** Milliseconds of a clock that never goes back. */
	readonly now: () => number
}

/** Version of the lines of `--json`. */
const LINE_VERSION = 1

/** One view that changes in place on a terminal, lines elsewhere, or lines of JSON. */
export function createDevView({ sink, json, color, now }: DevViewOptions): DevView {
	if (json) return { show: (event) => void sink.write(`${devJson(event)}\n`), close() {} }
	const style = createStyle(color ?? sink.isTTY === true)
	if (sink.isTTY === true) return new LiveView(sink, style, now)
	return {
		show(event) {
			const number = 'save' in event ? `#${event.save} ` : ''
			for (const line of devLines(event, style)) sink.write(`${number}${line}\n`)
		},
		close() {},
	}
}

/** An event as one line of JSON. */
export function devJson(event: DevEvent): string {
	return escapeControls(JSON.stringify({ version: LINE_VERSION, ...bodyOf(event) }))
}

function bodyOf(event: DevEvent): Readonly<Record<string, unknown>> {
	if ('error' in event) return { ...event, ...errorDocument(event.error) }
	if (event.event !== 'changes') return event
	return { ...event, differences: differencesDocument(event.differences) }
}

/** The last line of `--json`: why it has ended. */
export function devEnd(error: LadingError): string {
	return escapeControls(JSON.stringify({ version: LINE_VERSION, event: 'ended', ...errorDocument(error) }))
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const
const FRAME_MS = 100

/**
 * The save that is worked on is a block of lines that is drawn anew in its place; with the
 * next save it stays as it is.
 */
class LiveView implements DevView {
	readonly #sink: TextSink
	readonly #style: Style
	readonly #now: () => number
	#lines: string[] = []
	#unhealthy: readonly string[] = []
	#progress = ''
	#isBusy = false
	#started = 0
	#drawn = 0
	#frame = 0
	#timer: NodeJS.Timeout | undefined

	constructor(sink: TextSink, style: Style, now: () => number) {
		this.#sink = sink
		this.#style = style
		this.#now = now
	}

	show(event: DevEvent): void {
		if (event.event === 'saved') {
			this.#settle()
			this.#started = this.#now()
			this.#lines = [this.#style.bold(`#${event.save}`)]
		}
		this.#take(event)
		if ('save' in event) this.#isBusy = !ENDS.has(event.event)
		this.#draw()
		this.#tick()
	}

	#take(event: DevEvent): void {
		if (event.event === 'progress') this.#progress = event.text
		else if (event.event === 'unhealthy') this.#unhealthy = devLines(event, this.#style)
		else this.#lines.push(...devLines(event, this.#style))
		if (event.event === 'healthy' || event.event === 'superseded') this.#unhealthy = []
	}

	/** What was drawn stays; the next block begins below it. */
	#settle(): void {
		this.#isBusy = false
		this.#draw({ isWhole: true })
		this.#drawn = 0
		this.#lines = []
		this.#unhealthy = []
		this.#progress = ''
	}

	#draw({ isWhole = false }: { readonly isWhole?: boolean } = {}): void {
		const { columns = 80, rows = 24 } = this.#sink
		const all = [...this.#lines, ...this.#unhealthy, ...(this.#isBusy ? [this.#busyLine()] : [])]
		// What has left the top of the screen cannot be drawn anew.
		const fitting = isWhole ? all : all.slice(-Math.max(1, rows - 1))
		const shown = fitting.map((line) => cut(line, columns - 1))
		const up = this.#drawn === 0 ? '' : `\u001B[${this.#drawn}A`
		this.#sink.write(`${up}\r\u001B[J${shown.map((line) => `${line}\n`).join('')}`)
		this.#drawn = shown.length
	}

	#busyLine(): string {
		const mark = this.#style.cyan(FRAMES[this.#frame++ % FRAMES.length] ?? '')
		const time = this.#style.dim(formatMs(this.#now() - this.#started))
		return `${mark} ${printableLine(this.#progress)}  ${time}`
	}

	#tick(): void {
		if (!this.#isBusy) {
			clearInterval(this.#timer)
			this.#timer = undefined
			return
		}
		this.#timer ??= setInterval(() => this.#draw(), FRAME_MS).unref()
	}

	close(): void {
		clearInterval(this.#timer)
		this.#timer = undefined
		this.#settle()
	}
}

const ENDS: ReadonlySet<DevEvent['event']> = new Set([
	'unchanged',
	'refused',
	'healthy',
	'failed',
	'superseded',
])
