import type { Application } from '../../argocd/index.ts'
import type { KubeObject, ResourceType } from '../../cluster/index.ts'
import { Annotation, annotationValues, hasOption, optionValue } from './annotations.ts'
import type { ControllerContext, Handled } from './controller-context.ts'
import { groupOf } from './object-fields.ts'
import { keyOf, refFrom } from './resource-key.ts'

const FINALIZER = 'resources-finalizer.argocd.argoproj.io'
const BACKGROUND = `${FINALIZER}/background`
const FOREGROUND = `${FINALIZER}/foreground`
/** Of Argo CD's own hooks around a deletion, which the sandbox does not run. */
const HOOK_FINALIZERS = /^(?:pre|post)-delete-finalizer\.argocd\.argoproj\.io/

const RECHECK_MS = 500

/** Deletes what an application deployed, then lets the application go. @see controller/appcontroller.go finalizeApplicationDeletion */
export async function finalizeDeletion(
	application: Application,
	context: ControllerContext,
): Promise<Handled> {
	const finalizers = application.metadata.finalizers ?? []
	const cascading = [FINALIZER, BACKGROUND, FOREGROUND].some((each) => finalizers.includes(each))
	if (!cascading) {
		const rest = finalizers.filter((each) => !HOOK_FINALIZERS.test(each))
		if (rest.length < finalizers.length) await context.writer.finalizers(application, rest)
		return { application }
	}
	await followKinds(application, context)
	const remaining = context.live
		.trackedBy(application.metadata.name)
		.filter((each) => isDeletable(each, application))
	const propagation = finalizers.includes(BACKGROUND) ? 'Background' : 'Foreground'
	if (remaining.length === 0) {
		const own = finalizers.filter((each) => ![FINALIZER, BACKGROUND, FOREGROUND].includes(each))
		await context.writer.finalizers(
			application,
			own.filter((each) => !HOOK_FINALIZERS.test(each)),
		)
		return { application }
	}
	const standing = remaining.filter((each) => each.metadata.deletionTimestamp === undefined)
	await Promise.all(
		standing.map(async (each) => {
			const there = await context.cluster.delete(refFrom(keyOf(each), each.apiVersion), {
				propagation,
				signal: context.signal,
			})
			if (!there) context.live.forget(keyOf(each))
		}),
	)
	return { application, againAfterMs: RECHECK_MS }
}

/** Also after a restart, when no comparison has named the kinds yet. */
async function followKinds(application: Application, context: ControllerContext): Promise<void> {
	const types = new Map<string, ResourceType>()
	const { resources = [], operationState } = application.status ?? {}
	for (const each of [...resources, ...(operationState?.syncResult?.resources ?? [])]) {
		const version = each.version ?? 'v1'
		const apiVersion = (each.group ?? '') === '' ? version : `${each.group ?? ''}/${version}`
		types.set(`${groupOf(apiVersion)}/${each.kind}`, { apiVersion, kind: each.kind })
	}
	for (const type of types.values()) {
		if ((await context.discovery.scopeOf(type)) !== undefined) await context.live.follow(type)
	}
}

function isDeletable(object: KubeObject, application: Application): boolean {
	const own = optionValue(annotationValues(object, Annotation.syncOptions), 'Delete')
	const option = own ?? optionValue(application.spec.syncPolicy?.syncOptions ?? [], 'Delete')
	const isItself = object.kind === 'Application' && object.metadata.uid === application.metadata.uid
	return (
		object.kind !== 'CustomResourceDefinition' &&
		!isItself &&
		option !== 'false' &&
		!hasOption(object, Annotation.helmResourcePolicy, 'keep')
	)
}
