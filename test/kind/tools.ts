import { type Ended, program, type Project } from '../e2e/program.ts'

/** Runs a program and fails the test unless it ends with 0. @returns stdout, trimmed */
export async function ok(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
	const { code, stdout, stderr } = await program(command, args, { cwd })
	if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
	return stdout.trim()
}

export async function kubectl({ directory }: Project, ...args: readonly string[]): Promise<string> {
	return await ok(directory, 'kubectl', '--kubeconfig', `${directory}/.lading/kubeconfig`, ...args)
}

export async function docker(...args: readonly string[]): Promise<string> {
	return await ok('/', 'docker', ...args)
}

/** Says on stderr how long something took, when it went well. */
export async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
	const started = performance.now()
	const result = await run()
	process.stderr.write(`${what} took ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
	return result
}

/** Names of what there is of a kind: `docker KIND ls`. */
export async function namesOf(kind: 'container' | 'volume' | 'network'): Promise<readonly string[]> {
	const field = kind === 'container' ? '{{.Names}}' : '{{.Name}}'
	const all = kind === 'container' ? ['--all'] : []
	const text = await docker(kind, 'ls', ...all, '--format', field)
	return text.split('\n').filter((name) => name !== '')
}

export interface Finding {
	readonly check: string
	readonly subject?: string
	readonly status: string
	readonly seen: string
	readonly why?: string
	readonly fix?: string
}

/** The faults that the doctor finds, however it ends. */
export async function faultsOf(run: () => Promise<Ended>): Promise<readonly Finding[]> {
	const { stdout, stderr } = await run()
	const { findings } = JSON.parse(stdout) as { readonly findings?: readonly Finding[] }
	if (findings === undefined) throw new Error(`the doctor found nothing to say:\n${stdout}${stderr}`)
	return findings.filter(({ status }) => status === 'fault')
}
