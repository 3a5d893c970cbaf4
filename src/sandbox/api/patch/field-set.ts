import { UserError } from '../../../errors/index.ts'
import { isObject, toObject, type JsonObject, type TypeSchema } from '../../../schema/index.ts'
import { parseElement, schemaOfElement } from './path-element.ts'

/**
 * A set of paths into an object, as the `fieldsV1` of a managed-fields entry holds one: a tree
 * of path elements (`f:spec`, `k:{"name":"x"}`, `v:"x"`), each of which may itself be a member.
 * Immutable.
 * @see https://github.com/kubernetes-sigs/structured-merge-diff
 */
export class FieldSet {
	static readonly EMPTY: FieldSet = new FieldSet(new Set(), new Map())
	readonly members: ReadonlySet<string>
	readonly children: ReadonlyMap<string, FieldSet>

	constructor(members: ReadonlySet<string>, children: ReadonlyMap<string, FieldSet>) {
		this.members = members
		this.children = children
	}

	get isEmpty(): boolean {
		return this.members.size === 0 && this.children.size === 0
	}

	at(element: string): FieldSet {
		return this.children.get(element) ?? FieldSet.EMPTY
	}

	union(other: FieldSet): FieldSet {
		const children = new Map(this.children)
		for (const [element, set] of other.children) {
			const mine = children.get(element)
			children.set(element, mine === undefined ? set : mine.union(set))
		}
		return new FieldSet(new Set([...this.members, ...other.members]), children)
	}

	intersection(other: FieldSet): FieldSet {
		return build(
			[...this.members].filter((element) => other.members.has(element)),
			[...this.children].map(([element, set]) => [element, set.intersection(other.at(element))]),
		)
	}

	/** Without the members of `other`; what lies below a member of `other` stays. */
	difference(other: FieldSet): FieldSet {
		return build(
			[...this.members].filter((element) => !other.members.has(element)),
			[...this.children].map(([element, set]) => [element, set.difference(other.at(element))]),
		)
	}

	equals(other: FieldSet): boolean {
		return this.difference(other).isEmpty && other.difference(this).isEmpty
	}

	/**
	 * With every named field on the way to a member as a member of its own: `spec` of
	 * `spec.replicas`, but neither keys of free maps nor items of lists.
	 */
	withNamedFields(schema: TypeSchema): FieldSet {
		const members = new Set(this.members)
		const children = new Map<string, FieldSet>()
		for (const [element, set] of this.children) {
			if (schema.kind === 'map' && element.startsWith('f:') && schema.fields.has(element.slice(2))) {
				members.add(element)
			}
			children.set(element, set.withNamedFields(schemaOfElement(schema, element)))
		}
		return new FieldSet(members, children)
	}

	/** Every member as the elements of its path, in the order of the elements. */
	*paths(): Generator<readonly string[]> {
		for (const element of [...this.members].sort(compareElements)) yield [element]
		for (const element of [...this.children.keys()].sort(compareElements)) {
			for (const rest of this.at(element).paths()) yield [element, ...rest]
		}
	}

	/** The `fieldsV1` of this set. */
	toFields(): JsonObject {
		const elements = [...new Set([...this.members, ...this.children.keys()])].sort(compareElements)
		return toObject(
			elements.map((element) => {
				const below = this.at(element)
				if (below.isEmpty) return [element, {}]
				return [element, this.members.has(element) ? { '.': {}, ...below.toFields() } : below.toFields()]
			}),
		)
	}

	/** @throws UserError `OBJECT_INVALID` for what is no `fieldsV1` */
	static fromFields(fields: unknown): FieldSet {
		if (!isObject(fields)) throw invalidFields()
		const members: string[] = []
		const children = new Map<string, FieldSet>()
		for (const [key, below] of Object.entries(fields)) {
			if (key === '.') continue
			const element = parseElement(key)
			if (element === undefined || !isObject(below)) throw invalidFields()
			if (Object.keys(below).length === 0 || Object.hasOwn(below, '.')) members.push(element)
			const set = FieldSet.fromFields(below)
			if (!set.isEmpty) children.set(element, set)
		}
		return new FieldSet(new Set(members), children)
	}

	static of(...paths: readonly (readonly string[])[]): FieldSet {
		const builder = new FieldSetBuilder()
		for (const path of paths) builder.insert(path)
		return builder.finish()
	}
}

/** Collects paths for a {@link FieldSet}. */
export class FieldSetBuilder {
	readonly #members = new Set<string>()
	readonly #children = new Map<string, FieldSetBuilder>()

	/** The empty path names the whole object, which is no member of a set. */
	insert(path: readonly string[]): void {
		const [element, ...rest] = path
		if (element === undefined) return
		if (rest.length === 0) this.#members.add(element)
		else this.#child(element).insert(rest)
	}

	finish(): FieldSet {
		return new FieldSet(
			this.#members,
			new Map([...this.#children].map(([element, child]) => [element, child.finish()])),
		)
	}

	#child(element: string): FieldSetBuilder {
		const child = this.#children.get(element) ?? new FieldSetBuilder()
		this.#children.set(element, child)
		return child
	}
}

function build(members: Iterable<string>, children: Iterable<readonly [string, FieldSet]>): FieldSet {
	return new FieldSet(new Set(members), new Map([...children].filter(([, set]) => !set.isEmpty)))
}

/** Fields before keys before values before indexes, as Kubernetes sorts them. */
const KIND_ORDER = 'fkvi'

function compareElements(left: string, right: string): number {
	const kinds = KIND_ORDER.indexOf(left.charAt(0)) - KIND_ORDER.indexOf(right.charAt(0))
	if (kinds !== 0) return kinds
	return left < right ? -1 : Number(left > right)
}

function invalidFields(): UserError {
	return new UserError('OBJECT_INVALID', 'metadata.managedFields: fieldsV1 is not a set of fields', {
		hint: 'Leave metadata.managedFields out of the object.',
	})
}
