import { LadingError, RemoteError, UserError } from '../errors/index.ts'

export type Side = 'source' | 'destination'

const said = new WeakSet<LadingError>()

/** Runs a step of a two-sided operation; its error says in `details` on which side it happened. */
export async function onSide<T>(side: Side, step: Promise<T>): Promise<T> {
	try {
		return await step
	} catch (error) {
		throw withSide(side, error)
	}
}

/** The first side to claim an error keeps it: a source's failure passes through the destination's push. */
export function withSide(side: Side, error: unknown): unknown {
	if (!(error instanceof LadingError) || said.has(error)) return error
	const { code, message, hint, cause } = error
	const details = [...error.details, `while working on the ${side}`]
	const marked =
		error instanceof RemoteError
			? new RemoteError(code, message, { hint, cause, details, wire: error.wire })
			: error instanceof UserError
				? new UserError(code, message, { hint, cause, details })
				: undefined
	if (marked) said.add(marked)
	return marked ?? error
}
