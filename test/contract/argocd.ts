import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplication } from '../../src/argocd/index.ts'
import type { Argocd } from '../../src/sync/index.ts'

export interface ContractSubject {
	readonly argocd: Argocd
	/** Namespace of the Applications. */
	readonly namespace: string
	/** A repository that there is, with the tags `v1` and `v2`, as Argo CD reaches it. */
	readonly repoURL: string
	/** A host that no certificate is known for, and a CA for it. */
	readonly host: string
	readonly ca: string
	close(): Promise<void>
}

/** What every adapter of the port keeps, whatever stands behind it. */
export function argocdContract(name: string, open: () => Promise<ContractSubject>): void {
	describe.sequential(`${name} keeps the contract`, () => {
		let subject: ContractSubject
		const app = `contract-${Math.random().toString(36).slice(2, 8)}`
		const ref = (): { readonly name: string; readonly namespace: string } => ({
			name: app,
			namespace: subject.namespace,
		})
		const built = (
			targetRevision: string,
			more: { readonly manual?: boolean; readonly recurse?: boolean } = {},
		) =>
			buildApplication({
				name: app,
				namespace: subject.namespace,
				repoURL: subject.repoURL,
				targetRevision,
				destination: { namespace: app },
				automated: more.manual !== true,
				recurse: more.recurse,
			})

		beforeAll(async () => {
			subject = await open()
		})
		afterAll(async () => {
			await subject.close()
		})

		it('what is not there is a value', async () => {
			const { applications, repositories } = subject.argocd
			expect(await applications.get(ref())).toBeUndefined()
			expect(await applications.refresh(ref())).toBeUndefined()
			expect(await applications.setRevision(ref(), 'v2')).toBeUndefined()
			expect(await applications.requestSync(ref())).toBeUndefined()
			expect(await applications.delete(ref(), { cascade: true })).toBe(false)
			expect(await repositories.find(subject.repoURL)).toBeUndefined()
			expect(await repositories.remove(subject.repoURL)).toBe(false)
			for await (const state of applications.watch(ref(), { signal: AbortSignal.timeout(20_000) })) {
				expect(state).toBeUndefined()
				break
			}
		})

		it('a CA is given once, and known of from then on', async () => {
			const { certificates } = subject.argocd
			const { host, ca: pem } = subject
			expect(await certificates.isTrusted({ host })).toBe(false)
			expect(await certificates.trust({ host, pem })).toBe('changed')
			expect(await certificates.isTrusted({ host, pem })).toBe(true)
			expect(await certificates.trust({ host: `${host}:5000`, pem })).toBe('unchanged')
		})

		it('a repository is made, found, made again and removed', async () => {
			const { repositories } = subject.argocd
			const { repoURL } = subject
			expect(await repositories.apply({ repoURL, namespace: subject.namespace })).toMatchObject({
				outcome: 'applied',
				type: 'oci',
			})
			expect(await repositories.find(repoURL)).toMatchObject({ isOurs: true, type: 'oci' })
			expect(await repositories.find(`${repoURL}/other`)).toBeUndefined()
			expect(await repositories.apply({ repoURL, namespace: subject.namespace })).toMatchObject({
				outcome: 'applied',
			})
			expect(await repositories.remove(repoURL)).toBe(true)
			expect(await repositories.find(repoURL)).toBeUndefined()
			await repositories.apply({ repoURL, namespace: subject.namespace })
		})

		it('an Application is created as it was wished', async () => {
			const { applications } = subject.argocd
			const wished = built('v1', { recurse: true, manual: true })
			expect((await applications.apply(wished)).metadata.name).toBe(app)
			const present = await applications.get(ref())
			expect(present).toMatchObject({ kind: 'Application', spec: wished.spec })
			expect(present?.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'lading' })
			expect(present?.metadata.finalizers).toEqual(wished.metadata.finalizers)
			const labelSelector = 'app.kubernetes.io/managed-by=lading'
			const names = async (selector: string): Promise<readonly string[]> =>
				(await applications.list(subject.namespace, { labelSelector: selector })).map(
					({ metadata }) => metadata.name,
				)
			expect(await names(labelSelector)).toContain(app)
			expect(await names('app.kubernetes.io/managed-by=nobody')).not.toContain(app)
		})

		it('applied again, what is no longer wished goes', async () => {
			const { applications } = subject.argocd
			await applications.apply(built('v2'))
			const { spec } = (await applications.get(ref())) ?? {}
			expect(spec?.source).toMatchObject({ targetRevision: 'v2' })
			expect(spec?.source?.directory?.recurse ?? false).toBe(false)
			expect(spec?.syncPolicy?.automated).toMatchObject({ prune: true, selfHeal: true })
			await applications.apply(built('v2', { manual: true }))
			expect((await applications.get(ref()))?.spec.syncPolicy?.automated ?? undefined).toBeUndefined()
		})

		it('a watch tells the present state, then the change', async () => {
			const { applications } = subject.argocd
			const seen: (string | undefined)[] = []
			const moved: unknown[] = []
			let before: unknown
			for await (const state of applications.watch(ref(), { signal: AbortSignal.timeout(20_000) })) {
				const revision = state?.spec.source?.targetRevision
				if (seen.at(-1) !== revision) seen.push(revision)
				before ??= state?.spec.source
				if (moved.length === 0) moved.push((await applications.setRevision(ref(), 'v1'))?.spec.source)
				if (revision === 'v1') break
			}
			expect(seen).toEqual(['v2', 'v1'])
			expect(moved).toEqual([{ ...Object(before), targetRevision: 'v1' }])
		})

		it('a watch ends with its signal', async () => {
			const stop = new AbortController()
			let told = 0
			for await (const _ of subject.argocd.applications.watch(ref(), { signal: stop.signal })) {
				told++
				stop.abort()
			}
			expect(told).toBe(1)
		})

		it('a refresh and a sync can be asked for', async () => {
			const { applications } = subject.argocd
			expect((await applications.refresh(ref()))?.metadata.name).toBe(app)
			const asked = await applications.requestSync(ref(), { prune: true })
			const begun = asked?.operation ?? asked?.status?.operationState?.operation
			expect(begun).toMatchObject({ sync: { prune: true, syncOptions: ['CreateNamespace=true'] } })
		})

		it('an Application is removed, and the watch tells', async () => {
			const { applications } = subject.argocd
			let deleted: boolean | undefined
			for await (const state of applications.watch(ref(), { signal: AbortSignal.timeout(30_000) })) {
				deleted ??= await applications.delete(ref(), { cascade: false })
				if (state === undefined) break
			}
			expect(deleted).toBe(true)
			expect(await applications.get(ref())).toBeUndefined()
			await subject.argocd.repositories.remove(subject.repoURL)
		})
	})
}
