import { classifyRevision, resolutionMessage, resolveRange } from '../../argocd/index.ts'
import type { ReadableStore } from '../../content/index.ts'
import { type Descriptor, isTag } from '../../oci/index.ts'

export type Resolution =
	| { readonly ok: true; readonly descriptor: Descriptor }
	/** Argo CD's sentence. */
	| { readonly ok: false; readonly error: string }

/**
 * What a target revision names at this moment; always asks the registry.
 * @param options.place `host/repository` as the source writes it
 * @param options.describe what Go would have said of a failed request
 * @see util/oci/client.go ResolveRevision
 */
export async function resolveRevision(
	revision: string,
	options: {
		readonly store: ReadableStore
		readonly place: string
		readonly describe: (error: unknown) => string
		readonly signal: AbortSignal
	},
): Promise<Resolution> {
	const { store, place, describe, signal } = options
	const fail = (error: string): Resolution => ({ ok: false, error })
	const look = async (reference: string): Promise<Resolution> => {
		try {
			const descriptor = await store.resolve(reference, { signal })
			if (descriptor !== undefined) return { ok: true, descriptor }
			return fail(resolutionMessage(revision, { kind: 'not-found', place }))
		} catch (error) {
			return fail(resolutionMessage(revision, { kind: 'transport', text: describe(error) }))
		}
	}
	const kind = classifyRevision(revision, { place })
	switch (kind.kind) {
		case 'invalid':
			return fail(resolutionMessage(revision, { kind: 'invalid', argocdMessage: kind.argocdMessage }))
		case 'digest':
		case 'tag@digest':
			return look(kind.digest)
		case 'tag':
			return look(kind.tag)
		case 'range': {
			// a range that could be a tag is tried as one first; whatever fails, the tags are listed
			const exact = isTag(kind.range) ? await look(kind.range) : undefined
			if (exact?.ok === true) return exact
			let tags
			try {
				tags = await store.tags({ signal })
			} catch (error) {
				return fail(
					`failed to resolve revision "${revision}": error fetching tags: failed to get tags: ${describe(error)}`,
				)
			}
			const chosen = resolveRange(kind.range, tags ?? [])
			if (chosen.found) return look(chosen.tag)
			return fail(resolutionMessage(revision, { kind: 'range', argocdMessage: chosen.argocdMessage }))
		}
	}
}
