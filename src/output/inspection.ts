import type { Inspection } from '../flows/index.ts'
import { type Descriptor, formatReference } from '../oci/index.ts'
import { formatBytes } from './size.ts'
import { printableLine, type Style } from './style.ts'

const LABEL_WIDTH = 13

function descriptorLine({ mediaType, digest, size, artifactType }: Descriptor): string {
	return printableLine(`${digest}  ${formatBytes(size)}  ${artifactType ?? mediaType}`)
}

/** What an artifact is made of, for people. */
export function formatInspection(inspection: Inspection, style: Style): string {
	const { manifest, descriptor, files, referrers } = inspection
	const lines: string[] = []
	const field = (label: string, value: string): void =>
		void lines.push(`${style.bold(label.padEnd(LABEL_WIDTH))} ${printableLine(value)}`)
	field('Reference', formatReference({ ...inspection.reference, digest: undefined }))
	field('Digest', descriptor.digest)
	field('Type', descriptor.mediaType)
	if (manifest.kind !== 'other' && manifest.manifest.artifactType !== undefined)
		field('Artifact type', manifest.manifest.artifactType)
	for (const [key, value] of Object.entries(
		manifest.kind === 'other' ? {} : (manifest.manifest.annotations ?? {}),
	)) {
		field('Annotation', `${key}=${value}`)
	}
	const parts =
		manifest.kind === 'image'
			? manifest.manifest.layers
			: manifest.kind === 'index'
				? manifest.manifest.manifests
				: []
	for (const part of parts) field(manifest.kind === 'image' ? 'Layer' : 'Manifest', descriptorLine(part))
	for (const referrer of referrers) field('Referrer', descriptorLine(referrer))
	if (files) {
		lines.push('', style.bold('Files'))
		for (const { path, type, size, linkTarget } of files) {
			if (type === 'directory') continue
			lines.push(
				`  ${formatBytes(size).padStart(8)}  ${printableLine(path)}${linkTarget === undefined ? '' : printableLine(` -> ${linkTarget}`)}`,
			)
		}
	}
	return lines.join('\n')
}

export function inspectionDocument({
	reference,
	descriptor,
	manifest,
	files,
	referrers,
}: Inspection): Readonly<Record<string, unknown>> {
	return {
		reference: formatReference(reference),
		descriptor,
		manifest: manifest.kind === 'other' ? undefined : manifest.manifest,
		files,
		referrers,
	}
}
