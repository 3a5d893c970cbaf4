import { type LadingError, RemoteError } from '../errors/index.ts'
import { asTyped, type Program } from './program.ts'
import { printable, printableLine, type Style } from './style.ts'

/** What happened and why, what it concerns, what to do next. */
export function formatError(
	error: LadingError,
	options: { readonly style: Style; readonly debug: boolean; readonly program?: Program | undefined },
): string {
	const { style } = options
	const lines = [`${style.red('error:')} ${printable(error.message)}`]
	for (const detail of error.details)
		lines.push(
			...printable(detail)
				.split('\n')
				.map((line) => `  ${line}`),
		)
	if (error instanceof RemoteError && error.wire)
		lines.push(...wireLines(error).map((line) => style.dim(`  ${printableLine(line)}`)))
	if (error.hint !== undefined) {
		const hint = asTyped(error.hint, options.program ?? 'lading')
		lines.push(`${style.cyan('next:')}  ${printable(hint)}`)
	}
	if (options.debug) {
		for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
			lines.push(style.dim(printable(cause.stack ?? cause.message)))
	}
	return `${lines.join('\n')}\n`
}

const MAX_BODY_CHARACTERS = 300

function wireLines(error: RemoteError): readonly string[] {
	const { wire } = error
	if (!wire) return []
	const request = `${wire.method} ${wire.url}${wire.status === undefined ? '' : ` answered ${wire.status}`}`
	const said = (wire.errors ?? []).map((each) => `${each.code}: ${each.message}`)
	if (said.length === 0 && wire.body !== undefined && wire.body.trim() !== '') {
		said.push(wire.body.trim().slice(0, MAX_BODY_CHARACTERS))
	}
	return [request, ...said]
}

/** The failure as a document of `--json`. */
export function errorDocument(error: LadingError): Readonly<Record<string, unknown>> {
	return {
		error: {
			code: error.code,
			message: error.message,
			...(error.hint !== undefined && { hint: error.hint }),
			...(error.details.length > 0 && { details: error.details }),
			...(error instanceof RemoteError && error.wire && { wire: error.wire }),
		},
	}
}
