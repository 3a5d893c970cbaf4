import { KUBERNETES } from './programs.ts'

/** As the images are called in the engine. */
export const NODE_IMAGE: string = `lading-test/kind-node:${KUBERNETES}`
export const REGISTRY_IMAGE = 'registry:3'

/** Says to a test file, as JSON, what is there. */
export const MACHINE_VARIABLE = 'LADING_TEST_KIND'

/** What the tests have beside an engine of Docker's on the default socket, and kind and kubectl on PATH. */
export interface Machine {
	/** For `kind create cluster --image`; one node only, with all images that its Pods will ask for. */
	readonly nodeImage: string
	/** The registry of the distribution project, under the name of the real image. */
	readonly registryImage: string
	/** Path of Argo CD's own manifest, unmodified. */
	readonly argocdManifest: string
	/** Its version, without `v`. */
	readonly argocdVersion: string
}

/** @throws Error outside `npm run test:kind` */
export function machine(): Machine {
	const text = process.env[MACHINE_VARIABLE]
	if (text === undefined) throw new Error('these tests run in namespaces of their own: npm run test:kind')
	return JSON.parse(text) as Machine
}
