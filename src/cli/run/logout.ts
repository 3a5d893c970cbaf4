import { logout as logoutFlow, readLoginPlace } from '../../flows/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { sessionOf } from '../session.ts'

export type LogoutFlags = CommonFlags

export async function logout(invocation: Invocation, _flags: LogoutFlags, host: string): Promise<void> {
	const session = sessionOf(invocation)
	const { registry } = readLoginPlace(session, host)
	const removed = await logoutFlow(session, registry)
	invocation.output.answer({
		text:
			removed.length === 0
				? `No credential for ${registry} was kept.`
				: `Signed out of ${registry} (${removed.map(({ place }) => place).join(', ')}).`,
		document: { logout: { registry, removed } },
	})
}
