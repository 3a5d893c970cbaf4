import type { KubeObject } from '../../cluster/index.ts'
import { fieldsAt, listAt, textAt } from './object-fields.ts'

/** Where the kinds that run containers keep the specification of their pods. */
const POD_SPECS: readonly (readonly string[])[] = [
	['spec'],
	['spec', 'template', 'spec'],
	['spec', 'jobTemplate', 'spec', 'template', 'spec'],
]

/** The images an object runs, sorted, each once. @see gitops-engine pkg/utils/kube GetResourceImages */
export function imagesOf(object: KubeObject): readonly string[] {
	const images = new Set<string>()
	for (const path of POD_SPECS) {
		const spec = fieldsAt(object, ...path)
		for (const list of ['containers', 'initContainers']) {
			for (const container of listAt(spec, list)) {
				const image = textAt(container, 'image')
				if (image !== '') images.add(image)
			}
		}
	}
	return [...images].sort()
}
