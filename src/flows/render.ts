import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ASSUMED_ARGOCD_VERSION, type DeployedResource, isChartLayer, resourcesOf } from '../argocd/index.ts'
import type { Tree, TreeEntry } from '../artifact/index.ts'
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
		async (root) => await renderer.render(join(root, path), { root, signal }),
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
		return await task(isChart(subject) ? onlyEntry(directory) : directory)
	} finally {
		rmSync(directory, { recursive: true, force: true })
	}
}

/** Argo CD strips the one directory of a chart's layer. */
function isChart(subject: Subject): boolean {
	return isChartLayer(subject.facts.manifest, ASSUMED_ARGOCD_VERSION)
}

function onlyEntry(directory: string): string {
	return join(directory, readdirSync(directory)[0] ?? '')
}

/**
 * Writes files and inner links; whatever leads out of the directory, or lies behind a link
 * or a file, is left out. Of entries with one name the last counts.
 */
function writeTree(tree: Tree, directory: string): void {
	const nodes = new Map<string, TreeEntry>()
	for (const entry of tree.entries) {
		const steps = entry.path.split('/').filter((step) => step !== '' && step !== '.')
		if (entry.path.startsWith('/') || steps.includes('..')) continue
		if (entry.type === 'file' || entry.type === 'symlink') nodes.set(steps.join('/'), entry)
	}
	// Links come last, so that nothing is written through one.
	for (const wanted of ['file', 'symlink'] as const) {
		for (const [name, { path, type, linkTarget = '' }] of nodes) {
			if (type !== wanted || parentsOf(name).some((parent) => nodes.has(parent))) continue
			const target = join(directory, name)
			const bytes = type === 'file' ? tree.read(path) : undefined
			const isInside = type === 'symlink' && judgeLink(name, linkTarget) === undefined
			if (bytes || isInside) mkdirSync(dirname(target), { recursive: true })
			if (bytes) writeFileSync(target, bytes)
			else if (isInside) symlinkSync(linkTarget, target)
		}
	}
}

function parentsOf(name: string): readonly string[] {
	const steps = name.split('/').slice(0, -1)
	return steps.map((_, index) => steps.slice(0, index + 1).join('/'))
}
