import { type Event, EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, type ScalarStyle } from 'js-yaml'
import { documentAt } from './parse-manifests.ts'

/** Deepest nesting that is read. */
const MAX_DEPTH = 500

/** A field of a document: keys of maps, places in lists. */
export type FieldPlace = readonly (string | number)[]

/** Line and column, from 1. */
export interface Position {
	readonly line: number
	readonly column: number
}

/**
 * Where fields stand in the document of a file that starts on a line: the key of a map, the
 * start of an item. Of a field that is not there, the last of its parents that is. Where the
 * document cannot be followed, the answer is `undefined` for each.
 */
export function locateFields(
	bytes: Uint8Array,
	{ line, paths }: { readonly line: number; readonly paths: readonly FieldPlace[] },
): readonly (Position | undefined)[] {
	const chunk = documentAt(bytes, line)
	if (chunk === undefined) return paths.map(() => undefined)
	let events: readonly Event[]
	try {
		events = parseEvents(chunk.text, { maxDepth: MAX_DEPTH })
	} catch {
		return paths.map(() => undefined)
	}
	const root = events[0]?.type === EVENT_ID.DOCUMENT ? 1 : 0
	const finder = new Finder(chunk.text, events)
	const starts = lineStarts(chunk.text)
	return paths.map((path) => {
		const offset = finder.find(root, path)
		if (offset === undefined) return undefined
		const line = lineAt(starts, offset)
		return { line: chunk.linesBefore + line + 1, column: offset - (starts[line] ?? 0) + 1 }
	})
}

/** Where each line starts. */
function lineStarts(text: string): readonly number[] {
	const starts = [0]
	for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
	return starts
}

/** The last line that starts at an offset or before it, from 0. */
function lineAt(starts: readonly number[], offset: number): number {
	let low = 0
	let high = starts.length - 1
	while (low < high) {
		const middle = (low + high + 1) >> 1
		if ((starts[middle] ?? 0) <= offset) low = middle
		else high = middle - 1
	}
	return low
}

/** Follows paths through the events of one document. A document may have thousands of items, and a path to each. */
class Finder {
	private readonly text: string
	private readonly events: readonly Event[]
	/** Of each event the one after its whole node. */
	private readonly ends: readonly number[]
	/** Of a list that was looked into the events that its items start with. */
	private readonly items = new Map<number, readonly number[]>()

	constructor(text: string, events: readonly Event[]) {
		this.text = text
		this.events = events
		this.ends = endsOf(events)
	}

	/** Offset of the last step of the path that is there. */
	find(root: number, path: FieldPlace): number | undefined {
		let at = root
		let offset = this.startOf(root)
		for (const step of path) {
			const next = typeof step === 'number' ? this.item(at, step) : this.value(at, step)
			if (next === undefined) break
			at = next.value
			offset = next.offset ?? offset
		}
		return offset
	}

	private item(at: number, index: number): Found | undefined {
		if (this.events[at]?.type !== EVENT_ID.SEQUENCE) return undefined
		const items = this.items.get(at) ?? this.itemsOf(at)
		this.items.set(at, items)
		const item = items[index]
		return item === undefined ? undefined : { value: item, offset: this.startOf(item) }
	}

	private itemsOf(at: number): readonly number[] {
		const items: number[] = []
		for (let child = at + 1; this.isNode(child); child = this.after(child)) items.push(child)
		return items
	}

	/** Of a key that is there twice the last counts, as in Kubernetes. */
	private value(at: number, key: string): Found | undefined {
		if (this.events[at]?.type !== EVENT_ID.MAPPING) return undefined
		let found: Found | undefined
		let child = at + 1
		while (this.isNode(child)) {
			const event = this.events[child]
			const value = this.after(child)
			if (event?.type === EVENT_ID.SCALAR && getScalarValue(this.text, event) === key)
				found = { value, offset: this.startOf(child) }
			child = this.after(value)
		}
		return found
	}

	private isNode(at: number): boolean {
		const event = this.events[at]
		return event !== undefined && event.type !== EVENT_ID.POP && event.type !== EVENT_ID.DOCUMENT
	}

	/** The event after a whole node. */
	private after(at: number): number {
		return this.ends[at] ?? this.events.length
	}

	private startOf(at: number): number | undefined {
		const event = this.events[at]
		if (event === undefined) return undefined
		if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start
		if (event.type === EVENT_ID.SCALAR) return event.valueStart - (isQuoted(event.style) ? 1 : 0)
		return event.type === EVENT_ID.ALIAS ? event.anchorStart : undefined
	}
}

function endsOf(events: readonly Event[]): readonly number[] {
	const ends = events.map((_, index) => index + 1)
	const open: number[] = []
	for (const [index, { type }] of events.entries()) {
		if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) open.push(index)
		else if (type === EVENT_ID.POP) {
			const start = open.pop()
			if (start !== undefined) ends[start] = index + 1
		}
	}
	for (const start of open) ends[start] = events.length
	return ends
}

const isQuoted = (style: ScalarStyle): boolean =>
	style === SCALAR_STYLE.DOUBLE_QUOTED || style === SCALAR_STYLE.SINGLE_QUOTED

interface Found {
	/** The event that its value starts with. */
	readonly value: number
	/** Where it is written. */
	readonly offset: number | undefined
}
