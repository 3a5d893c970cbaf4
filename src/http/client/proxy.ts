import { BlockList, isIP, isIPv6 } from 'node:net'
import { UserError } from '../../errors/index.ts'
import { hostOf, portOf } from './address.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The first of the variables that is set, lower case before upper case. */
function variable(
	env: Environment,
	...names: readonly string[]
): { readonly name: string; readonly value: string } {
	for (const name of names.flatMap((upper) => [upper.toLowerCase(), upper])) {
		const value = env[name]
		if (value !== undefined && value !== '') return { name, value }
	}
	return { name: names[0] ?? '', value: '' }
}

/**
 * The proxy for a URL, as curl and Go read the environment: lower case wins, a
 * missing scheme is http, `NO_PROXY` holds hosts (with their subdomains), `.suffixes`,
 * `host:port`, addresses, CIDR blocks or `*`; loopback never goes through a proxy.
 * @throws UserError `CONFIG_INVALID` for a proxy that is no http or https URL, or whose user or password is not percent-encoded
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
	const { name, value } = variable(env, url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY', 'ALL_PROXY')
	if (value === '' || isExempt(url, variable(env, 'NO_PROXY').value)) return undefined
	const text = value.includes('://') ? value : `http://${value}`
	const proxy = URL.canParse(text) ? new URL(text) : undefined
	if (proxy?.protocol !== 'http:' && proxy?.protocol !== 'https:') {
		// The value is not shown: it may hold a password.
		throw new UserError('CONFIG_INVALID', `${name} is not the URL of an http or https proxy`, {
			hint: `Write it as ${name}=http://HOST:PORT`,
		})
	}
	if (!hasEncodedCredentials(proxy)) {
		throw new UserError('CONFIG_INVALID', `the user or the password in ${name} is not percent-encoded`, {
			hint: ENCODE_CREDENTIALS,
		})
	}
	return proxy
}

/** What to do where {@link hasEncodedCredentials} is false. */
export const ENCODE_CREDENTIALS = 'Percent-encode both: write %25 for %, %40 for @, %3A for :, and %2F for /.'

/** Whether the user and the password in a URL can be read: a bare `%` cannot. */
export function hasEncodedCredentials({ username, password }: URL): boolean {
	try {
		decodeURIComponent(username)
		decodeURIComponent(password)
		return true
	} catch {
		return false
	}
}

function isExempt(url: URL, exemptions: string): boolean {
	const host = hostOf(url).toLowerCase()
	if (host === 'localhost' || host.endsWith('.localhost') || isLoopback(host)) return true
	return exemptions
		.toLowerCase()
		.split(/[\s,]+/)
		.some((entry) => entry !== '' && matches(entry, host, portOf(url)))
}

function isLoopback(host: string): boolean {
	return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function matches(entry: string, host: string, port: number): boolean {
	if (entry === '*') return true
	if (entry.includes('/')) return inBlock(entry, host)
	const withPort = /^(.*[^:]|\[.*\]):(\d+)$/.exec(entry)
	if (withPort && !isIPv6(entry) && Number(withPort[2]) !== port) return false
	const bare = (withPort && !isIPv6(entry) ? (withPort[1] ?? '') : entry).replace(/^\[(.*)\]$/, '$1')
	const name = bare.replace(/^\*/, '')
	if (name.startsWith('.')) return host.endsWith(name)
	return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`))
}

function inBlock(entry: string, host: string): boolean {
	const [network = '', prefix = ''] = entry.split('/')
	const version = isIP(host)
	if (version === 0 || isIP(network) !== version || !/^\d{1,3}$/.test(prefix)) return false
	if (Number(prefix) > (version === 6 ? 128 : 32)) return false
	const family = version === 6 ? 'ipv6' : 'ipv4'
	const block = new BlockList()
	block.addSubnet(network, Number(prefix), family)
	return block.check(host, family)
}
