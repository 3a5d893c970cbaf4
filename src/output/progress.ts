import type { Progress, Step } from '../flows/index.ts'
import { cut } from './cut.ts'
import { printable, printableLine, type Style } from './style.ts'
import type { TextSink } from './text-sink.ts'

interface Talk {
	readonly sink: TextSink
	readonly style: Style
	/** Milliseconds of a clock that never goes back. */
	readonly now: () => number
}

const TITLE_WIDTH = 12

function seconds(ms: number): string {
	return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
}

function remarks({ sink, style }: Talk, line: (text: string) => void): Pick<Progress, 'note' | 'warn'> {
	void sink
	return {
		note: (text) => line(style.dim(printable(text))),
		warn(text, hint) {
			line(`${style.yellow('warning:')} ${printable(text)}`)
			if (hint !== undefined) line(`${style.cyan('next:')}    ${printable(hint)}`)
		},
	}
}

function outcome(
	talk: Talk,
	title: string,
	mark: string,
	detail: string | undefined,
	ms: number | undefined,
): string {
	const time = ms === undefined ? '' : `  ${talk.style.dim(seconds(ms))}`
	return `${mark} ${talk.style.bold(title.padEnd(TITLE_WIDTH))} ${printable(detail ?? '')}${time}`.trimEnd()
}

/** One line per finished step: for logs and pipes. */
export function lineProgress(talk: Talk): Progress {
	const line = (text: string): void => void talk.sink.write(`${text}\n`)
	return {
		step(title): Step {
			const started = talk.now()
			let open = true
			const end = (mark: string, detail: string | undefined): void => {
				if (open) line(outcome(talk, title, mark, detail, talk.now() - started))
				open = false
			}
			return {
				update() {},
				done: (detail) => end(talk.style.green('✓'), detail),
				unchanged: (detail) => end(talk.style.dim('='), detail ?? 'unchanged'),
				fail: (detail) => end(talk.style.red('✗'), detail),
			}
		},
		...remarks(talk, line),
	}
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const
const FRAME_MS = 80
const CLEAR_LINE = '\r\u001B[2K'

/** The running step is shown in a line that changes in place: for terminals. */
export function liveProgress(talk: Talk): Progress {
	let current: { readonly title: string; readonly started: number; detail: string } | undefined
	let timer: NodeJS.Timeout | undefined
	let frame = 0

	const draw = (): void => {
		if (!current) return
		const mark = talk.style.cyan(FRAMES[frame++ % FRAMES.length] ?? '')
		const width = (talk.sink.columns ?? 80) - TITLE_WIDTH - 14
		const detail = cut(printableLine(current.detail), width)
		talk.sink.write(CLEAR_LINE + outcome(talk, current.title, mark, detail, talk.now() - current.started))
	}
	const stop = (): void => {
		clearInterval(timer)
		if (current) talk.sink.write(CLEAR_LINE)
		current = undefined
	}
	const line = (text: string): void => {
		if (current) talk.sink.write(CLEAR_LINE)
		talk.sink.write(`${text}\n`)
		draw()
	}
	return {
		step(title): Step {
			stop()
			const mine = { title, started: talk.now(), detail: '' }
			current = mine
			timer = setInterval(draw, FRAME_MS)
			timer.unref()
			draw()
			let open = true
			const end = (mark: string, detail: string | undefined): void => {
				if (!open) return
				open = false
				if (current === mine) stop()
				talk.sink.write(`${outcome(talk, title, mark, detail, talk.now() - mine.started)}\n`)
			}
			return {
				update(detail) {
					mine.detail = detail
				},
				done: (detail) => end(talk.style.green('✓'), detail),
				unchanged: (detail) => end(talk.style.dim('='), detail ?? 'unchanged'),
				fail: (detail) => end(talk.style.red('✗'), detail),
			}
		},
		...remarks(talk, line),
	}
}
