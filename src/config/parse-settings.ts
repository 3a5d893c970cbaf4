import * as v from 'valibot'
import { UserError } from '../errors/index.ts'
import { fieldLines } from './field-lines.ts'

export interface ParseSettingsOptions {
	/** Name of the file, as a person would look for it. */
	readonly file: string
	/** What the file may have at its top, for the hint. */
	readonly fields: readonly string[]
	/** Next step where it is no YAML at all. */
	readonly hint?: string | undefined
}

/** A file of comments is a configuration without fields. */
const NOTHING = /^\s*(?:---|#.*)?\s*$/

/**
 * Reads a YAML file of ours against its schema; every fault is named at once, with its line.
 * @throws UserError `CONFIG_INVALID`
 */
export async function parseSettings<T>(
	text: string,
	schema: v.GenericSchema<unknown, T>,
	{ file, fields, hint }: ParseSettingsOptions,
): Promise<T> {
	const { load } = await import('js-yaml')
	let raw: unknown = {}
	try {
		if (!text.split('\n').every((line) => NOTHING.test(line))) raw = load(text, { filename: file })
	} catch (error) {
		throw new UserError(
			'CONFIG_INVALID',
			`${file} does not parse: ${error instanceof Error ? error.message : String(error)}`,
			{ hint, cause: error },
		)
	}
	const result = v.safeParse(schema, Array.isArray(raw) ? 'a list' : (raw ?? {}))
	if (result.success) return result.output
	const lines = await fieldLines(text)
	throw new UserError('CONFIG_INVALID', `${file} is not valid`, {
		details: result.issues.map((issue) => {
			const path = v.getDotPath(issue)
			const line = path === null ? undefined : lines.get(path)
			return line === undefined ? describeIssue(issue) : `${file}:${line}: ${describeIssue(issue)}`
		}),
		hint: `It may have: ${fields.join(', ')}.`,
	})
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
	const field = v.getDotPath(issue)
	if (field === null) return `it has to be fields, each "name: value", and is ${issue.received}`
	switch (issue.type) {
		case 'strict_object':
			if (issue.expected === 'never') return `${field}: there is no such field`
			return issue.received === 'undefined'
				? `${field}: it is missing`
				: `${field}: it has to be fields, each "name: value"`
		case 'record':
			return `${field}: it has to be fields, each "name: value"`
		case 'array':
			return `${field}: it has to be a list, each line "- value"`
		case 'string':
			return issue.received === 'undefined'
				? `${field}: it is missing`
				: `${field}: text is wanted, and ${issue.received} is none; put it in quotes`
		case 'number':
			return `${field}: a number is wanted, not ${issue.received}`
		case 'boolean':
			return `${field}: true or false is wanted, not ${issue.received}`
		default:
			return `${field}: ${issue.message}`
	}
}
