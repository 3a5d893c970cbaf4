import { baseName, compareNames, parentPath } from './go-path.ts'
import type { ExtractedFiles } from './extract-tree.ts'

export type SourceType = 'Directory' | 'Kustomize' | 'Helm'

const KUSTOMIZATIONS: ReadonlySet<string> = new Set([
	'kustomization.yaml',
	'kustomization.yml',
	'Kustomization',
])

/**
 * What Argo CD takes a directory for. The last file by name decides, and any name
 * that ends in `Chart.yaml` counts. Plugins of an installation are not known here.
 * @see argo-cd util/app/discovery/discovery.go
 */
export function detectSourceType(files: ExtractedFiles, path = '.'): SourceType {
	const names = [...files]
		.filter(([each, node]) => node.type !== 'directory' && parentPath(each) === path)
		.map(([each]) => baseName(each))
		.toSorted(compareNames)
	let type: SourceType = 'Directory'
	for (const name of names) {
		if (name.endsWith('Chart.yaml')) type = 'Helm'
		if (KUSTOMIZATIONS.has(name)) type = 'Kustomize'
	}
	return type
}
