import { down as downFlow } from '../../flows/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { sessionOf } from '../session.ts'

export interface DownFlags extends CommonFlags {
	readonly keepRegistry?: boolean
	readonly force?: boolean
}

export async function down(invocation: Invocation, flags: DownFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const result = await workspace.exclusive(
		async () => await downFlow(session, { keepRegistry: flags.keepRegistry, force: flags.force }),
		{ signal },
	)
	const nothing = !result.sandbox && result.registry !== 'removed' && result.applications.length === 0
	const kept = result.registry === 'kept' ? ' The registry goes on: lading registry status' : ''
	const artifacts = `${result.artifacts} ${result.artifacts === 1 ? 'artifact' : 'artifacts'}`
	output.answer({
		text: nothing
			? `Nothing to remove.${kept}`
			: `Removed${result.registry === 'removed' ? `, with ${artifacts}` : ''}.${kept}`,
		document: { down: result },
	})
}
