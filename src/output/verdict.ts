import { type Finding, resourceKey, type Severity } from '../argocd/index.ts'
import type { CheckResult } from '../flows/index.ts'
import { formatReference } from '../oci/index.ts'
import { countOf } from './size.ts'
import { printable, printableLine, type Style } from './style.ts'
import { formatTable } from './table.ts'

const MARKS = { refuse: 'red', warn: 'yellow', note: 'dim' } as const
const WORDS = { refuse: 'refused', warn: 'warning', note: 'note' } as const

function subjectName({ subject }: CheckResult, what: string): string {
	return subject.kind === 'artifact'
		? formatReference({ ...subject.reference, digest: subject.descriptor.digest })
		: what
}

/** What `check` found, for people: findings first, then what would be deployed and what not. */
export function formatVerdict(
	result: CheckResult,
	options: VerdictOptions & { readonly what: string; readonly style: Style },
): string {
	const { verdict } = result
	const { style } = options
	const lines: string[] = []
	for (const finding of verdict.findings) {
		const { severity, file, message, argocdMessage, fix } = finding
		const where = file === undefined || message.includes(file) ? '' : `${placeOf(finding)}: `
		lines.push(`${style[MARKS[severity]](`${WORDS[severity]}:`)} ${printable(where + message)}`)
		if (argocdMessage !== undefined) lines.push(style.dim(`  Argo CD says: ${printable(argocdMessage)}`))
		lines.push(`  ${style.cyan('next:')} ${printable(fix)}`)
	}
	if (verdict.resources.length > 0) {
		if (lines.length > 0) lines.push('')
		const rows = verdict.resources.map(({ group, version, kind, namespace, name, file, line }) => [
			group === '' ? version : `${group}/${version}`,
			kind,
			namespace ?? '',
			name,
			file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}`,
		])
		lines.push(formatTable(['apiversion', 'kind', 'namespace', 'name', 'file'], rows, style))
	}
	if (verdict.skipped.length > 0) {
		lines.push('', style.bold('Not deployed:'))
		for (const { path, detail } of verdict.skipped)
			lines.push(`  ${printableLine(path)}: ${printable(detail)}`)
	}
	lines.push('', conclusion(result, { ...options, name: printableLine(subjectName(result, options.what)) }))
	return lines.join('\n').trimStart()
}

export interface VerdictOptions {
	/** Of Argo CD. */
	readonly version: string
	/** Whether a warning is a no. */
	readonly strict: boolean
}

/** The words of a severity, with how many there are of each: `2 errors, 1 warning`. */
function countsOf({ verdict }: CheckResult, severities: readonly Severity[]): string {
	return severities
		.map((severity) => ({
			noun: NOUNS[severity],
			count: verdict.findings.filter((each) => each.severity === severity).length,
		}))
		.filter(({ count }) => count > 0)
		.map(({ count, noun }) => countOf(count, noun))
		.join(', ')
}

const NOUNS: Readonly<Record<Severity, string>> = { refuse: 'error', warn: 'warning', note: 'note' }

function conclusion(
	result: CheckResult,
	{ name, version, strict, style }: VerdictOptions & { readonly name: string; readonly style: Style },
): string {
	const { verdict } = result
	if (!verdict.accepted) {
		const counts = countsOf(result, ['refuse', 'warn', 'note'])
		return `${style.red('no')}: Argo CD ${version} would not deploy ${name}${counts === '' ? '' : ` (${counts})`}`
	}
	const warnings = countsOf(result, ['warn'])
	if (strict && warnings !== '') return `${style.red('no')}: ${warnings} in ${name}, and --strict takes none`
	const counts = countsOf(result, ['warn', 'note'])
	const isListed = !verdict.findings.some(({ rule }) => rule === 'not-rendered')
	const distinct = new Set(verdict.resources.map((each) => resourceKey(each)))
	const deploys = isListed
		? `deploys ${countOf(distinct.size, 'resource')}`
		: 'renders it; what it deploys is not known here'
	return `${style.green('yes')}: Argo CD ${version} takes ${name} and ${deploys}${counts === '' ? '' : ` (${counts})`}`
}

/** `FILE:LINE:COLUMN`, as far as it is known. */
export function placeOf({ file = '', line, column }: Finding): string {
	return [file, line, column].filter((part) => part !== undefined).join(':')
}

/** Whether the answer of `check` is no. */
export function isRefused({ verdict }: CheckResult, { strict }: { readonly strict: boolean }): boolean {
	return !verdict.accepted || (strict && verdict.findings.some(({ severity }) => severity === 'warn'))
}

/** The same as a document. */
export function verdictDocument(
	result: CheckResult,
	options: VerdictOptions,
): Readonly<Record<string, unknown>> {
	const { verdict, subject } = result
	return {
		accepted: verdict.accepted,
		...(options.strict && { refused: isRefused(result, options) }),
		argocdVersion: options.version,
		...(subject.kind === 'artifact' && {
			reference: formatReference({ ...subject.reference, digest: subject.descriptor.digest }),
		}),
		sourceType: verdict.sourceType,
		findings: verdict.findings,
		resources: verdict.resources.map(({ group, version: apiVersion, kind, namespace, name, file, line }) => ({
			group,
			version: apiVersion,
			kind,
			namespace,
			name,
			file,
			line,
		})),
		skipped: verdict.skipped,
	}
}
