import { join } from 'node:path'
import { program, type Ended, type Project } from '../e2e/program.ts'

export interface Kubectl {
	run(...args: string[]): Promise<Ended>
	/** `run` that fails the test unless the exit code is 0. @returns stdout, trimmed */
	ok(...args: string[]): Promise<string>
	/** Until the output of a command matches: without an end, but for the test's own. */
	until(wanted: RegExp, ...args: string[]): Promise<string>
}

/** The kubectl of this machine over the kubeconfig that `lading up` writes. Fails where there is none. */
export function kubectlOf({ directory }: Project): Kubectl {
	const env = {
		KUBECONFIG: join(directory, '.lading/kubeconfig'),
		KUBECACHEDIR: join(directory, '.kube-cache'),
		NO_PROXY: '*',
	}
	const run = (...args: string[]): Promise<Ended> => program('kubectl', args, { cwd: directory, env })
	const ok = async (...args: string[]): Promise<string> => {
		const ended = await run(...args)
		if (ended.code !== 0)
			throw new Error(`kubectl ${args.join(' ')} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
		return ended.stdout.trim()
	}
	return {
		run,
		ok,
		async until(wanted, ...args) {
			for (;;) {
				const { stdout, stderr } = await run(...args)
				if (wanted.test(stdout + stderr)) return stdout.trim()
			}
		},
	}
}
