import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** What a judge is asked about; `test/real/judge` has the other side. */
export interface Question {
	readonly id: string
	readonly repoURL: string
	readonly revision: string
	/** File of the CA, for the judges of older versions. */
	readonly ca: string
	readonly path: string
	readonly recurse: boolean
	readonly include: string
	readonly exclude: string
}

export interface JudgedObject {
	readonly apiVersion: string
	readonly kind: string
	readonly namespace?: string
	readonly name: string
}

export interface Answer {
	readonly id: string
	readonly digest?: string
	readonly sourceType?: string
	readonly objects?: readonly JudgedObject[]
	/** Of older versions: what was extracted. */
	readonly files?: readonly string[]
	readonly links?: Readonly<Record<string, string>>
	readonly error?: string
}

/**
 * Puts all questions to a judge at once.
 * @param options.tlsDirectory a file for each host, with the CA that is trusted for it
 * @throws Error when it ends early
 */
export async function ask(
	program: string,
	questions: readonly Question[],
	options: { readonly tlsDirectory: string; readonly env: NodeJS.ProcessEnv },
): Promise<ReadonlyMap<string, Answer>> {
	const env = {
		...options.env,
		ARGOCD_TLS_DATA_PATH: options.tlsDirectory,
		ARGOCD_GPG_ENABLED: 'false',
		NO_PROXY: '*',
	}
	const child = spawn(program, { env, stdio: ['pipe', 'pipe', 'pipe'] })
	const ended = new Promise<number | null>((resolve, reject) => {
		child.once('error', reject)
		child.once('close', resolve)
	})
	child.stdin.on('error', () => {})
	child.stdin.end(questions.map((each) => `${JSON.stringify(each)}\n`).join(''))
	const [code, output, said] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
	if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`)
	const answers = output
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line) as Answer)
	return new Map(answers.map((each) => [each.id, each]))
}
