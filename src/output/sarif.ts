import { acceptanceRules, type Finding, type Severity } from '../argocd/index.ts'
import type { CheckResult } from '../flows/index.ts'
import { escapeControls } from './style.ts'
import { ValidationRules } from '../validation/index.ts'

export interface ReportOptions {
	/** Of lading. */
	readonly version: string
	/** What was checked, as it was named. */
	readonly what: string
	/**
	 * Path of the directory that was checked, relative to the working directory; absent for
	 * what is no directory inside it. Code scanning wants paths from the root of the repository.
	 */
	readonly base?: string | undefined
}

const LEVELS: Readonly<Record<Severity, string>> = { refuse: 'error', warn: 'warning', note: 'note' }

interface RuleText {
	readonly code: string
	readonly summary: string
	readonly severity: Severity
	readonly fix: string
}

/** Of two rules with one code, such as one that warns where the other refuses, the first speaks. */
function ruleTexts(): ReadonlyMap<string, RuleText> {
	const texts = new Map<string, RuleText>()
	for (const rule of [...acceptanceRules, ...Object.values(ValidationRules)])
		if (!texts.has(rule.code)) texts.set(rule.code, rule)
	return texts
}

/**
 * What `check` found, for code scanning.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function formatSarif({ verdict }: CheckResult, options: ReportOptions): string {
	const known = ruleTexts()
	const codes = [...new Set(verdict.findings.map(({ rule }) => rule))]
	const log = {
		$schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
		version: '2.1.0',
		runs: [
			{
				tool: {
					driver: {
						name: 'lading',
						semanticVersion: options.version,
						rules: codes.map((code) => sarifRule(code, known.get(code))),
					},
				},
				columnKind: 'utf16CodeUnits',
				results: verdict.findings.map((finding) => sarifResult(finding, { ...options, codes })),
			},
		],
	}
	return escapeControls(JSON.stringify(log, undefined, 2))
}

function sarifRule(id: string, text: RuleText | undefined): object {
	if (text === undefined) return { id }
	return {
		id,
		shortDescription: { text: text.summary },
		help: { text: text.fix },
		defaultConfiguration: { level: LEVELS[text.severity] },
	}
}

function sarifResult(
	finding: Finding,
	{ codes, base, what }: ReportOptions & { readonly codes: readonly string[] },
): object {
	const { rule, severity, message, argocdMessage, fix, file, line, column, object, field } = finding
	const words = argocdMessage === undefined ? '' : ` Argo CD says: ${argocdMessage}`
	return {
		ruleId: rule,
		ruleIndex: codes.indexOf(rule),
		level: LEVELS[severity],
		message: { text: `${message}.${words} ${fix}` },
		locations: [
			{
				physicalLocation: {
					artifactLocation: { uri: uriOf(base ?? (file === undefined ? what : ''), file) },
					...(line !== undefined && {
						region: { startLine: line, ...(column !== undefined && { startColumn: column }) },
					}),
				},
				...(object !== undefined && {
					logicalLocations: [
						{ fullyQualifiedName: field === undefined ? object : `${object} ${field}`, kind: 'object' },
					],
				}),
			},
		],
	}
}

/** A relative URI, with `/` between its parts. */
function uriOf(base: string, file: string | undefined): string {
	const parts = [...base.split('/'), ...(file ?? '').split('/')].filter((part) => part !== '' && part !== '.')
	return parts.length === 0 ? '.' : parts.map((part) => encodeURIComponent(part)).join('/')
}
