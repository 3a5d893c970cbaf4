import * as v from 'valibot'
import type { KubeObject } from '../../cluster/index.ts'
import { globMatches } from './glob.ts'
import { isFields, textAt } from './object-fields.ts'
import { keyOf } from './resource-key.ts'

/** One step into an object: a field, an index, every item, or the items with a field of a value. */
type Step =
	| { readonly type: 'field'; readonly name: string }
	| { readonly type: 'index'; readonly index: number }
	| { readonly type: 'every' }
	| { readonly type: 'where'; readonly field: string; readonly value: string }

export type FieldPath = readonly Step[]

interface IgnoreRule {
	readonly group: string
	readonly kind: string
	/** Empty: any. */
	readonly name: string
	readonly namespace: string
	readonly jsonPointers: readonly string[]
	readonly jqPathExpressions: readonly string[]
	readonly managedFieldsManagers: readonly string[]
}

/** `spec.ignoreDifferences`, read once. */
export type IgnoreRules = readonly IgnoreRule[]

const ruleSchema: v.GenericSchema<unknown, IgnoreRule> = v.object({
	group: v.optional(v.string(), ''),
	kind: v.string(),
	name: v.optional(v.string(), ''),
	namespace: v.optional(v.string(), ''),
	jsonPointers: v.optional(v.array(v.string()), []),
	jqPathExpressions: v.optional(v.array(v.string()), []),
	managedFieldsManagers: v.optional(v.array(v.string()), []),
})

/** Rules that cannot be read are left out, as they would not pass a real API. */
export function parseIgnoreRules(value: unknown): IgnoreRules {
	if (!Array.isArray(value)) return []
	return value.flatMap((each) => {
		const parsed = v.safeParse(ruleSchema, each)
		return parsed.success ? [parsed.output] : []
	})
}

/** What the sandbox cannot tell about a set of rules; `undefined` when it can tell all. */
export function unsupportedRule(rules: IgnoreRules): string | undefined {
	const expression = rules
		.flatMap((rule) => rule.jqPathExpressions)
		.find((each) => parseJqPath(each) === undefined)
	if (expression === undefined) return undefined
	return `sandbox: the jqPathExpression ${expression} is more than a path, which only a real Argo CD evaluates`
}

/** The paths to leave out of the comparison of one object. */
export function ignoredPaths(
	rules: IgnoreRules,
	object: KubeObject,
	live?: KubeObject,
): readonly FieldPath[] {
	const { group, kind, namespace, name } = keyOf(object)
	const paths: FieldPath[] = []
	for (const rule of rules) {
		if (!globMatches(rule.group, group) || !globMatches(rule.kind, kind)) continue
		if ((rule.name !== '' && rule.name !== name) || (rule.namespace !== '' && rule.namespace !== namespace))
			continue
		paths.push(...rule.jsonPointers.map(parsePointer))
		paths.push(...rule.jqPathExpressions.map((each) => parseJqPath(each) ?? []))
		if (live !== undefined) paths.push(...managedPaths(live, rule.managedFieldsManagers))
	}
	return paths.filter((path) => path.length > 0)
}

/** @see https://www.rfc-editor.org/rfc/rfc6901 */
function parsePointer(pointer: string): FieldPath {
	return pointer
		.split('/')
		.slice(1)
		.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
		.map((name) => (/^\d+$/.test(name) ? { type: 'index', index: Number(name) } : { type: 'field', name }))
}

/** Paths such as `.spec.containers[0].image`, `.a["b.c"]`, `.list[]?` and `.list[] | select(.name == "x") | .y`. */
export function parseJqPath(expression: string): FieldPath | undefined {
	const steps: Step[] = []
	const token =
		/^(?:\s*\|\s*)?(?:\.?\["(?<quoted>[^"]+)"\]|\.?\[(?<index>\d+)\]|(?<every>\.?\[\])|select\(\s*\.(?<field>[\w-]+)\s*==\s*"(?<value>[^"]*)"\s*\)|\.(?<name>[A-Za-z_][\w-]*))\??/
	let rest = expression.trim()
	while (rest !== '') {
		const found = token.exec(rest)
		if (found?.groups === undefined) return undefined
		const { quoted, index, every, field, value, name } = found.groups
		if (field !== undefined) {
			if (steps.pop()?.type !== 'every') return undefined
			steps.push({ type: 'where', field, value: value ?? '' })
		} else if (every !== undefined) steps.push({ type: 'every' })
		else if (index !== undefined) steps.push({ type: 'index', index: Number(index) })
		else steps.push({ type: 'field', name: quoted ?? name ?? '' })
		rest = rest.slice(found[0].length)
	}
	return steps
}

/** The leaves a manager owns, from `metadata.managedFields`. */
function managedPaths(live: KubeObject, managers: readonly string[]): readonly FieldPath[] {
	return (live.metadata.managedFields ?? [])
		.filter((entry) => managers.includes(textAt(entry, 'manager')))
		.flatMap((entry) => leaves(isFields(entry) ? entry['fieldsV1'] : undefined, []))
}

function leaves(fields: unknown, path: FieldPath): readonly FieldPath[] {
	if (!isFields(fields)) return []
	const children = Object.entries(fields).filter(([key]) => key !== '.')
	if (children.length === 0) return path.length === 0 ? [] : [path]
	return children.flatMap(([key, value]) => {
		const step = managedStep(key)
		return step === undefined ? [path] : leaves(value, [...path, step])
	})
}

function managedStep(key: string): Step | undefined {
	if (key.startsWith('f:')) return { type: 'field', name: key.slice(2) }
	if (!key.startsWith('k:')) return undefined
	try {
		const [entry] = Object.entries(JSON.parse(key.slice(2)) as Record<string, unknown>)
		return entry && { type: 'where', field: entry[0], value: String(entry[1]) }
	} catch {
		return undefined
	}
}

/** A copy without what a path leads to. */
export function without(value: unknown, path: FieldPath): unknown {
	return edit(value, path, { type: 'remove' })
}

/** A copy of `target` with what `live` has at a path, or without it where `live` has nothing. */
export function withLiveValue(target: unknown, live: unknown, path: FieldPath): unknown {
	const [step, ...rest] = path
	if (step === undefined) return live
	if (step.type !== 'field') return edit(target, path, { type: 'copy', live })
	if (!isFields(target) || !isFields(live)) return target
	if (live[step.name] === undefined) return rest.length === 0 ? without(target, path) : target
	return { ...target, [step.name]: withLiveValue(target[step.name] ?? {}, live[step.name], rest) }
}

type Edit = { readonly type: 'remove' } | { readonly type: 'copy'; readonly live: unknown }

function edit(value: unknown, path: FieldPath, action: Edit): unknown {
	const [step, ...rest] = path
	if (step === undefined) return value
	if (step.type === 'field') {
		if (!isFields(value) || !(step.name in value)) return value
		if (rest.length > 0) return { ...value, [step.name]: edit(value[step.name], rest, action) }
		const { [step.name]: _, ...others } = value
		return others
	}
	if (!Array.isArray(value)) return value
	const chosen = (item: unknown, index: number): boolean =>
		step.type === 'every' ||
		(step.type === 'index' ? index === step.index : isFields(item) && String(item[step.field]) === step.value)
	if (action.type === 'copy') {
		const others = Array.isArray(action.live) ? action.live : []
		return value.map((item: unknown, index) => {
			if (!chosen(item, index)) return item
			const live: unknown =
				step.type === 'where' ? others.find((each, at) => chosen(each, at)) : others[index]
			return live === undefined ? item : withLiveValue(item, live, rest)
		})
	}
	if (rest.length === 0) return value.filter((item, index) => !chosen(item, index))
	return value.map((item: unknown, index) => (chosen(item, index) ? edit(item, rest, action) : item))
}
