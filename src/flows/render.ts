import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type DeployedResource, resourcesOf } from '../argocd/index.ts'
import type { Tree } from '../artifact/index.ts'
import { findRenderer, judgeLink, parseManifests, toResources } from '../manifests/index.ts'
import type { Session } from './session.ts'
import type { Subject } from './subject.ts'

/** What Kustomize or Helm makes of a subject; `undefined` where no tool for it is installed. */
export async function renderSubject(
	{ env, signal }: Session,
	subject: Subject,
	{
		sourceType,
		path = '.',
	}: { readonly sourceType: 'Kustomize' | 'Helm'; readonly path?: string | undefined },
): Promise<readonly DeployedResource[] | undefined> {
	const renderer = findRenderer(sourceType === 'Helm' ? 'helm' : 'kustomize', { environment: env })
	if (!renderer) return undefined
	const rendered = await inDirectory(
		subject,
		async (root) => await renderer.render(join(root, path), { signal }),
	)
	if (!rendered) return undefined
	return toResources(parseManifests(rendered, sourceType)).resources.flatMap(({ object }) =>
		resourcesOf(object),
	)
}

/** Runs a task on the files of a subject, written out for it where they are in a tar. */
async function inDirectory<T>(subject: Subject, task: (root: string) => Promise<T>): Promise<T | undefined> {
	if (subject.kind === 'directory') return await task(subject.set.root)
	const { tree } = subject.facts
	if (!tree) return undefined
	const directory = mkdtempSync(join(tmpdir(), 'lading-'))
	try {
		writeTree(tree, directory)
		return await task(directory)
	} finally {
		rmSync(directory, { recursive: true, force: true })
	}
}

/** Writes files and inner links; whatever leads out of the directory is left out. */
function writeTree(tree: Tree, directory: string): void {
	for (const { path, type, linkTarget } of tree.entries) {
		const name = path.replace(/^(?:\.\/)+/, '')
		if (name.startsWith('/') || name.split('/').includes('..')) continue
		const target = join(directory, name)
		if (type === 'file') {
			const bytes = tree.read(path)
			if (!bytes) continue
			mkdirSync(dirname(target), { recursive: true })
			writeFileSync(target, bytes)
		} else if (type === 'symlink' && linkTarget !== undefined && judgeLink(name, linkTarget) === undefined) {
			mkdirSync(dirname(target), { recursive: true })
			symlinkSync(linkTarget, target)
		}
	}
}
