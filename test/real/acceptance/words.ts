/**
 * A message with what no two runs, and no two parsers, have in common written alike: the
 * temporary directory, the object that is quoted, and the parser's own words.
 */
export function comparable(message: string): string {
	return (
		message
			.replaceAll(
				/<path to cached source>|\/[^\s":]*\/(?:_argocd-repo\/)?[0-9a-f]{8}-[0-9a-f-]{27}/g,
				'/tmp/<path>',
			)
			// It lies deeper in a judge than in a repo-server.
			.replace(/(illegal filepath in archive: ).*$/, '$1…')
			.replace(/(flate: corrupt input) before offset \d+/, '$1')
			// lading keeps a password out of its messages.
			.replace(/invalid registry "[^"]*@[^"]*"/, 'invalid registry "***"')
			.replace(/(Object 'Kind' is missing in ').*'$/s, "$1{…}'")
			.replace(/(error converting YAML to JSON: yaml: ).*$/s, '$1…')
			.replace(/(Failed to unmarshal "[^"]+": )(?!failed to unmarshal manifest|EOF|json: cannot).*$/s, '$1…')
	)
}
