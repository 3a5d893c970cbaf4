import type { CheckResult } from '../flows/index.ts'
import { formatReference } from '../oci/index.ts'
import { printable, printableLine, type Style } from './style.ts'
import { countOf } from './size.ts'
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
	options: { readonly what: string; readonly version: string; readonly style: Style },
): string {
	const { verdict } = result
	const { style } = options
	const lines: string[] = []
	for (const { severity, file, line, message, argocdMessage, fix } of verdict.findings) {
		const where =
			file === undefined || message.includes(file) ? '' : `${file}${line === undefined ? '' : `:${line}`}: `
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
	const name = printableLine(subjectName(result, options.what))
	const isListed = !verdict.findings.some(({ rule }) => rule === 'not-rendered')
	const deploys = isListed
		? `deploys ${countOf(verdict.resources.length, 'resource')}`
		: `renders it; what it deploys is not known here`
	lines.push(
		'',
		verdict.accepted
			? `${style.green('yes')}: Argo CD ${options.version} takes ${name} and ${deploys}`
			: `${style.red('no')}: Argo CD ${options.version} would not deploy ${name}`,
	)
	return lines.join('\n').trimStart()
}

/** The same as a document. */
export function verdictDocument(
	result: CheckResult,
	options: { readonly version: string },
): Readonly<Record<string, unknown>> {
	const { verdict, subject } = result
	return {
		accepted: verdict.accepted,
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
