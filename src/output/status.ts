import type { ApplicationState, Deployment, Finding } from '../flows/index.ts'
import { printable, printableLine, type Style } from './style.ts'
import { type Cell, formatTable } from './table.ts'

function shade(word: string, style: Style): Cell {
	if (word === 'Synced' || word === 'Healthy') return { text: word, paint: style.green }
	if (word === 'Degraded' || word === 'Unknown' || word === 'Missing') return { text: word, paint: style.red }
	return { text: word, paint: style.yellow }
}

function short(revision: string | undefined): string {
	return revision === undefined ? '' : revision.replace(/(sha256:.{12})[0-9a-f]+$/, '$1')
}

/** What runs: a table, then for each Application what is wrong with it. */
export function formatStatus(
	states: readonly ApplicationState[],
	options: { readonly style: Style; readonly cluster: string },
): string {
	const { style } = options
	const lines =
		options.cluster === 'sandbox'
			? [style.dim('sandbox: a stand-in for Kubernetes and Argo CD; no container runs')]
			: []
	if (states.length === 0) return [...lines, 'No Application of lading is there.'].join('\n')
	const rows = states.map((state) => [
		state.name,
		shade(state.sync, style),
		shade(state.health, style),
		state.targetRevision ?? '',
		`${short(state.revision)}${state.tagMoved === true ? ' (the tag has moved)' : ''}`,
		String(state.resources),
	])
	lines.push(formatTable(['name', 'sync', 'health', 'target', 'revision', 'resources'], rows, style))
	for (const state of states) {
		for (const { what, why, next } of state.explanations) {
			lines.push(
				'',
				`${style.red(printableLine(state.name))}: ${printable(what)}`,
				`  ${printable(why)}`,
				`  ${style.cyan('next:')} ${printable(next)}`,
			)
		}
	}
	const [only] = states
	if (states.length === 1 && only && only.resourceStates.length > 0) {
		const resources = only.resourceStates.map(({ kind, namespace, name, status, health }) => [
			kind,
			namespace ?? '',
			name,
			status === undefined ? '' : shade(status, style),
			health?.status === undefined ? '' : shade(health.status, style),
			health?.message ?? '',
		])
		lines.push('', formatTable(['kind', 'namespace', 'name', 'sync', 'health', 'message'], resources, style))
	}
	return lines.join('\n')
}

export function formatHistory(deployments: readonly Deployment[], style: Style): string {
	if (deployments.length === 0) return 'Nothing was deployed yet.'
	const rows = deployments.map(({ id, revision, targetRevision, deployedAt, initiator, current, tags }) => [
		`${id}${current ? ' *' : ''}`,
		short(revision),
		targetRevision === undefined ? '' : short(targetRevision),
		tags.join(', '),
		deployedAt,
		initiator,
	])
	return formatTable(['id', 'revision', 'target', 'tags now', 'deployed at', 'by'], rows, style)
}

const MARKS = { ok: '✓', warn: '!', fault: '✗', skipped: '-' } as const
const COLORS = { ok: 'green', warn: 'yellow', fault: 'red', skipped: 'dim' } as const

/** What the doctor found: everything it looked at, and how to mend what is wrong. */
export function formatFindings(findings: readonly Finding[], style: Style): string {
	const lines: string[] = []
	for (const { check, subject, status, seen, why, fix } of findings) {
		const what = subject === undefined ? check : `${check} ${subject}`
		lines.push(`${style[COLORS[status]](MARKS[status])} ${style.bold(printable(what))}: ${printable(seen)}`)
		if (why !== undefined && why !== '') lines.push(`    ${printable(why)}`)
		if (fix !== undefined && status !== 'ok') lines.push(`    ${style.cyan('next:')} ${printable(fix)}`)
	}
	const faults = findings.filter(({ status }) => status === 'fault').length
	const warnings = findings.filter(({ status }) => status === 'warn').length
	const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`
	lines.push(
		'',
		faults + warnings === 0
			? style.green('Nothing is wrong.')
			: `${count(faults, 'fault')}, ${count(warnings, 'warning')}.`,
	)
	return lines.join('\n')
}
