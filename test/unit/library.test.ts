import { describe, expect, it } from 'vitest'
import { routesFor } from '../../src/cli/routes.ts'
import * as library from '../../src/index.ts'

/** The function of a command that is not called like it. */
const NAMES: Readonly<Record<string, string | undefined>> = {
	delete: 'deleteArtifact',
	'registry serve': 'serveRegistry',
	'registry token create': 'createRegistryToken',
	'registry token list': 'listRegistryTokens',
	'registry token revoke': 'revokeRegistryTokens',
	'cluster serve': 'serveSandbox',
}

/** Commands that are about the command line itself. */
const WITHOUT: ReadonlySet<string> = new Set(['completion'])

function commandsOf(map: ReturnType<typeof routesFor>, words: readonly string[] = []): readonly string[] {
	return map.getAllEntries().flatMap(({ name, target }) => {
		const path = [...words, name.original]
		return 'getAllEntries' in target ? commandsOf(target, path) : [path.join(' ')]
	})
}

const nameOf = (command: string): string =>
	NAMES[command] ?? command.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase())

describe('the library', () => {
	it('knows the commands', () => {
		expect(commandsOf(routesFor())).toContain('registry token create')
	})

	it.each(commandsOf(routesFor()).filter((command) => !WITHOUT.has(command)))(
		'does what "%s" does',
		(command) => {
			expect(library).toHaveProperty(nameOf(command), expect.any(Function))
		},
	)
})

describe('a function of the library', () => {
	it.each([
		['a path that is missing', () => library.push({ reference: 'a:v1' } as library.PushOptions), 'USAGE'],
		['a reference that is none', () => library.inspect({ reference: 'host:5000/A b' }), 'REFERENCE_INVALID'],
		['no registry', () => library.inspect({ reference: 'shop:v1' }), 'REGISTRY_UNKNOWN'],
		['a directory that is not there', () => library.check({ what: './none' }), 'DIRECTORY_INVALID'],
		[
			'a version of Argo CD that is none',
			() => library.check({ what: 'sample-manifests', version: 'x' }),
			'USAGE',
		],
		['a cluster that is none', () => library.status({ cluster: 'moon' }), 'USAGE'],
		['nothing that runs', () => library.registryStatus(), 'NOT_RUNNING'],
		[
			'a name of a token that is none',
			() => library.createRegistryToken({ name: '\u001b[2J', right: 'read' }),
			'USAGE',
		],
		[
			'nothing at a time',
			() => library.save({ references: ['127.0.0.1:1/a:v1'], target: 'a.tar', concurrency: 0 }),
			'USAGE',
		],
		[
			'a manifest in the place of its directory',
			() => library.check({ what: 'lading.yaml' }),
			'DIRECTORY_INVALID',
		],
		[
			'a password in the name of a registry',
			() => library.logout({ registry: 'https://ann:secret@registry.test' }),
			'REFERENCE_INVALID',
		],
		['a cluster that is made elsewhere', () => library.clusterUp({ cluster: 'context:x' }), 'USAGE'],
	])('answers %s with an error that has a code', async (_, call, code) => {
		await expect(call()).rejects.toSatisfy(
			(error) =>
				error instanceof library.LadingError &&
				error.code === code &&
				error.hint !== undefined &&
				!/secret/.test(error.message),
		)
	})

	it.each([
		['registryStatus', () => library.registryStatus()],
		['dev', () => library.dev({ directory: 'sample-manifests', cluster: 'sandbox', onEvent: () => {} })],
	])('%s says what the command says where no registry runs, nor can be started', async (_, call) => {
		await expect(call()).rejects.toMatchObject({
			code: 'NOT_RUNNING',
			hint: expect.stringMatching(/"lading registry up" starts it\..*"lading registry status --data DIR"/),
		})
	})

	it('does not begin after an abort', async () => {
		const signal = AbortSignal.abort()
		await expect(library.check({ what: 'sample-manifests', signal })).rejects.toMatchObject({
			code: 'INTERRUPTED',
		})
	})

	it('takes a project that is elsewhere', async () => {
		await expect(library.check({ cwd: 'sample-manifests', what: '.' })).resolves.toMatchObject({
			accepted: true,
			findings: [],
		})
	})
})
