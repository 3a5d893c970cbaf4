/** Colours as functions; without colour they give the text back. */
export interface Style {
	bold(text: string): string
	dim(text: string): string
	red(text: string): string
	green(text: string): string
	yellow(text: string): string
	cyan(text: string): string
}

const ESCAPE = '\u001B['

export function createStyle(enabled: boolean): Style {
	const paint = (open: number, close: number) => (text: string) =>
		enabled ? `${ESCAPE}${open}m${text}${ESCAPE}${close}m` : text
	return {
		bold: paint(1, 22),
		dim: paint(2, 22),
		red: paint(31, 39),
		green: paint(32, 39),
		yellow: paint(33, 39),
		cyan: paint(36, 39),
	}
}

/**
 * Text of another's making (a registry's answer, a manifest) fit for a terminal:
 * control characters, which could move the cursor or hide text, are made visible.
 */
export function printable(text: string): string {
	// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
	return text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, (character) => {
		const code = character.codePointAt(0) ?? 0
		return `\\u${code.toString(16).padStart(4, '0')}`
	})
}
