interface Open {
	readonly kind: 'document' | 'mapping' | 'sequence'
	/** Of a mapping: the key whose value comes next. */
	key: string | undefined
	/** Of a sequence: the entry that began last. */
	index: number
}

/** Where each field of a YAML text stands: its path with dots (`a.0.b`) to its line from 1. The text must parse. */
export async function fieldLines(text: string): Promise<ReadonlyMap<string, number>> {
	const { EVENT_ID, getScalarValue, parseEvents } = await import('js-yaml')
	const index = new LineIndex(text)
	for (const event of parseEvents(text, {})) {
		switch (event.type) {
			case EVENT_ID.DOCUMENT:
				index.open('document')
				break
			case EVENT_ID.MAPPING:
				index.value(event.start)
				index.open('mapping')
				break
			case EVENT_ID.SEQUENCE:
				index.value(event.start)
				index.open('sequence')
				break
			case EVENT_ID.SCALAR:
				if (index.wantsKey) index.key(getScalarValue(text, event), event.valueStart)
				else {
					index.value(event.valueStart)
					index.ended()
				}
				break
			case EVENT_ID.ALIAS:
				index.value(event.anchorStart)
				index.ended()
				break
			case EVENT_ID.POP:
				index.close()
		}
	}
	return index.lines
}

class LineIndex {
	readonly lines = new Map<string, number>()
	readonly #text: string
	readonly #open: Open[] = []

	constructor(text: string) {
		this.#text = text
	}

	get wantsKey(): boolean {
		const parent = this.#open.at(-1)
		return parent?.kind === 'mapping' && parent.key === undefined
	}

	open(kind: Open['kind']): void {
		this.#open.push({ kind, key: undefined, index: -1 })
	}

	close(): void {
		this.#open.pop()
		this.ended()
	}

	key(name: string, position: number): void {
		const parent = this.#open.at(-1)
		if (parent) parent.key = name
		this.#mark(position)
	}

	/** A value begins. */
	value(position: number): void {
		const parent = this.#open.at(-1)
		if (parent?.kind !== 'sequence') return
		parent.index++
		this.#mark(position)
	}

	/** The value of a mapping's key is over. */
	ended(): void {
		const parent = this.#open.at(-1)
		if (parent) parent.key = undefined
	}

	#mark(position: number): void {
		const path = this.#open.map(({ kind, key, index }) => (kind === 'sequence' ? String(index) : key))
		const name = path.filter((part) => part !== undefined).join('.')
		this.lines.set(name, this.#text.slice(0, Math.max(0, position)).split('\n').length)
	}
}
