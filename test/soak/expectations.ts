import { WrongAnswer } from './image.ts'

export interface Key {
	readonly repository: string
	readonly kind: 'blob' | 'manifest' | 'tag'
	readonly name: string
}

/** A digest for a tag; `present` for a blob and a manifest; `absent`. */
export type Value = string

interface Entry {
	readonly key: Key
	readonly possible: Set<Value>
}

/** What a registry may hold: the last that it acknowledged, and what was asked of it since. */
export class Expectations {
	readonly #entries = new Map<string, Entry>()
	readonly #touched = new Set<string>()
	/** How many changes were acknowledged. */
	settled = 0

	/** For a registry that goes another way from here. */
	copy(): Expectations {
		const copy = new Expectations()
		for (const [text, { key, possible }] of this.#entries)
			copy.#entries.set(text, { key, possible: new Set(possible) })
		return copy
	}

	/** Before a change. */
	attempt(key: Key, value: Value): void {
		this.#entry(key).possible.add(value)
	}

	/** After it was acknowledged. */
	settle(key: Key, value: Value): void {
		const { possible } = this.#entry(key)
		possible.clear()
		possible.add(value)
		this.settled++
	}

	/** After one of several attempts was acknowledged, none knows in which order. */
	isThere(key: Key): void {
		this.#entry(key).possible.delete('absent')
		this.settled++
	}

	/** After a restart, when nothing is under way. */
	check(key: Key, actual: Value): void {
		const { possible } = this.#entry(key)
		if (!possible.has(actual)) {
			const { repository, kind, name } = key
			throw new WrongAnswer(
				`${kind} ${name} of ${repository} is ${actual}, and may be ${[...possible].join(' or ')}`,
			)
		}
		possible.clear()
		possible.add(actual)
	}

	/** `undefined` where nobody has ever asked for it, or where it may be one or the other. */
	value(key: Key): Value | undefined {
		const possible = this.#entries.get(textOf(key))?.possible
		return possible?.size === 1 ? [...possible][0] : undefined
	}

	keys(): readonly Key[] {
		return [...this.#entries.values()].map(({ key }) => key)
	}

	touched(): readonly Key[] {
		return [...this.#touched].flatMap((text) => this.#entries.get(text)?.key ?? [])
	}

	forgetTouched(): void {
		this.#touched.clear()
	}

	#entry(key: Key): Entry {
		const text = textOf(key)
		this.#touched.add(text)
		let entry = this.#entries.get(text)
		if (!entry) {
			entry = { key, possible: new Set(['absent']) }
			this.#entries.set(text, entry)
		}
		return entry
	}
}

function textOf({ repository, kind, name }: Key): string {
	return `${repository} ${kind} ${name}`
}
