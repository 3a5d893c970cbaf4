import { existsSync } from 'node:fs'
import type { KubeObject } from '../../cluster/index.ts'
import {
	type ApplicationWish,
	type ClusterChoice,
	dev as devFlow,
	type DevEvent,
	down as downFlow,
	type DownResult,
	initProject,
	type InitResult,
	type KindOptions,
	nameForDirectory,
	type RegistryAccess,
	up as upFlow,
	upObjects as objectsOfUp,
	type UpOptions as UpFlowOptions,
	type UpResult,
} from '../../flows/index.ts'
import type { Annotations } from '../../oci/index.ts'
import { inProject, type LauncherOptions, type Project, type ProjectOptions } from '../project.ts'

export interface InitOptions extends ProjectOptions {
	/** Of the Application. Default: made from the directory's name. */
	readonly name?: string | undefined
	/** Replace a `lading.yaml` that is there. Default false. */
	readonly force?: boolean | undefined
}

export async function init(options: InitOptions = {}): Promise<InitResult> {
	return await inProject(options, async ({ cwd }) => {
		return initProject({ root: cwd, name: options.name, force: options.force })
	})
}

/** How a kind cluster and the Argo CD in it are made. */
export interface KindWish {
	/** Node image. Default: kind's own. */
	readonly nodeImage?: string | undefined
	/** Version of Kubernetes, `1.37.0`: that of kind's published node image. */
	readonly kubernetes?: string | undefined
	/** Path of a kind configuration. */
	readonly kindConfig?: string | undefined
	readonly argocdVersion?: string | undefined
	/** Path of an installation, such as `manifests/install.yaml` of Argo CD: nothing is downloaded. */
	readonly argocdManifest?: string | undefined
}

export interface UpOptions extends ProjectOptions, LauncherOptions, ClusterChoice, ApplicationWish, KindWish {
	/** Path of the manifests. */
	readonly directory: string
	/** Of the Application. Default: made from the directory's name. */
	readonly name?: string | undefined
	/** `[registry/]repository`. Default: the name. */
	readonly repository?: string | undefined
	/** `embedded`, `docker`, or a registry to use instead. Default: the embedded one, and with kind a container. */
	readonly registry?: string | undefined
	/** Tag to push, whatever runs now. */
	readonly tag?: string | undefined
	/** Tag to push unless `deploy` or `sync` has set another. Default `latest`. */
	readonly defaultTag?: string | undefined
	/** Port of the local registry. */
	readonly port?: number | undefined
	/** Image of the registry's container. */
	readonly image?: string | undefined
	readonly annotations?: Annotations | undefined
	/** Patterns of tags that an embedded registry keeps as they are. */
	readonly immutable?: readonly string[] | undefined
	/** Annotate with revision, time and source of the git commit. Default false. */
	readonly git?: boolean | undefined
	/** Move a version tag that has other content. Default false. */
	readonly force?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export async function up(options: UpOptions): Promise<UpResult> {
	return await inProject(options, async (project) => {
		const wish = wishOf(project, options)
		return await project.exclusive(async () => await upFlow(project.session, wish))
	})
}

export async function upObjects(options: UpOptions): Promise<readonly KubeObject[]> {
	return await inProject(options, async (project) => objectsOfUp(wishOf(project, options)))
}

function wishOf(project: Project, options: UpOptions): UpFlowOptions {
	const { cwd: _cwd, env: _env, signal: _signal, progress: _progress, launcher: _launcher, ...wish } = options
	const directory = project.at(options.directory)
	return {
		...wish,
		...project.cluster(options),
		...kindOf(project, options),
		directory,
		name: options.name ?? nameForDirectory(directory),
		access: project.access(options.access),
	}
}

/** Paths of how a kind cluster is made, absolute. */
export function kindOf({ at }: Project, wish: KindWish): Pick<KindOptions, keyof KindWish> {
	const { nodeImage, kubernetes, kindConfig, argocdVersion, argocdManifest } = wish
	return {
		nodeImage,
		kubernetes,
		kindConfig: kindConfig === undefined ? undefined : at(kindConfig),
		argocdVersion,
		argocdManifest: argocdManifest === undefined ? undefined : at(argocdManifest),
	}
}

export interface DevOptions
	extends ProjectOptions, LauncherOptions, KindWish, Omit<UpOptions, 'defaultTag' | 'git'> {
	/** Tag that every save moves. Default `dev`. */
	readonly tag?: string | undefined
	/** Move an Application that follows something else also where the cluster is not this project's own. Default false. */
	readonly force?: boolean | undefined
	/** Told of all that happens. */
	readonly onEvent: (event: DevEvent) => void
}

export async function dev(options: DevOptions): Promise<never> {
	return await inProject(options, async (project) => {
		const { onEvent, ...up } = options
		return await devFlow(project.session, { ...wishOf(project, up), onEvent })
	})
}

export interface DownOptions extends ProjectOptions {
	/** Leave the registry running, with its artifacts. Default false. */
	readonly keepRegistry?: boolean | undefined
	/** Go on where the state file cannot be read or a cluster cannot be reached. Default false. */
	readonly force?: boolean | undefined
}

const NOTHING: DownResult = {
	applications: [],
	sandbox: false,
	kind: 'absent',
	registry: 'absent',
	artifacts: 0,
}

export async function down(options: DownOptions = {}): Promise<DownResult> {
	return await inProject(options, async ({ session, exclusive }) => {
		if (!existsSync(session.workspace.directory)) return NOTHING
		const { keepRegistry, force } = options
		return await exclusive(async () => await downFlow(session, { keepRegistry, force }))
	})
}
