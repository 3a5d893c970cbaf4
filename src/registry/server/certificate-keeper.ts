import {
	type CertificateAndKey,
	type CertificatePaths,
	ensureCertificates,
	readCertificate,
	stampOfCertificate,
} from '../../http/server/index.ts'

export type CertificateSource =
	/** Made by an authority of its own in `directory`, and renewed before it ends. */
	| { readonly kind: 'own'; readonly directory: string; readonly names: readonly string[] }
	/** Made and renewed by somebody else. */
	| { readonly kind: 'given'; readonly paths: CertificatePaths }

/** How often it is looked at, in milliseconds. */
const LOOK_MS: Readonly<Record<CertificateSource['kind'], number>> = { own: 12 * 60 * 60 * 1000, given: 5000 }

/** The certificate of a server, and the one that comes after it. */
export class CertificateKeeper {
	readonly #source: CertificateSource
	readonly #now: () => number
	#stamp = ''
	#current: CertificateAndKey | undefined
	#caPem: string | undefined

	/** @param now milliseconds since 1970 */
	constructor(source: CertificateSource, now: () => number) {
		this.#source = source
		this.#now = now
	}

	/** How often {@link renewed} should be asked, in milliseconds. */
	get lookMs(): number {
		return LOOK_MS[this.#source.kind]
	}

	/** What clients must trust; `undefined` where somebody else made the certificate. */
	get caPem(): string | undefined {
		return this.#caPem
	}

	/**
	 * The certificate if it is another than the last one that was asked for.
	 * @throws UserError `CA_UNREADABLE`, `CERTIFICATE_UNREADABLE`, `FILE_UNWRITABLE`: the last one is good still
	 */
	async renewed(): Promise<CertificateAndKey | undefined> {
		const found = await this.#find()
		if (found === undefined || found.certPem === this.#current?.certPem) return undefined
		this.#current = found
		return found
	}

	async #find(): Promise<CertificateAndKey | undefined> {
		const source = this.#source
		if (source.kind === 'own') {
			const now = new Date(this.#now())
			const { certPem, keyPem, caPem } = await ensureCertificates(source.directory, {
				names: source.names,
				now,
			})
			this.#caPem = caPem
			return { certPem, keyPem }
		}
		const stamp = stampOfCertificate(source.paths)
		if (stamp === this.#stamp) return undefined
		// Told once, if it is no good; a second file that is still on its way changes it again.
		this.#stamp = stamp
		return readCertificate(source.paths)
	}
}
