import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, connectCluster, type KubeObject } from '../../../src/cluster/index.ts'
import { createProject, type Project, type ProjectOptions } from '../../e2e/program.ts'
import type { ArgoCd } from './argocd.ts'
import { ladingHere } from './in-process.ts'
import { kubectl } from './kubectl.ts'
import { apiServerHealth, type Kubernetes } from './kubernetes.ts'
import { type Registry, registryHealth, type RegistryOptions, startRegistry } from './registries.ts'
import { type ProcessState, Supervisor } from './supervisor.ts'
import { type Health, untilReady } from './until.ts'

/** What runs, as plain data: it goes from the process that started it to those of the tests. */
export interface StackData {
	readonly directory: string
	/** Who speaks with the parent of its processes: see {@link Supervisor}. */
	readonly parent: { readonly run: string; readonly scope?: string }
	/** Where the programs are: kubectl, argocd, oras, helm, kustomize, … */
	readonly bin: string
	/** Where the judges of `test/real/judge` are: judge, judge-3.5.7, … */
	readonly judges: string
	readonly kubernetes: Kubernetes
	readonly argocd: ArgoCd
	readonly registries: {
		/** TLS. */
		readonly tls: Registry
		/** TLS and a password. */
		readonly auth: Registry
		/** Plain HTTP. */
		readonly http: Registry
	}
}

/** The stack, or what this machine lacks for it. */
export type Provided = { readonly stack: StackData } | { readonly missing: string }

declare module 'vitest' {
	export interface ProvidedContext {
		readonly real: Provided
	}
}

export interface StackProcess {
	/** SIGTERM unless told otherwise, and SIGKILL after five seconds; resolves when it has ended. */
	stop(signal?: NodeJS.Signals): Promise<void>
	/** Stopped if it runs, started with the same flags and ports; resolves when it answers. */
	restart(env?: Readonly<Record<string, string>>): Promise<void>
	/** It stays there and answers nobody, until {@link resume}. */
	pause(): Promise<void>
	resume(): Promise<void>
	state(): Promise<ProcessState>
	/** All it has written. */
	log(): string
}

/** The stack as a test sees it. */
export class Stack {
	readonly data: StackData
	readonly kubernetes: Kubernetes
	readonly argocd: ArgoCd
	readonly registries: StackData['registries']
	/** For `--cluster`. */
	readonly cluster: string
	readonly #supervisor: Supervisor
	readonly #health = new Map<string, Health>()
	#api: Promise<Cluster> | undefined

	constructor(data: StackData) {
		this.data = data
		this.kubernetes = data.kubernetes
		this.argocd = data.argocd
		this.registries = data.registries
		this.cluster = `context:${data.kubernetes.context}`
		this.#supervisor = new Supervisor(data.parent.run, data.parent.scope)
		this.#health.set('kube-apiserver', apiServerHealth(data.kubernetes))
		for (const [name, health] of Object.entries(data.argocd.health)) this.#health.set(name, health)
		for (const registry of Object.values(data.registries))
			this.#health.set(registry.name, registryHealth(registry))
	}

	/** A directory that ends with the run. */
	directory(name = 'test'): string {
		return mkdtempSync(join(this.data.directory, `${name}-`))
	}

	/** Where the built program runs: an empty directory, with the stack's kubeconfig in KUBECONFIG. */
	project(env: Readonly<Record<string, string>> = {}): Project {
		return createProject(this.#projectOptions(env))
	}

	/** The same, for what is not about the process: its commands run in this one. */
	projectHere(env: Readonly<Record<string, string>> = {}): Project {
		return createProject({ ...this.#projectOptions(env), start: ladingHere })
	}

	#projectOptions(env: Readonly<Record<string, string>>): ProjectOptions {
		return {
			empty: true,
			parent: this.data.directory,
			env: { KUBECONFIG: this.kubernetes.kubeconfig, ...env },
		}
	}

	/** @returns stdout, trimmed @throws Error unless the exit code is 0 */
	kubectl(...args: readonly string[]): Promise<string> {
		return kubectl({ bin: this.data.bin, kubeconfig: this.kubernetes.kubeconfig }, args)
	}

	/** For what a test only wants to see or to have: a kubectl costs a process, and reads all types first. */
	api(): Promise<Cluster> {
		const { kubeconfig, context } = this.kubernetes
		this.#api ??= connectCluster({ kubeconfig, context })
		return this.#api
	}

	/** As `kubectl apply --server-side --force-conflicts` of each: whoever has set a field before loses it. */
	async apply(...objects: readonly object[]): Promise<void> {
		const api = await this.api()
		for (const object of objects)
			await api.apply(object as KubeObject, {
				fieldManager: 'kubectl',
				force: true,
				fieldValidation: 'Strict',
				namespace: 'default',
			})
	}

	/** A process of the stack by name: `kube-apiserver`, `repo-server`, … or that of a registry. */
	process(name: string): StackProcess {
		const supervisor = this.#supervisor
		const health = this.#health.get(name)
		return {
			stop: (signal) => supervisor.stop(name, signal),
			async restart(env) {
				await supervisor.restart(name, env)
				if (health) await untilReady(supervisor, name, health)
			},
			pause: () => supervisor.signal(name, 'SIGSTOP'),
			resume: () => supervisor.signal(name, 'SIGCONT'),
			state: () => supervisor.state(name),
			log: () => supervisor.log(name),
		}
	}

	/** Starts and resumes whatever a test that failed has left stopped or paused. */
	async mend(): Promise<void> {
		for (const name of await this.#supervisor.names()) {
			const each = this.process(name)
			await each.resume()
			if (!(await each.state()).running) await each.restart()
		}
	}

	/** One more registry, for a test that stops it or changes its certificate. */
	async startRegistry(options: RegistryOptions): Promise<Registry> {
		const registry = await startRegistry({ supervisor: this.#supervisor, bin: this.data.bin }, options)
		this.#health.set(registry.name, registryHealth(registry))
		return registry
	}

	/** A free port that nothing else is given. */
	port(): Promise<number> {
		return this.#supervisor.port()
	}
}
