import { initProject } from '../../flows/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'

export interface InitFlags extends CommonFlags {
	readonly name?: string
	readonly force?: boolean
}

export async function init({ output, cwd }: Invocation, flags: InitFlags): Promise<void> {
	const result = initProject({ root: cwd, name: flags.name, force: flags.force })
	const { style } = output
	const text = [
		...result.written.map((path) => `${style.green('wrote')}  ${path}`),
		...result.kept.map((path) => `${style.dim('kept')}   ${path}`),
		'',
		`Next: ${style.bold('lading up')}`,
	].join('\n')
	output.answer({ text, document: { init: result } })
}
