import { RemoteError } from '../errors/index.ts'
import type { ApplicationApi, ApplicationRef } from './application-api.ts'

export interface DeleteOptions {
	/** Removes what it deployed too; true. */
	readonly cascade?: boolean | undefined
	/** Milliseconds; two minutes. */
	readonly timeoutMs?: number | undefined
	readonly signal?: AbortSignal | undefined
}

const TIMEOUT_MS = 120_000

/**
 * Removes an Application and waits until it is gone; `false` when there was none.
 * @throws RemoteError `TIMED_OUT`
 */
export async function deleteApplication(
	api: ApplicationApi,
	ref: ApplicationRef,
	{ cascade = true, timeoutMs = TIMEOUT_MS, signal }: DeleteOptions = {},
): Promise<boolean> {
	if (!(await api.delete(ref, { cascade, signal }))) return false
	const timeout = AbortSignal.timeout(timeoutMs)
	const both = signal ? AbortSignal.any([signal, timeout]) : timeout
	for await (const application of api.watch(ref, { signal: both })) {
		if (application === undefined || application.metadata.deletionTimestamp === undefined) return true
	}
	signal?.throwIfAborted()
	throw new RemoteError('TIMED_OUT', `the Application ${ref.name} is not gone after ${timeoutMs / 1000} s`, {
		hint: `Its finalizer waits for what it deployed: kubectl describe application ${ref.name} -n ${ref.namespace}`,
	})
}
