export { diagnose } from './doctor.ts'
export type {
	DoctorContext,
	DoctorCredential,
	DoctorPorts,
	DoctorRegistry,
	Finding,
	FindingStatus,
	MachineFacts,
} from './check.ts'
export { diagnoseServer } from './server-checks.ts'
export type { ArgocdServer, ServerChecks } from './server-checks.ts'
export { describeCertificate, readServerCertificate } from './server-certificate.ts'
export type { ServerCertificate } from './server-certificate.ts'
export { readHistory, readStatus } from './status.ts'
export { readUnhealthyTree } from './unhealthy-tree.ts'
export { readUnhealthy } from './unhealthy.ts'
export type { ReadUnhealthy, UnhealthyResource } from './unhealthy.ts'
export type { ApplicationState, HistoryEntry, ResolveTag, StatusOptions } from './status.ts'
