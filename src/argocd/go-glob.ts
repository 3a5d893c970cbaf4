import { unreachable } from '../errors/index.ts'

/**
 * Globs of `directory.include` and `exclude` (gobwas/glob without separators): `*`
 * and `**` match any text, slashes too; `?` any one character; `[a-z]`, `[!abc]`;
 * `{a,b}`; `\` escapes. A pattern that is none matches nothing.
 * Matching runs in states × characters, so no pattern can make it slow.
 */
export function compileGlob(pattern: string): ((text: string) => boolean) | undefined {
	const chars = Array.from(pattern)
	if (chars.length > MAX_LENGTH) return undefined
	const parsed = parseSequence(chars, { at: 0, nested: false })
	if (parsed === undefined || parsed.at !== chars.length) return undefined
	return (text) => matchSequence(parsed.nodes, text)
}

/** Keeps nesting, and so recursion, within bounds. */
const MAX_LENGTH = 1024

type Node =
	| { readonly kind: 'text'; readonly char: string }
	| { readonly kind: 'any' }
	| { readonly kind: 'one' }
	| {
			readonly kind: 'class'
			readonly negated: boolean
			readonly ranges: readonly (readonly [string, string])[]
	  }
	| { readonly kind: 'alternatives'; readonly choices: readonly (readonly Node[])[] }

interface Position {
	readonly at: number
	readonly nested: boolean
}

interface Sequence {
	readonly nodes: readonly Node[]
	/** Index of the first character that is not part of it. */
	readonly at: number
}

function parseSequence(chars: readonly string[], { at, nested }: Position): Sequence | undefined {
	const nodes: Node[] = []
	let index = at
	while (index < chars.length) {
		const char = chars[index] ?? ''
		if (nested && (char === ',' || char === '}')) break
		const next = parseNode(chars, index)
		if (next === undefined) return undefined
		nodes.push(next.node)
		index = next.at
	}
	return { nodes, at: index }
}

function parseNode(
	chars: readonly string[],
	at: number,
): { readonly node: Node; readonly at: number } | undefined {
	const char = chars[at] ?? ''
	switch (char) {
		case '*':
			return { node: { kind: 'any' }, at: at + 1 }
		case '?':
			return { node: { kind: 'one' }, at: at + 1 }
		case '[':
			return parseClass(chars, at + 1)
		case '{':
			return parseAlternatives(chars, at + 1)
		case '\\': {
			const escaped = chars[at + 1]
			return escaped === undefined ? undefined : { node: { kind: 'text', char: escaped }, at: at + 2 }
		}
		default:
			return { node: { kind: 'text', char }, at: at + 1 }
	}
}

function parseClass(
	chars: readonly string[],
	at: number,
): { readonly node: Node; readonly at: number } | undefined {
	const negated = chars[at] === '!'
	const ranges: [string, string][] = []
	let index = negated ? at + 1 : at
	while (index < chars.length && chars[index] !== ']') {
		if (chars[index] === '\\') index += 1
		const low = chars[index]
		if (low === undefined) return undefined
		const high = chars[index + 1] === '-' && chars[index + 2] !== ']' ? chars[index + 2] : undefined
		ranges.push([low, high ?? low])
		index += high === undefined ? 1 : 3
	}
	if (index >= chars.length || ranges.length === 0) return undefined
	return { node: { kind: 'class', negated, ranges }, at: index + 1 }
}

function parseAlternatives(
	chars: readonly string[],
	at: number,
): { readonly node: Node; readonly at: number } | undefined {
	const choices: (readonly Node[])[] = []
	let index = at
	for (;;) {
		const choice = parseSequence(chars, { at: index, nested: true })
		if (choice === undefined || choice.at >= chars.length) return undefined
		choices.push(choice.nodes)
		index = choice.at + 1
		if (chars[choice.at] === '}') return { node: { kind: 'alternatives', choices }, at: index }
	}
}

/** Advances a set of positions in the text through the pattern: no backtracking. */
function advance(
	nodes: readonly Node[],
	starts: ReadonlySet<number>,
	text: readonly string[],
): ReadonlySet<number> {
	let positions = starts
	for (const node of nodes) {
		if (positions.size === 0) return positions
		positions = step(node, positions, text)
	}
	return positions
}

function step(node: Node, positions: ReadonlySet<number>, text: readonly string[]): ReadonlySet<number> {
	const next = new Set<number>()
	if (node.kind === 'any') {
		for (let at = Math.min(...positions); at <= text.length; at += 1) next.add(at)
		return next
	}
	if (node.kind === 'alternatives') {
		for (const choice of node.choices) for (const at of advance(choice, positions, text)) next.add(at)
		return next
	}
	for (const at of positions) {
		const char = text[at]
		if (char !== undefined && accepts(node, char)) next.add(at + 1)
	}
	return next
}

function accepts(node: Exclude<Node, { kind: 'any' | 'alternatives' }>, char: string): boolean {
	switch (node.kind) {
		case 'text':
			return node.char === char
		case 'one':
			return true
		case 'class':
			return node.ranges.some(([low, high]) => low <= char && char <= high) !== node.negated
		default:
			return unreachable(node)
	}
}

function matchSequence(nodes: readonly Node[], text: string): boolean {
	const chars = Array.from(text)
	return advance(nodes, new Set([0]), chars).has(chars.length)
}
