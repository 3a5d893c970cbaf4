import { randomBytes, randomUUID } from 'node:crypto'
import type { Cluster } from '../../cluster/index.ts'
import type { Handler } from '../../http/server/index.ts'
import { Catalog, CRD_KEY } from './catalog.ts'
import { apiServiceController } from './controllers/api-service.ts'
import { cronJobController } from './controllers/cron-job.ts'
import { customDefinitionController } from './controllers/custom-definition.ts'
import { daemonSetController } from './controllers/daemon-set.ts'
import { deploymentController } from './controllers/deployment.ts'
import { disruptionBudgetController } from './controllers/disruption-budget.ts'
import { EventRecorder } from './controllers/event-recorder.ts'
import { garbageCollector } from './controllers/garbage-collector.ts'
import { jobController } from './controllers/job.ts'
import { kubelet } from './controllers/kubelet.ts'
import { namespaceController } from './controllers/namespace.ts'
import { replicaSetController } from './controllers/replica-set.ts'
import { ControllerRuntime, type ControllerContext, type Delays } from './controllers/runtime.ts'
import { endpointSliceController } from './controllers/endpoint-slice.ts'
import { outsideWorldController } from './controllers/outside-world.ts'
import { statefulSetController } from './controllers/stateful-set.ts'
import { apiHandler } from './handler.ts'
import { inProcessCluster } from './in-process-cluster.ts'
import { ObjectApi } from './object-api.ts'
import { openPersistence } from './persistence.ts'
import { seed } from './seed-objects.ts'

export interface SandboxOptions {
	/** Where the objects are kept; made with mode 0700. */
	readonly directory: string
	/** The bearer token of the API. */
	readonly token: string
	/** What `/livez` answers in the header `x-lading-instance`. Default: a random one. */
	readonly instance?: string | undefined
	readonly now?: (() => Date) | undefined
	/** Default: pods run after 100 ms, are ready after 100 ms more, and end within 50 ms. */
	readonly delays?: Partial<Delays> | undefined
	/** A control loop that failed: a fault of the sandbox. It goes on at the next change. */
	readonly onFault?: ((error: unknown) => void) | undefined
}

/** A small Kubernetes in memory, kept on disk: a stand-in in which no container runs. */
export interface Sandbox {
	/** The API, for `listen`. */
	readonly handler: Handler
	/** The same API without a socket. */
	readonly cluster: Cluster
	/** Stops the controllers and writes what is left. */
	close(): Promise<void>
}

const DEFAULT_DELAYS: Delays = { startMs: 100, readyMs: 100, stopMs: 50 }

/**
 * Opens the sandbox of a directory: with what was kept there, else with what a new
 * cluster with Argo CD has.
 * @throws UserError `STATE_INVALID`
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
	const now = options.now ?? (() => new Date())
	const persistence = openPersistence(options.directory)
	const { store } = persistence
	const catalog = new Catalog(store)
	for (const definition of store.list(CRD_KEY)) catalog.serve(definition)
	const api = new ObjectApi(store, catalog, { now, uid: randomUUID, suffix })
	const runtime = new ControllerRuntime(api, options.onFault ?? (() => undefined))
	const context: ControllerContext = {
		api,
		events: new EventRecorder(api),
		delays: { ...DEFAULT_DELAYS, ...options.delays },
		now,
		later: (ms, run) => runtime.later(ms, run),
	}
	for (const controller of CONTROLLERS) runtime.add(controller(context))
	runtime.resync(api)
	seed(api)
	return {
		handler: apiHandler(api, { token: options.token, instance: options.instance ?? randomUUID(), now }),
		cluster: inProcessCluster(api),
		close: async () => {
			runtime.close()
			persistence.close()
		},
	}
}

const CONTROLLERS = [
	namespaceController,
	customDefinitionController,
	deploymentController,
	replicaSetController,
	statefulSetController,
	daemonSetController,
	jobController,
	cronJobController,
	kubelet,
	disruptionBudgetController,
	endpointSliceController,
	apiServiceController,
	outsideWorldController,
	garbageCollector,
]

/** Five characters, as generated names end with. */
function suffix(): string {
	const alphabet = 'bcdfghjklmnpqrstvwxz2456789'
	return [...randomBytes(5)].map((byte) => alphabet[byte % alphabet.length] ?? 'x').join('')
}
