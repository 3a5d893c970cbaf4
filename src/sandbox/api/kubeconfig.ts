export const SANDBOX_CONTEXT = 'lading-sandbox'

export interface KubeconfigOptions {
	/** URL of the API, `https://127.0.0.1:16443`. */
	readonly server: string
	readonly caPem: string
	readonly token?: string | undefined
	/** PEM of a certificate and its key, in place of the token. */
	readonly clientCert?: { readonly cert: string; readonly key: string } | undefined
}

/** A kubeconfig for the sandbox, as YAML (JSON is YAML), with one context `lading-sandbox`. It holds a secret. */
export function sandboxKubeconfig({ server, caPem, token, clientCert }: KubeconfigOptions): string {
	const base64 = (text: string): string => Buffer.from(text).toString('base64')
	const credentials = clientCert
		? [
				['client-certificate-data', base64(clientCert.cert)],
				['client-key-data', base64(clientCert.key)],
			]
		: [['token', token ?? '']]
	return [
		'apiVersion: v1',
		'kind: Config',
		`current-context: ${SANDBOX_CONTEXT}`,
		'clusters:',
		`  - name: ${SANDBOX_CONTEXT}`,
		'    cluster:',
		`      server: ${JSON.stringify(server)}`,
		`      certificate-authority-data: ${base64(caPem)}`,
		'contexts:',
		`  - name: ${SANDBOX_CONTEXT}`,
		'    context:',
		`      cluster: ${SANDBOX_CONTEXT}`,
		`      user: ${SANDBOX_CONTEXT}`,
		'users:',
		`  - name: ${SANDBOX_CONTEXT}`,
		'    user:',
		...credentials.map(([key, value]) => `      ${key ?? ''}: ${JSON.stringify(value)}`),
		'',
	].join('\n')
}
