/** What text from outside holds as JSON; `undefined` when it is none. The parser's message may quote secrets. */
export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}
