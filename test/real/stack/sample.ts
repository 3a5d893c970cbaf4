import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface SampleOptions {
	readonly name: string
	/** Shows in the image's tag, so that each version is another content. Default `1.0.0`. */
	readonly version?: string
	/** Default 1. */
	readonly replicas?: number
}

/** Manifests of a Deployment and its Service, without a namespace. @returns `directory` */
export function writeSample(directory: string, options: SampleOptions): string {
	const { name, version = '1.0.0', replicas = 1 } = options
	const labels = { app: name }
	const deployment = {
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: { name },
		spec: {
			replicas,
			selector: { matchLabels: labels },
			template: {
				metadata: { labels },
				spec: { containers: [{ name: 'web', image: `example.com/${name}:${version}` }] },
			},
		},
	}
	const service = {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name },
		spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
	}
	mkdirSync(directory, { recursive: true })
	for (const object of [deployment, service])
		writeFileSync(join(directory, `${object.kind.toLowerCase()}.yaml`), JSON.stringify(object, undefined, 2))
	return directory
}
