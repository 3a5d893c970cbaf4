import { formatIdentity, type ResourceDiff } from '../manifests/index.ts'
import { unreachable } from '../errors/index.ts'
import { diffLines, hunksOf, type LineChange } from './line-diff.ts'
import { printableLine, type Style } from './style.ts'
import { formatYaml } from './yaml.ts'

const CONTEXT = 3

/** A difference as `diff -u` of the objects' YAML. */
export function formatUnified(diffs: readonly ResourceDiff[], style: Style): string {
	return diffs.map((diff) => unifiedOf(diff, style).join('\n')).join('\n')
}

const paints = { '-': 'red', '+': 'green' } as const

/** One resource, as lines. */
export function unifiedOf(diff: ResourceDiff, style: Style): readonly string[] {
	const name = printableLine(formatIdentity(diff.identity))
	const { before, after } = textsOf(diff)
	const [from, to] = [
		before === undefined ? '/dev/null' : `a/${name}`,
		after === undefined ? '/dev/null' : `b/${name}`,
	]
	const hunks = hunksOf(diffLines(linesOf(before), linesOf(after)), CONTEXT)
	return [
		style.bold(`--- ${from}`),
		style.bold(`+++ ${to}`),
		...hunks.flatMap((hunk) => [
			style.cyan(`@@ -${range(hunk.before)} +${range(hunk.after)} @@`),
			...hunk.lines.map((line) => paint(line, style)),
		]),
	]
}

function textsOf(diff: ResourceDiff): { readonly before?: string; readonly after?: string } {
	switch (diff.change) {
		case 'added':
			return { after: formatYaml([diff.object]) }
		case 'removed':
			return { before: formatYaml([diff.object]) }
		case 'changed':
			return { before: formatYaml([diff.before]), after: formatYaml([diff.after]) }
		default:
			return unreachable(diff)
	}
}

function linesOf(text: string | undefined): readonly string[] {
	return text === undefined ? [] : text.trimEnd().split('\n')
}

function range({ start, count }: { readonly start: number; readonly count: number }): string {
	return count === 1 ? String(start) : `${start},${count}`
}

function paint({ kind, text }: LineChange, style: Style): string {
	const line = `${kind}${printableLine(text)}`
	return kind === ' ' ? line : style[paints[kind]](line)
}
