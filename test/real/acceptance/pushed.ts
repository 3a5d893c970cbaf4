import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Registry } from '../stack/index.ts'
import { type Case, cases } from './cases/index.ts'
import { type Question, type Answer, ask } from './judge.ts'
import { type CaseRegistry, startCaseRegistry } from './registry.ts'

/** Where a case is, once it has been pushed. */
export interface Place {
	readonly repoURL: string
	readonly revision: string
	/** For `lading check`. */
	readonly reference: string
}

/** All cases in a registry, and a workspace beside it. */
export class PushedCases {
	readonly registry: CaseRegistry
	/** A workspace of lading; ends with {@link close}. */
	readonly directory: string
	readonly #places: ReadonlyMap<string, Place>

	private constructor(directory: string, registry: CaseRegistry) {
		this.directory = directory
		this.registry = registry
		this.#places = new Map(
			cases.map((each) => {
				const [content] = Object.values(registry.push(each.name, each.tags))
				const { host } = registry
				return [each.name, placeOf(each, { host, digest: content?.root.digest ?? '' })] as const
			}),
		)
	}

	/** The certificate is of the authority of the stack's own registry. */
	static async start({ caPath = '' }: Registry): Promise<PushedCases> {
		const directory = mkdtempSync(join(tmpdir(), 'acceptance-'))
		return new PushedCases(directory, await startCaseRegistry(dirname(caPath)))
	}

	place({ name }: Case): Place {
		const found = this.#places.get(name)
		if (!found) throw new Error(`${name} was not pushed`)
		return found
	}

	/** What a judge says of cases. @throws Error when it leaves one out */
	async ask(
		program: string,
		asked: readonly Case[],
		env: NodeJS.ProcessEnv,
	): Promise<(each: Case) => Answer> {
		const tlsDirectory = join(this.directory, 'tls')
		mkdirSync(tlsDirectory, { recursive: true })
		copyFileSync(this.registry.caPath, join(tlsDirectory, '127.0.0.1'))
		const answers = await ask(
			program,
			asked.map((each) => this.#question(each)),
			{ tlsDirectory, env },
		)
		return ({ name }) => {
			const answer = answers.get(name)
			if (!answer) throw new Error(`${program} does not answer for ${name}`)
			return answer
		}
	}

	#question(each: Case): Question {
		const { name, path = '.', recurse = false, include = '', exclude = '' } = each
		return { id: name, ...this.place(each), ca: this.registry.caPath, path, recurse, include, exclude }
	}

	async close(): Promise<void> {
		await this.registry.close()
		rmSync(this.directory, { recursive: true, force: true })
	}
}

function placeOf(each: Case, { host, digest }: { readonly host: string; readonly digest: string }): Place {
	const { revision = 'v1', repoURL = (at): string => `oci://${at}/${each.name}` } = each
	const asked = typeof revision === 'string' ? revision : revision({ host, digest })
	return { repoURL: repoURL(host), revision: asked, reference: `${host}/${each.name}@${digest}` }
}
