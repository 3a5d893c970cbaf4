import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { ensureCertificates } from '../../src/http/server/index.ts'

/** Where the makers of Argo CD publish its releases, as far as the tests need it. */
export interface Releases {
	/** Variables of a command that finds them: a proxy, and the CA of what stands behind it. */
	readonly env: Readonly<Record<string, string>>
	/** Versions that were asked for, in order. */
	readonly asked: readonly string[]
	close(): Promise<void>
}

const HOST = 'raw.githubusercontent.com'
const INSTALL = /^\/argoproj\/argo-cd\/v([^/]+)\/manifests\/install\.yaml$/

/** Serves installations of Argo CD, by their versions, under their real URLs. */
export async function serveReleases(
	directory: string,
	manifests: Readonly<Record<string, string>>,
): Promise<Releases> {
	const { certPem, keyPem, caPath } = await ensureCertificates(directory, { names: [HOST] })
	const asked: string[] = []
	const site = createHttpsServer({ cert: certPem, key: keyPem }, (request, response) => {
		const version = INSTALL.exec(request.url ?? '')?.[1] ?? ''
		asked.push(version)
		response.setHeader('connection', 'close')
		response.writeHead(manifests[version] === undefined ? 404 : 200).end(manifests[version])
	})
	const proxy = createHttpServer().on('connect', (request, socket) => {
		if (request.url !== `${HOST}:443`) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
		socket.write('HTTP/1.1 200 OK\r\n\r\n')
		site.emit('connection', socket)
	})
	await once(proxy.listen(0, '127.0.0.1'), 'listening')
	const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
	return {
		// Lower case, which wins where both are set.
		env: { https_proxy: url, no_proxy: 'none', SSL_CERT_FILE: caPath },
		asked,
		close: () => new Promise((done) => proxy.close(() => done())),
	}
}

/** An installation whose repo-server, by which lading knows the version, is of another image; all else is the same. */
export function repoServerOf(manifest: string, image: string): string {
	const documents = manifest.split(/^---$/m)
	const isRepoServer = (text: string): boolean =>
		/^kind: Deployment$/m.test(text) && /^ {2}name: argocd-repo-server$/m.test(text)
	return documents
		.map((text) => (isRepoServer(text) ? text.replaceAll(/quay\.io\/argoproj\/argocd:\S+/g, image) : text))
		.join('---')
}
