/** Upper and lower case, as every tool that reads them does. Without one of them no proxy code is loaded. */
export const PROXY_VARIABLES: readonly string[] = [
	'HTTPS_PROXY',
	'https_proxy',
	'HTTP_PROXY',
	'http_proxy',
	'ALL_PROXY',
	'all_proxy',
]
