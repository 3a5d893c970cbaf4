import { refuseInUse, removeArtifacts, type RemovalPlan, type Session } from '../../flows/index.ts'
import { formatRemoval, removalDocument } from '../../output/index.ts'
import { confirm } from '../confirm.ts'
import { exitCodes } from '../exit-codes.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'

export interface RemovalFlags extends CommonFlags, RegistryFlags, ClusterFlags {
	readonly yes?: boolean
	readonly dryRun?: boolean
	readonly force?: boolean
}

interface Removal {
	readonly session: Session
	readonly plan: RemovalPlan
	readonly command: 'delete' | 'untag'
}

/** Says what would go, asks, and does it. @returns an exit code */
export async function carryOut(
	invocation: Invocation,
	flags: RemovalFlags,
	{ session, plan, command }: Removal,
): Promise<number> {
	const { output } = invocation
	const text = formatRemoval(plan, output.style)
	const answer = (removed: boolean): void =>
		output.answer({
			text: removed ? '' : text,
			document: { [command]: { removed, ...removalDocument(plan) } },
		})
	if (flags.dryRun) {
		answer(false)
		return 0
	}
	if (!flags.force) refuseInUse(plan)
	const question = { text: formatRemoval(plan), yes: flags.yes, command: `lading ${command}` }
	if (!(await confirm(invocation, question))) {
		output.progress.note('nothing was removed')
		if (output.json) answer(false)
		return exitCodes.no
	}
	if (flags.yes) for (const line of question.text.split('\n')) output.progress.note(line)
	await removeArtifacts(session, plan)
	answer(true)
	return 0
}
