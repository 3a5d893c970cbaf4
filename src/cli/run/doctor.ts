import { doctor as doctorFlow, stateFault } from '../../flows/index.ts'
import { formatFindings } from '../../output/index.ts'
import { exitCodes } from '../exit-codes.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface DoctorFlags extends CommonFlags, ClusterFlags, RegistryFlags {}

export async function doctor(
	invocation: Invocation,
	flags: DoctorFlags,
	name: string | undefined,
): Promise<number> {
	const { output } = invocation
	const session = sessionOf(invocation)
	const unreadable = stateFault(session)
	const findings = unreadable
		? [unreadable]
		: await doctorFlow(session, {
				...clusterOf(invocation, flags, await invocation.config()),
				names: name === undefined ? [] : [name],
				access: await accessOf(invocation, flags),
				nodeVersion: invocation.context.nodeVersion,
				now: Date.now,
			})
	output.answer({ text: formatFindings(findings, output.style), document: { findings } })
	return findings.some(({ status }) => status === 'fault') ? exitCodes.no : 0
}
