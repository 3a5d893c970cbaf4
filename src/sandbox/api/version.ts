/** The answer of `/version`. */
export const SANDBOX_VERSION = {
	major: '1',
	minor: '37',
	gitVersion: 'v1.37.2+sandbox',
	gitCommit: 'lading-sandbox',
	gitTreeState: 'clean',
	buildDate: '1970-01-01T00:00:00Z',
	goVersion: 'none',
	compiler: 'none',
	platform: 'lading/sandbox',
} as const
