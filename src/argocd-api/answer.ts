import * as v from 'valibot'
import { RemoteError } from '../errors/index.ts'

/** Reads an answer of Argo CD's. @throws RemoteError `ARGOCD_FAILED` for one of another shape */
export function readAnswer<T>(schema: v.GenericSchema<unknown, T>, answer: unknown): T {
	const parsed = v.safeParse(schema, answer)
	if (parsed.success) return parsed.output
	const [issue] = parsed.issues
	throw new RemoteError(
		'ARGOCD_FAILED',
		`Argo CD answers with something else than was asked for: ${v.getDotPath(issue) ?? '(root)'}: ${issue.message}`,
	)
}
