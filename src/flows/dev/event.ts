import type { LadingError } from '../../errors/index.ts'
import type { ResourceDiff } from '../../manifests/index.ts'
import type { Digest } from '../../oci/index.ts'

/** What happens while a directory is followed. `save` counts the saves from 1; times are milliseconds since the save. */
export type DevEvent =
	/** Registry and cluster are there. */
	| {
			readonly event: 'started'
			readonly name: string
			readonly directory: string
			/** With the tag that is moved. */
			readonly reference: string
			readonly cluster: string
			readonly namespace: string
			/** What the Application followed before. */
			readonly previousRevision?: string | undefined
	  }
	/** Something was saved, and is worked on. */
	| { readonly event: 'saved'; readonly save: number }
	/** The same as what was pushed last. */
	| { readonly event: 'unchanged'; readonly save: number; readonly digest: Digest }
	/** What was saved cannot be deployed; nothing was pushed. */
	| { readonly event: 'refused'; readonly save: number; readonly error: LadingError }
	| {
			readonly event: 'pushed'
			readonly save: number
			readonly digest: Digest
			readonly files: number
			/** Number of bytes that went over the wire. */
			readonly sentBytes: number
			readonly ms: number
	  }
	/** What is different from the version before, by resource and field. */
	| {
			readonly event: 'changes'
			readonly save: number
			/** Absent: there was none. */
			readonly from?: Digest | undefined
			readonly differences: readonly ResourceDiff[]
	  }
	/** What is done or waited for, in a few words. */
	| { readonly event: 'progress'; readonly save: number; readonly text: string }
	| { readonly event: 'synced'; readonly save: number; readonly digest: Digest; readonly ms: number }
	/** What keeps it from being Healthy: a line for each resource. */
	| { readonly event: 'unhealthy'; readonly save: number; readonly resources: readonly string[] }
	| { readonly event: 'healthy'; readonly save: number; readonly digest: Digest; readonly ms: number }
	/** A registry or a cluster says no, or nothing; what was saved stays to be deployed. */
	| { readonly event: 'failed'; readonly save: number; readonly error: LadingError }
	/** A newer save came before this one was Healthy. */
	| { readonly event: 'superseded'; readonly save: number }
	| { readonly event: 'warning'; readonly message: string; readonly hint?: string | undefined }
