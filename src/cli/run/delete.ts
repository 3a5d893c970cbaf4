import { planDelete, readReference } from '../../flows/index.ts'
import type { Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'
import { carryOut, type RemovalFlags } from './removal.ts'

export type DeleteFlags = RemovalFlags

export async function deleteArtifact(
	invocation: Invocation,
	flags: DeleteFlags,
	text: string,
): Promise<number> {
	const session = sessionOf(invocation)
	const plan = await planDelete(session, readReference(session, text), {
		access: await accessOf(invocation, flags),
		cluster: clusterOf(invocation, flags, await invocation.config()),
	})
	return await carryOut(invocation, flags, { session, plan, command: 'delete' })
}
