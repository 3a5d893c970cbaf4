/** Colours as functions; without colour they give the text back. */
export interface Style {
	readonly bold: (text: string) => string
	readonly dim: (text: string) => string
	readonly red: (text: string) => string
	readonly green: (text: string) => string
	readonly yellow: (text: string) => string
	readonly cyan: (text: string) => string
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
 * what could move the cursor, hide text or turn its direction is made visible.
 * Line breaks stay, and the lines after the first are indented: no name of a file
 * can pass for a line of lading's own.
 */
export function printable(text: string): string {
	return printableLine(text, /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/gu).replaceAll('\n', '\n  ')
}

/** As {@link printable}, for what must stay one line: a name, a cell, an annotation. */
export function printableLine(text: string, hidden: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu): string {
	return text.replace(hidden, (character) => {
		const code = character.codePointAt(0) ?? 0
		return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
	})
}

/** JSON.stringify lets the controls of Latin-1 and Unicode through, which a terminal obeys. */
export function escapeControls(json: string): string {
	return json.replace(
		/[\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/g,
		(character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
	)
}
