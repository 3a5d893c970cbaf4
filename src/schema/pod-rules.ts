import { at, listAt, numberAt, textAt } from './fields.ts'
import { isLabel, LABEL_RULE } from './metadata-rules.ts'
import { bad, missing, type StatusCause } from './status-cause.ts'

const MAX_PORT = 65_535

/** Containers, ports and mounts of a pod, in the words of the API server. */
export function checkPod(spec: unknown, path: string): readonly StatusCause[] {
	const containers = listAt(spec, 'containers')
	if (containers.length === 0) return [missing(`${path}.containers`)]
	const volumes = new Set(listAt(spec, 'volumes').map((volume) => textAt(volume, 'name')))
	const names = new Set<string>()
	return ['initContainers', 'containers'].flatMap((list) =>
		listAt(spec, list).flatMap((container, index) => {
			const field = `${path}.${list}[${index}]`
			return [
				...checkContainerName(container, { field, names }),
				...(textAt(container, 'image') ? [] : [missing(`${field}.image`)]),
				...checkPorts(container, field),
				...checkMounts(container, { field, volumes }),
			]
		}),
	)
}

function checkContainerName(
	container: unknown,
	{ field, names }: { readonly field: string; readonly names: Set<string> },
): readonly StatusCause[] {
	const name = textAt(container, 'name')
	if (!name) return [missing(`${field}.name`)]
	if (!isLabel(name)) return [bad(`${field}.name`, name, LABEL_RULE)]
	if (names.has(name)) {
		const message = `Duplicate value: ${JSON.stringify(name)}`
		return [{ reason: 'FieldValueDuplicate', message, field: `${field}.name` }]
	}
	names.add(name)
	return []
}

function checkPorts(container: unknown, field: string): readonly StatusCause[] {
	return listAt(container, 'ports').flatMap((port, index) => {
		const number = numberAt(port, 'containerPort')
		const where = `${field}.ports[${index}].containerPort`
		if (number === undefined) return [missing(where)]
		return isPort(number) ? [] : [bad(where, number, `must be between 1 and ${MAX_PORT}, inclusive`)]
	})
}

export const isPort = (number: number): boolean => number >= 1 && number <= MAX_PORT

function checkMounts(
	container: unknown,
	{ field, volumes }: { readonly field: string; readonly volumes: ReadonlySet<string | undefined> },
): readonly StatusCause[] {
	return listAt(container, 'volumeMounts').flatMap((mount, index) => {
		const name = textAt(mount, 'name')
		if (name === undefined || name === '' || volumes.has(name)) return []
		const message = `Not found: ${JSON.stringify(name)}`
		return [{ reason: 'FieldValueNotFound', message, field: `${field}.volumeMounts[${index}].name` }]
	})
}

/** A Job ends, so its pods may not be started again for ever. */
export function checkJobRestart(spec: unknown, path: string): readonly StatusCause[] {
	const policy = textAt(spec, 'restartPolicy') ?? 'Always'
	if (policy === 'OnFailure' || policy === 'Never') return []
	const message =
		policy === 'Always'
			? 'Required value: valid values: "OnFailure", "Never"'
			: `Unsupported value: ${JSON.stringify(policy)}: supported values: "OnFailure", "Never"`
	return [{ reason: 'FieldValueRequired', message, field: `${path}.restartPolicy` }]
}

/** What a Deployment keeps running has to be started again. */
export function checkAlwaysRestart(spec: unknown, path: string): readonly StatusCause[] {
	const policy = at(spec, 'restartPolicy')
	if (policy === undefined || policy === null || policy === '' || policy === 'Always') return []
	const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Always"`
	return [{ reason: 'FieldValueNotSupported', message, field: `${path}.restartPolicy` }]
}
