/** One entry of a `WWW-Authenticate` header. */
export interface Challenge {
	/** Lower case. */
	readonly scheme: string
	/** Names in lower case. */
	readonly parameters: Readonly<Record<string, string>>
}

/** Longer headers are not read: nobody needs them. Characters. */
const MAX_LENGTH = 8192

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const SEPARATORS = /[\s,]*/y
const EQUALS = /\s*=\s*/y

/**
 * Reads the challenges of a `WWW-Authenticate` header: several in one header,
 * quoted strings with commas and escapes in them, parameters in any order.
 * What cannot be read ends the list.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.www-authenticate
 */
export function parseChallenges(header: string): readonly Challenge[] {
	const challenges: { scheme: string; parameters: Record<string, string> }[] = []
	if (header.length > MAX_LENGTH) return challenges
	let at = 0
	const take = (pattern: RegExp): RegExpExecArray | null => {
		pattern.lastIndex = at
		const match = pattern.exec(header)
		if (match) at = pattern.lastIndex
		return match
	}
	for (;;) {
		take(SEPARATORS)
		const name = take(TOKEN)?.[0].toLowerCase()
		if (name === undefined) return challenges
		if (!take(EQUALS)) {
			challenges.push({ scheme: name, parameters: Object.create(null) as Record<string, string> })
			continue
		}
		const quoted = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1')
		const value = quoted ?? take(TOKEN)?.[0]
		const current = challenges.at(-1)
		if (value === undefined || !current) return challenges
		current.parameters[name] ??= value
	}
}
