import * as v from 'valibot'
import { UserError } from '../errors/index.ts'
import { type Annotations, type Descriptor, descriptorSchema } from '../oci/index.ts'

/** An `index.json` larger than this is refused, in bytes. */
export const MAX_INDEX_BYTES: number = 32 * 1024 * 1024

/** What a layout calls a manifest: its tag; skopeo and oras find it by this. */
const REF_NAME = 'org.opencontainers.image.ref.name'
/** Where it comes from, in full, as containerd and docker write it. */
const FULL_NAME = 'io.containerd.image.name'

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#indexjson-file */
export interface LayoutIndex {
	readonly schemaVersion: 2
	readonly mediaType?: string | undefined
	readonly manifests: readonly Descriptor[]
	readonly annotations?: Annotations | undefined
}

const indexSchema: v.GenericSchema<unknown, LayoutIndex> = v.object({
	schemaVersion: v.literal(2),
	mediaType: v.optional(v.string()),
	manifests: v.array(descriptorSchema),
	annotations: v.optional(v.record(v.string(), v.string())),
})

/** A manifest that a layout's index lists. */
export interface LayoutEntry {
	/** Without the annotations that name it, which belong to the index and not to the content. */
	readonly descriptor: Descriptor
	/** Its tag, or whatever else it is called there; absent for what is only there. */
	readonly name?: string | undefined
	/** The reference that it had where it came from: `registry/repository:tag`, or with a digest. */
	readonly reference?: string | undefined
}

/** @throws UserError `ARTIFACT_INVALID` */
export function parseLayoutIndex(text: string, path: string): LayoutIndex {
	let json: unknown
	try {
		json = JSON.parse(text)
	} catch {
		json = undefined
	}
	const parsed = v.safeParse(indexSchema, json)
	if (parsed.success) return parsed.output
	throw new UserError('ARTIFACT_INVALID', `${path} is not the index of an OCI image layout`, {
		hint: 'Name a directory, or a tar, that holds oci-layout, index.json and blobs/.',
	})
}

export function entryOf(listed: Descriptor): LayoutEntry {
	const { annotations = {}, ...rest } = listed
	const { [REF_NAME]: name, [FULL_NAME]: reference, ...others } = annotations
	const descriptor = Object.keys(others).length === 0 ? rest : { ...rest, annotations: others }
	return { descriptor, ...(name !== undefined && { name }), ...(reference !== undefined && { reference }) }
}

export function listedOf({ descriptor, name, reference }: LayoutEntry): Descriptor {
	if (name === undefined && reference === undefined) return descriptor
	const annotations = {
		...descriptor.annotations,
		...(reference !== undefined && { [FULL_NAME]: reference }),
		...(name !== undefined && { [REF_NAME]: name }),
	}
	return { ...descriptor, annotations }
}
