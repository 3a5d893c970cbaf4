import { UserError } from '../../errors/index.ts'
import { completionScripts } from '../completion-scripts.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'

export type CompletionFlags = CommonFlags

export async function completion(
	{ output }: Invocation,
	_flags: CompletionFlags,
	shell: string,
): Promise<void> {
	const script = completionScripts[shell]
	if (script === undefined) {
		throw new UserError('USAGE', `there is no completion for "${shell}"`, {
			hint: `The shells are: ${Object.keys(completionScripts).join(', ')}.`,
		})
	}
	output.answer({ text: script, document: { shell, script } })
}
