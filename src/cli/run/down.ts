import { existsSync } from 'node:fs'
import { down as downFlow, type DownResult } from '../../flows/index.ts'
import { countOf } from '../../output/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { sessionOf } from '../session.ts'

export interface DownFlags extends CommonFlags {
	readonly keepRegistry?: boolean
	readonly force?: boolean
}

export async function down(invocation: Invocation, flags: DownFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	if (!existsSync(workspace.directory)) {
		const result: DownResult = {
			applications: [],
			sandbox: false,
			kind: 'absent',
			registry: 'absent',
			artifacts: 0,
		}
		output.answer({ text: 'Nothing to remove.', document: { down: result } })
		return
	}
	const session = sessionOf(invocation)
	const result = await workspace.exclusive(
		async () => await downFlow(session, { keepRegistry: flags.keepRegistry, force: flags.force }),
		{ signal },
	)
	const nothing =
		!result.sandbox &&
		result.kind === 'absent' &&
		result.registry !== 'removed' &&
		result.applications.length === 0
	const kept = result.registry === 'kept' ? ' The registry goes on: lading registry status' : ''
	output.answer({
		text: nothing
			? `Nothing to remove.${kept}`
			: `Removed${result.registry === 'removed' ? `, with ${countOf(result.artifacts, 'artifact')}` : ''}.${kept}`,
		document: { down: result },
	})
}
