import type { KubeObject } from '../../cluster/index.ts'
import { Annotation, annotationValues, hasOption, optionValue } from './annotations.ts'

type Propagation = 'Foreground' | 'Background' | 'Orphan'

/** What an operation and the sync options of its application ask for. */
export interface SyncOptions {
	readonly prune: boolean
	readonly dryRun: boolean
	readonly force: boolean
	readonly skipHooks: boolean
	readonly createNamespace: boolean
	readonly replace: boolean
	readonly serverSideApply: boolean
	readonly pruneLast: boolean
	readonly applyOutOfSyncOnly: boolean
	readonly skipDryRunOnMissingResource: boolean
	readonly respectIgnoreDifferences: boolean
	readonly failOnSharedResource: boolean
	readonly propagation: Propagation
	/** Value of the application's own `Prune=` option, `false` or `confirm`. */
	readonly defaultPrune: string | undefined
	/** Whether a person confirmed what needs confirmation. */
	readonly pruneConfirmed: boolean
}

export function parseSyncOptions(
	options: readonly string[],
	operation: Pick<SyncOptions, 'prune' | 'dryRun' | 'force' | 'skipHooks' | 'pruneConfirmed'>,
): SyncOptions {
	const has = (option: string): boolean => options.includes(option)
	return {
		...operation,
		createNamespace: has('CreateNamespace=true'),
		replace: has('Replace=true'),
		serverSideApply: has('ServerSideApply=true'),
		pruneLast: has('PruneLast=true'),
		applyOutOfSyncOnly: has('ApplyOutOfSyncOnly=true'),
		skipDryRunOnMissingResource: has('SkipDryRunOnMissingResource=true'),
		respectIgnoreDifferences: has('RespectIgnoreDifferences=true'),
		failOnSharedResource: has('FailOnSharedResource=true'),
		propagation: has('PrunePropagationPolicy=background')
			? 'Background'
			: has('PrunePropagationPolicy=orphan')
				? 'Orphan'
				: 'Foreground',
		defaultPrune: optionValue(options, 'Prune'),
	}
}

/** The value of `Prune=` that holds for one live object. */
function pruneOption(live: KubeObject | undefined, options: SyncOptions): string | undefined {
	return optionValue(annotationValues(live, Annotation.syncOptions), 'Prune') ?? options.defaultPrune
}

export function isPruneDisabled(live: KubeObject | undefined, options: SyncOptions): boolean {
	return pruneOption(live, options) === 'false'
}

export function needsPruneConfirmation(live: KubeObject | undefined, options: SyncOptions): boolean {
	return !options.pruneConfirmed && pruneOption(live, options) === 'confirm'
}

/** How one object is applied: its own annotation goes over the application's option. */
export function applyStrategy(
	target: KubeObject,
	context: { readonly live: KubeObject | undefined; readonly options: SyncOptions },
): { readonly replace: boolean; readonly force: boolean; readonly serverSide: boolean } {
	const annotated = (option: string): boolean =>
		hasOption(target, Annotation.syncOptions, option) ||
		hasOption(context.live, Annotation.syncOptions, option)
	const serverSideOff = hasOption(target, Annotation.syncOptions, 'ServerSideApply=false')
	return {
		replace: context.options.replace || annotated('Replace=true'),
		force: context.options.force || annotated('Force=true'),
		serverSide:
			!serverSideOff &&
			(context.options.serverSideApply || hasOption(target, Annotation.syncOptions, 'ServerSideApply=true')),
	}
}
