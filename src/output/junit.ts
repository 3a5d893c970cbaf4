import type { Finding } from '../argocd/index.ts'
import type { CheckResult } from '../flows/index.ts'
import type { ReportOptions } from './sarif.ts'
import { placeOf } from './verdict.ts'

interface Case {
	readonly file: string
	/** Absent for a file of which nothing is to be said. */
	readonly finding?: Finding | undefined
}

/**
 * What `check` found, as tests: one that fails for each finding that is a no, one that passes
 * with a word for each other, and one that passes for each file without any.
 * @see https://github.com/testmoapp/junitxml
 */
export function formatJunit(
	result: CheckResult,
	options: ReportOptions & { readonly strict: boolean },
): string {
	const { verdict } = result
	const { what, strict } = options
	const told = new Set(verdict.findings.map(({ file }) => file))
	const quiet = [...new Set(verdict.resources.map(({ file }) => file))].filter((file) => !told.has(file))
	const cases: readonly Case[] = [
		...verdict.findings.map((finding) => ({ file: finding.file ?? what, finding })),
		...quiet.map((file) => ({ file: file ?? what })),
	]
	const all = cases.length > 0 ? cases : [{ file: what }]
	const failures = verdict.findings.filter((finding) => isFailure(finding, strict)).length
	const counts = `tests="${all.length}" failures="${failures}" errors="0" skipped="0"`
	return [
		'<?xml version="1.0" encoding="UTF-8"?>',
		`<testsuites name="lading check" ${counts}>`,
		`  <testsuite name=${attribute(what)} ${counts}>`,
		...all.flatMap((each) => caseLines(each, { ...options, strict })),
		'  </testsuite>',
		'</testsuites>',
		'',
	].join('\n')
}

function isFailure({ severity }: Finding, strict: boolean): boolean {
	return severity === 'refuse' || (strict && severity === 'warn')
}

function caseLines(
	{ file, finding }: Case,
	{ base, strict }: ReportOptions & { readonly strict: boolean },
): readonly string[] {
	const path = base === undefined || base === '' ? file : `${base}/${file}`
	const name = finding === undefined ? file : `${finding.rule}: ${finding.message}`
	const line = finding?.line === undefined ? '' : ` line="${finding.line}"`
	const head = `    <testcase name=${attribute(name)} classname=${attribute(file)} file=${attribute(path)}${line} time="0"`
	if (finding === undefined) return [`${head}/>`]
	const said = [
		`${placeOf(finding)} ${finding.message}`.trim(),
		...(finding.argocdMessage === undefined ? [] : [`Argo CD says: ${finding.argocdMessage}`]),
		`next: ${finding.fix}`,
	].join('\n')
	const body = isFailure(finding, strict)
		? `      <failure message=${attribute(finding.message)} type=${attribute(finding.rule)}>${text(said)}</failure>`
		: `      <system-out>${text(`${finding.severity === 'warn' ? 'warning' : 'note'}: ${said}`)}</system-out>`
	return [`${head}>`, body, '    </testcase>']
}

const attribute = (value: string): string =>
	`"${text(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')}"`

/** What XML cannot hold is written as in JavaScript. */
function text(value: string): string {
	return value
		.replaceAll('&', '&amp;')
		.replaceAll('<', '&lt;')
		.replaceAll('>', '&gt;')
		.replaceAll(
			// oxlint-disable-next-line no-control-regex -- these are what XML does not take, or a terminal obeys
			/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
			(character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
		)
}
