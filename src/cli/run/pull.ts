import { resolve } from 'node:path'
import { pull as pullFlow, readReference } from '../../flows/index.ts'
import { formatReference } from '../../oci/index.ts'
import type { RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, sessionOf } from '../session.ts'

export interface PullFlags extends CommonFlags, RegistryFlags {
	readonly force?: boolean
}

export async function pull(
	invocation: Invocation,
	flags: PullFlags,
	text: string,
	directory: string,
): Promise<void> {
	const session = sessionOf(invocation)
	const result = await pullFlow(session, {
		reference: readReference(session, text),
		directory: resolve(invocation.cwd, directory),
		force: flags.force,
		access: await accessOf(invocation, flags),
	})
	const reference = formatReference({ ...result.reference, tag: undefined })
	invocation.output.answer({ text: reference, document: { ...result, reference, directory } })
}
