import { planUntag, readReference } from '../../flows/index.ts'
import type { Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'
import { carryOut, type RemovalFlags } from './removal.ts'

export type UntagFlags = RemovalFlags

export async function untag(invocation: Invocation, flags: UntagFlags, ...words: string[]): Promise<number> {
	const session = sessionOf(invocation)
	const plan = await planUntag(
		session,
		words.map((text) => readReference(session, text)),
		{
			access: await accessOf(invocation, flags),
			cluster: clusterOf(invocation, flags, await invocation.config()),
		},
	)
	return await carryOut(invocation, flags, { session, plan, command: 'untag' })
}
