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
	return paths.map((path) => {
		const offset = new Finder(chunk.text, events).find(root, path)
		return offset === undefined ? undefined : positionOf(chunk, offset)
	})
}

function positionOf(
	{ text, linesBefore }: { readonly text: string; readonly linesBefore: number },
	offset: number,
): Position {
	const before = text.slice(0, offset)
	const start = before.lastIndexOf('\n') + 1
	return { line: linesBefore + before.split('\n').length, column: offset - start + 1 }
}

/** Follows a path through the events of one document. */
class Finder {
	private readonly text: string
	private readonly events: readonly Event[]

	constructor(text: string, events: readonly Event[]) {
		this.text = text
		this.events = events
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
		let child = at + 1
		for (let count = 0; this.isNode(child); count++) {
			if (count === index) return { value: child, offset: this.startOf(child) }
			child = this.after(child)
		}
		return undefined
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
		let depth = 0
		for (let next = at; next < this.events.length; next++) {
			const type = this.events[next]?.type
			if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) depth++
			else if (type === EVENT_ID.POP) depth--
			if (depth <= 0) return next + 1
		}
		return this.events.length
	}

	private startOf(at: number): number | undefined {
		const event = this.events[at]
		if (event === undefined) return undefined
		if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start
		if (event.type === EVENT_ID.SCALAR) return event.valueStart - (isQuoted(event.style) ? 1 : 0)
		return event.type === EVENT_ID.ALIAS ? event.anchorStart : undefined
	}
}

const isQuoted = (style: ScalarStyle): boolean =>
	style === SCALAR_STYLE.DOUBLE_QUOTED || style === SCALAR_STYLE.SINGLE_QUOTED

interface Found {
	/** The event that its value starts with. */
	readonly value: number
	/** Where it is written. */
	readonly offset: number | undefined
}
