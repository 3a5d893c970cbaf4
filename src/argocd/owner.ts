import type { Application } from './types.ts'
import { ArgocdName } from './names.ts'

/** Who wrote an Application and would write it again, so that a change of ours would be undone. */
export interface Owner {
	readonly by: 'application-set' | 'owner-reference' | 'argocd'
	/** `Kind name`. */
	readonly owner: string
	/** Where the change belongs instead: a full sentence. */
	readonly editInstead: string
}

/** The owner of an Application, or `undefined` when it stands for itself. */
export function ownerOf(application: Application): Owner | undefined {
	const { metadata } = application
	const references = metadata.ownerReferences ?? []
	const reference = references.find((each) => each.controller === true) ?? references[0]
	const namespace = metadata.namespace ?? ArgocdName.defaultNamespace
	if (reference?.kind === 'ApplicationSet') return ownedBySet(reference.name, namespace)
	if (reference !== undefined) {
		const owner = `${reference.kind} ${reference.name}`
		return {
			by: 'owner-reference',
			owner,
			editInstead: `Change the ${owner} in namespace ${namespace}: it owns this Application.`,
		}
	}
	const set = metadata.labels?.[ArgocdName.applicationSetNameLabel]
	if (set !== undefined) return ownedBySet(set, namespace)
	const tracked = trackingApplication(application)
	if (tracked === undefined) return undefined
	return {
		by: 'argocd',
		owner: `Application ${tracked}`,
		editInstead: `Change it in the source of the Application ${tracked}, which deploys this one.`,
	}
}

function ownedBySet(name: string, namespace: string): Owner {
	return {
		by: 'application-set',
		owner: `ApplicationSet ${name}`,
		editInstead: `Change the template of the ApplicationSet ${name}: kubectl edit applicationset ${name} -n ${namespace}`,
	}
}

/** Name of the Application that deploys this object. @see argo-cd util/argo/resource_tracking.go */
function trackingApplication({ metadata }: Application): string | undefined {
	const trackingId = metadata.annotations?.[ArgocdName.trackingIdAnnotation]
	if (trackingId !== undefined) {
		const [name = '', kind, object] = trackingId.split(':')
		// Argo CD follows the id only where it names this very object: a copied annotation counts for nothing.
		const copied = kind !== 'argoproj.io/Application' || object?.split('/')[1] !== metadata.name
		return copied || name === '' ? undefined : name
	}
	// Tracking by label shares its label with Helm and with people.
	if (metadata.labels?.[ArgocdName.managedByLabel] !== undefined) return undefined
	const instance = metadata.labels?.[ArgocdName.instanceLabel]
	return instance === undefined || instance === metadata.name ? undefined : instance
}
