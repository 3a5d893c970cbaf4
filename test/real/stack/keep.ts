import { it } from 'vitest'
import { onRealStack } from './index.ts'

// Not a test: what keeps the stack running for a person who tries things (`npm run stack`).
onRealStack('the stack', (stack) => {
	it('runs until Ctrl-C', { timeout: 0 }, async ({ signal }) => {
		const { data, kubernetes, argocd, registries } = stack
		process.stdout.write(`
export KUBECONFIG=${kubernetes.kubeconfig}
export PATH=${data.bin}:$PATH
lading flag        --cluster ${stack.cluster}
Argo CD            ${argocd.url}  --ca ${argocd.caPath}
  admin password   ${argocd.password}
  API token        ${argocd.token}
registry, TLS      ${registries.tls.host}  --ca ${registries.tls.caPath}
registry, password ${registries.auth.host}  ${registries.auth.username} / ${registries.auth.password}
registry, HTTP     ${registries.http.host}
logs               ${data.directory}/logs

Ctrl-C stops and removes all of it.
`)
		await new Promise((resolve) => signal.addEventListener('abort', resolve))
	})
})
