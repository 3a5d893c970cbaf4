import { join } from 'node:path'
import { generateHelpTextForAllCommands } from '@stricli/core'
import * as v from 'valibot'
import { expect, it } from 'vitest'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { routesFor } from '../../src/cli/routes.ts'
import { buildCli } from '../../src/cli/application.ts'
import { type ErrorCode, errorCodes, type ErrorKind, errorMeanings } from '../../src/errors/index.ts'

const routes = routesFor()
const REFERENCE = join(import.meta.dirname, '../../docs/reference')

// `npx vitest run --project unit test/unit/reference-pages.test.ts -u` writes them anew.

const KINDS: Readonly<Record<ErrorKind, string>> = {
	no: 'The answer is no',
	usage: 'Wrong usage',
	input: 'Bad input or configuration',
	denied: 'Not authenticated, or not allowed',
	tls: 'TLS',
	unavailable: 'Network, registry or cluster',
	'not-found': 'Not found',
	timeout: 'Timed out',
	machine: 'This machine cannot',
	bug: 'A bug of lading',
	interrupted: 'Interrupted',
}

function errorPage(): string {
	const lines = [
		'# Errors',
		'',
		'Generated from the code. Every failure of a command says what happened and why (`error:`), what it is about, and what to do',
		'next (`next:`). With `--json` it is one document: `{"version": 1, "error": {"code", "message", "hint", "details", "wire"}}`. In the',
		'[library](../guide/library.md) it is a `LadingError` with the same fields. Codes and exit codes are stable.',
	]
	const codes = Object.entries(errorCodes) as [ErrorCode, ErrorKind][]
	for (const [kind, title] of Object.entries(KINDS) as [ErrorKind, string][]) {
		lines.push(
			'',
			`## ${title}: exit code ${exitCodes[kind]}${kind === 'interrupted' ? ', 143 for SIGTERM, 129 for SIGHUP' : ''}`,
		)
		for (const [code] of codes.filter(([, each]) => each === kind)) {
			const { meaning, cause, fix } = errorMeanings[code]
			lines.push('', `### ${code}`, '', meaning, '', `- Usual cause: ${cause}`, `- What to do: ${fix}`)
		}
	}
	return `${lines.join('\n')}\n`
}

it('docs/reference/errors.md has every code', async () => {
	await expect(errorPage()).toMatchFileSnapshot(join(REFERENCE, 'errors.md'))
})

it('every code has a meaning, a cause and a fix that are sentences', () => {
	for (const [code, texts] of Object.entries(errorMeanings))
		for (const text of Object.values(texts)) expect(text, code).toMatch(/^\S.*\.$/)
})

const flagsOf = v.object({
	parameters: v.object({ flags: v.record(v.string(), v.object({ placeholder: v.optional(v.string()) })) }),
})

/** The help of a command, with all arguments in its usage line and the placeholders of its flags. */
function withPlaceholders(route: string, text: string): string {
	let target: unknown = routes
	for (const word of route.split(' ').slice(1))
		target = (target as typeof routes).getRoutingTargetForInput(word)
	const { flags } = v.parse(flagsOf, target).parameters
	const named = new Map(
		Object.entries(flags).map(([name, { placeholder }]) => [
			name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
			placeholder === undefined ? '' : ` ${placeholder}`,
		]),
	)
	const words = [
		...(text.split('\nARGUMENTS\n')[1] ?? '').matchAll(/^ {2,3}(\S+(?: \S+)*?)(?: {2,}|$)/gm),
	].map((match) => match[1])
	const lines = text.split('\n')
	const isFlag = /^( {2}(?:-\w| {2}) )([ [])--([a-z-]+)(\/--[a-z-]+)?([\] ])(\.\.\.)?( +)(.*)$/
	const width = Math.max(...[...named].map(([name, placeholder]) => `${name}${placeholder}`.length))
	return [
		'USAGE',
		`  ${[route, ...words, '[flags]'].join(' ')}`,
		...lines.slice(3).map((line) => {
			const match = isFlag.exec(line)
			if (!match)
				return line.replace(/^( {6}--) +(?=All subsequent)/, (_, dashes: string) => dashes.padEnd(width + 13))
			const [, alias = '', open = '', name = '', negated = '', close = '', more = '', , brief = ''] = match
			const shown = `${open}--${name}${negated}${named.get(name) ?? ''}${close}${more}`
			return `${alias}${shown.padEnd(width + 6)}  ${brief}`
		}),
	].join('\n')
}

function commandPage(): string {
	const pages = generateHelpTextForAllCommands(buildCli({ version: '0', color: false, routes }) as never)
	const lines = [
		'# Commands',
		'',
		'Generated from the code: what `--help` of each command says. Exit codes and errors: [errors.md](errors.md).',
	]
	for (const [route, text] of pages)
		lines.push('', `## ${route}`, '', '```text', withPlaceholders(route, text.trimEnd()), '```')
	return `${lines.join('\n')}\n`
}

it('docs/reference/cli.md has every command', async () => {
	await expect(commandPage()).toMatchFileSnapshot(join(REFERENCE, 'cli.md'))
})
