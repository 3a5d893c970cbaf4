import { createHash, type Hash } from 'node:crypto'
import { UserError } from '../errors/index.ts'

declare const digestBrand: unique symbol

/**
 * `algorithm:hex` of a registered algorithm, lower case and of the right length.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */
export type Digest = string & { readonly [digestBrand]: true }

export type DigestAlgorithm = 'sha256' | 'sha512'

const REGISTERED = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/

export function isDigest(text: string): text is Digest {
	return REGISTERED.test(text)
}

/** @throws UserError `DIGEST_INVALID` */
export function parseDigest(text: string): Digest {
	if (isDigest(text)) return text
	throw new UserError('DIGEST_INVALID', `"${text}" is not a digest`, {
		hint: 'A digest is sha256: followed by 64 of 0-9a-f, or sha512: followed by 128.',
	})
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
	return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

/** The part after the algorithm. */
export function digestHex(digest: Digest): string {
	return digest.slice(digest.indexOf(':') + 1)
}

export function digestOf(content: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
	return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}` as Digest
}

/** A digest computed over content that arrives in pieces. */
export interface Digester {
	update(chunk: Uint8Array): void
	/** Number of bytes seen so far. */
	readonly size: number
	/** May be called once. */
	digest(): Digest
}

export function createDigester(algorithm: DigestAlgorithm = 'sha256'): Digester {
	const hash: Hash = createHash(algorithm)
	let size = 0
	return {
		update(chunk) {
			hash.update(chunk)
			size += chunk.byteLength
		},
		get size() {
			return size
		},
		digest: () => `${algorithm}:${hash.digest('hex')}` as Digest,
	}
}
