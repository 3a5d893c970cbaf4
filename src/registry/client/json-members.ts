/** A member of a JSON object, by the places in the text where its parts stand. */
export interface JsonMember {
	readonly key: string
	readonly start: number
	readonly valueStart: number
	readonly end: number
}

export interface JsonObjectText {
	/** Behind the opening brace, and before the closing one. */
	readonly start: number
	readonly end: number
	readonly members: readonly JsonMember[]
}

/** The members of the object that begins at `at`, in a text that is known to be JSON. */
export function membersAt(text: string, at: number): JsonObjectText {
	const members: JsonMember[] = []
	const start = at + 1
	let position = skipSpace(text, start)
	while (text[position] === '"') {
		const keyEnd = endOfValue(text, position)
		const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1)
		const end = endOfValue(text, valueStart)
		members.push({ key: String(JSON.parse(text.slice(position, keyEnd))), start: position, valueStart, end })
		position = skipSpace(text, end)
		if (text[position] === ',') position = skipSpace(text, position + 1)
	}
	return { start, end: position, members }
}

/** Where the object is that the text consists of. */
export function rootOf(text: string): number {
	return skipSpace(text, 0)
}

/** Puts a member in, at the end, in the way the others are written. */
export function withMember(
	text: string,
	at: number,
	{ key, value, indent }: { readonly key: string; readonly value: string; readonly indent: string },
): string {
	const { start, end, members } = membersAt(text, at)
	const written = `${JSON.stringify(key)}: ${value}`
	const last = members.at(-1)
	if (!last) return `${text.slice(0, start)}\n${indent}\t${written}\n${indent}${text.slice(end)}`
	const before = members.length > 1 ? (members.at(-2)?.end ?? start) : start - 1
	const separator = text.slice(before + 1, last.start)
	return `${text.slice(0, last.end)},${separator}${written}${text.slice(last.end)}`
}

/** Takes members out, with the comma that parts each from its neighbour. */
export function withoutMembers(text: string, at: number, isGone: (key: string) => boolean): string {
	let left = text
	for (;;) {
		const { start, end, members } = membersAt(left, at)
		const index = members.findIndex(({ key }) => isGone(key))
		const [gone, next, before] = [members[index], members[index + 1], members[index - 1]]
		if (!gone) return left
		if (next) left = left.slice(0, gone.start) + left.slice(next.start)
		else if (before) left = left.slice(0, before.end) + left.slice(gone.end)
		else left = left.slice(0, start) + left.slice(end)
	}
}

function skipSpace(text: string, from: number): number {
	let at = from
	while (/\s/.test(text[at] ?? '')) at++
	return at
}

function endOfValue(text: string, from: number): number {
	const first = text[from]
	if (first === '"') {
		let at = from + 1
		while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
		return at + 1
	}
	if (first !== '{' && first !== '[') {
		let at = from
		while (at < text.length && !/[\s,\]}]/.test(text[at] ?? '')) at++
		return at
	}
	let depth = 0
	for (let at = from; ;) {
		const sign = text[at]
		if (sign === '"') at = endOfValue(text, at)
		else at++
		if (sign === '{' || sign === '[') depth++
		if (sign === '}' || sign === ']') depth--
		if (depth === 0) return at
	}
}
