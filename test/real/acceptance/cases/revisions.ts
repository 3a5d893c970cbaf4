import type { Case } from './case.ts'
import { good, plain, configMap } from './case.ts'

const version = (name: string) => plain({ path: 'one.yaml', content: configMap(name) })
const tagged = (...names: readonly string[]) =>
	Object.fromEntries(names.map((tag, index) => [tag, version(`c${index}`)]))
const some = tagged('1.0.0', '1.2.0', 'v1.5.0', '0.9.0-rc.1', 'latest', '2.0.0-beta')

const from = (name: string, revision: Case['revision'], tags: Case['tags'] = some): Case => ({
	name: `revision-${name}`,
	tags,
	...(revision !== undefined && { revision }),
})
const at = (name: string, repoURL: (host: string) => string): Case => ({
	name: `url-${name}`,
	tags: { v1: good },
	repoURL,
})

const ZERO = `sha256:${'0'.repeat(64)}`

/** What a revision names; no rule of the table, but lading foretells it all the same. */
export const revisionCases: readonly Case[] = [
	from('tag', '1.0.0'),
	from('latest', 'latest'),
	from('missing', '9.9.9'),
	from('head', 'HEAD'),
	from('empty', ''),
	from('caret', '^1.0.0'),
	from('wildcard', '1.x'),
	from('tilde', '~1.2'),
	from('comparison', '>=1.0.0 <1.3.0'),
	from('star', '*'),
	from('either', '~0.9 || ~1.2'),
	from('short', '1.2'),
	from('without-v', '1.5.0'),
	from('with-v', 'v1.2.0'),
	from('no-match', '^9.0.0'),
	from('pre-release-not', '^0.9.0'),
	from('pre-release', '^0.9.0-0'),
	from('calver', '>=1.0.0', tagged('1.0.0', '2024.01.02', '20240102')),
	from('calver-star', '*', tagged('1.0.0', '2024.01.02')),
	from('build-metadata', '^1.0.0', tagged('1.2.0', '1.3.0_build.5')),
	from('build-metadata-exact', '1.3.0_build.5', tagged('1.3.0_build.5')),
	from('plus', '1.3.0+build.5', tagged('1.3.0_build.5')),
	from('words', '^1.0.0', tagged('latest', 'main')),
	from('a-tag-like-a-range', '1.x', tagged('1.x', '1.2.0')),
	from('slash', 'feature/x'),
	from('colon', 'a:b'),
	from('space', 'a b'),
	from('digest', ({ digest }) => digest, { v1: good }),
	from('digest-missing', ZERO),
	from('digest-short', 'sha256:abc'),
	from('digest-sha512', `sha512:${'0'.repeat(128)}`),
	from('tag-at-digest', ({ digest }) => `1.0.0@${digest}`, { v1: good }),
	from('at-digest', ({ digest }) => `@${digest}`, { v1: good }),
	from('tag-at-digest-missing', `1.0.0@${ZERO}`),
	from('whole-reference', ({ host }) => `${host}/revision-whole-reference:1.0.0`),
	from('other-reference', ({ host }) => `${host}/elsewhere:1.0.0`),
	at('missing-repository', (host) => `oci://${host}/no-such-repository`),
	at('capitals', (host) => `oci://${host}/Team/App`),
	at('slash', (host) => `oci://${host}/url-slash/`),
	at('no-repository', (host) => `oci://${host}`),
	at('tag', (host) => `oci://${host}/url-tag:v9`),
	at('digest', (host) => `oci://${host}/url-digest@${ZERO}`),
	at('user', (host) => `oci://ann:secret@${host}/url-user`),
	at('refused', () => 'oci://127.0.0.1:1/app'),
]
