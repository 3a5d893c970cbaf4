import type { ServerResponse } from '../../http/server/index.ts'
import type { StatusError } from './status-error.ts'

/** A JSON answer, complete. */
export function json(
	status: number,
	document: unknown,
	headers: Readonly<Record<string, string | readonly string[]>> = {},
): ServerResponse {
	return {
		status,
		headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private', ...headers },
		body: JSON.stringify(document),
	}
}

export function statusAnswer(error: StatusError): ServerResponse {
	return json(
		error.statusCode,
		error.status,
		error.reason === 'Unauthorized' ? { 'www-authenticate': 'Bearer' } : {},
	)
}

const MAX_WARNING = 500

/** Warnings as kubectl shows them to a person, RFC 7234 §5.5. */
export function warningHeaders(texts: readonly string[]): Readonly<Record<string, readonly string[]>> {
	if (texts.length === 0) return {}
	const quoted = (text: string): string =>
		text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)
	return { warning: texts.map((text) => `299 - "${quoted(text.slice(0, MAX_WARNING))}"`) }
}
