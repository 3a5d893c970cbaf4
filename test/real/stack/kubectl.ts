import { join } from 'node:path'
import { program } from '../../e2e/program.ts'

export interface KubectlConnection {
	/** Where kubectl is. */
	readonly bin: string
	readonly kubeconfig: string
}

/** Runs the kubectl of the stack. @returns stdout, trimmed @throws Error unless the exit code is 0 */
export async function kubectl(
	{ bin, kubeconfig }: KubectlConnection,
	args: readonly string[],
	input = '',
): Promise<string> {
	const env = { KUBECONFIG: kubeconfig, KUBECACHEDIR: `${kubeconfig}.cache`, NO_PROXY: '*', GOGC: 'off' }
	const ended = await program(join(bin, 'kubectl'), args, { cwd: join(kubeconfig, '..'), env, input })
	if (ended.code !== 0)
		throw new Error(`kubectl ${args.join(' ')} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
	return ended.stdout.trim()
}
