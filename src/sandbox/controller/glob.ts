/**
 * Argo CD's glob: `*` stops at a separator, `**` does not, `?` is one character,
 * `[a-z]` and `[!a]` are classes, `{a,b}` alternatives, `\` quotes.
 * @see util/glob (github.com/gobwas/glob)
 */
export function globMatches(pattern: string, text: string, separator?: string): boolean {
	const expression = compile(pattern, separator)
	return expression !== undefined && expression.test(text)
}

/** A pattern longer than this matches nothing, in characters. */
const MAX_PATTERN = 1024

function compile(pattern: string, separator: string | undefined): RegExp | undefined {
	if (pattern.length > MAX_PATTERN) return undefined
	const one = separator === undefined ? '[^]' : `[^${escape(separator)}]`
	const source = pattern.replace(/\\[^]|\*\*+|\*|\?|\[!?[^\]]+\]|[{},]|[^]/g, (token, offset: number) =>
		translate(token, { one, inBraces: depthAt(pattern, offset) > 0 }),
	)
	try {
		return new RegExp(`^(?:${source})$`, 'u')
	} catch {
		return undefined
	}
}

function translate(token: string, context: { readonly one: string; readonly inBraces: boolean }): string {
	if (token.startsWith('\\')) return escape(token.slice(1))
	if (token.startsWith('**')) return '[^]*'
	if (token.length > 1) return token.replace(/^\[!/, '[^').replace(/\\/g, '\\\\')
	switch (token) {
		case '*':
			return `${context.one}*`
		case '?':
			return context.one
		case '{':
			return '(?:'
		case '}':
			return ')'
		case ',':
			return context.inBraces ? '|' : ','
		default:
			return escape(token)
	}
}

function depthAt(pattern: string, offset: number): number {
	let depth = 0
	for (const character of pattern.slice(0, offset)) {
		if (character === '{') depth += 1
		if (character === '}') depth -= 1
	}
	return depth
}

function escape(text: string): string {
	return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
