export {
	downloadManifest,
	imageOf,
	manifestUrl,
	parseManifest,
	readArgocdVersion,
} from './argocd-manifest.ts'
export type { ArgocdManifest } from './argocd-manifest.ts'
export { createDocker } from './docker.ts'
export type { Container, Docker } from './docker.ts'
export { installArgocd } from './install-argocd.ts'
export type { InstallOptions } from './install-argocd.ts'
export { createKind } from './kind-tool.ts'
export type { Kind } from './kind-tool.ts'
export { lookAtKind } from './look.ts'
export type { KindFacts, NodeFacts, Seen } from './look.ts'
export { clusterLabel, markedNodes } from './node-mark.ts'
export { ensureNodeRegistry, readsCertsDirectory } from './node-registry.ts'
export type { NodeRegistry } from './node-registry.ts'
export {
	attach,
	ensureRegistryContainer,
	isOfProject,
	projectLabel,
	REGISTRY_PORT,
	renewCertificate,
} from './registry-container.ts'
export type { RegistryContainerSpec } from './registry-container.ts'
export { createToolRunner } from './run-tool.ts'
export type { RunTool } from './run-tool.ts'
export { waitUntilReady } from './wait-until-ready.ts'
export type { ReadyOptions, ReadyProgress } from './wait-until-ready.ts'
