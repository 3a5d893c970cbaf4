const PLAIN = /^[\w@%+=:,./-]+$/

/** A text as one word of a command that somebody is told to type, whoever wrote it. */
export function shellWord(text: string): string {
	return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
