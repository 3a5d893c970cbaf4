/** Places that are tried where V8 names only the character. */
const MAX_TRIES = 1000

/** Where JSON stops to be JSON, from what V8 says of it; line from 1. */
export function jsonFault(text: string, message: string): { readonly detail: string; readonly line: number } {
	const at = placeOf(text, message)
	const before = text.slice(0, at).split('\n')
	const column = (before.at(-1)?.length ?? 0) + 1
	const what = message
		.replace(/, (?:\.\.\.)?".*/s, '')
		.replace(/ in JSON at position .*/s, '')
		.replace(/ of JSON input$/, ' of the file')
	return { detail: `${what}, at ${before.length}:${column}`, line: before.length }
}

function placeOf(text: string, message: string): number {
	const position = / at position (\d+)/.exec(message)?.[1]
	if (position !== undefined) return Number(position)
	const end = text.trimEnd().length
	const token = /^Unexpected token '(.+?)'/s.exec(message)?.[1]
	if (token === undefined) return end
	let at = -1
	for (let tried = 0; tried < MAX_TRIES; tried += 1) {
		at = text.indexOf(token, at + 1)
		if (at < 0) break
		// What comes after it cannot mend it.
		if (isUnexpected(text.slice(0, at + token.length))) return at
	}
	return end
}

function isUnexpected(start: string): boolean {
	try {
		JSON.parse(start)
		return false
	} catch (error) {
		return error instanceof Error && error.message.startsWith('Unexpected token')
	}
}
