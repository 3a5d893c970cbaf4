/**
 * Scripts that ask `lading __complete WORD…` for proposals, one a line, each
 * `proposal<TAB>brief`. The last word is what is being typed, possibly empty.
 */
export const completionScripts: Readonly<Record<string, string>> = {
	bash: `_lading() {
	local IFS=$'\\n' cur="\${COMP_WORDS[COMP_CWORD]}"
	COMPREPLY=($(lading __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
	if [ \${#COMPREPLY[@]} -eq 0 ]; then
		COMPREPLY=($(compgen -f -- "$cur"))
	fi
}
complete -o filenames -F _lading lading
`,
	zsh: `#compdef lading
_lading() {
	local -a proposals
	local line
	for line in "\${(@f)$(lading __complete "\${(@)words[2,$CURRENT]}" 2>/dev/null)}"; do
		[[ -n $line ]] && proposals+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
	done
	if (( \${#proposals} )); then _describe 'lading' proposals; else _files; fi
}
if [ "$funcstack[1]" = "_lading" ]; then _lading "$@"; else compdef _lading lading; fi
`,
	fish: `function __lading_complete
	set -l words (commandline -opc) (commandline -ct)
	lading __complete $words[2..-1] 2>/dev/null
end
complete -c lading -a '(__lading_complete)'
`,
	powershell: `Register-ArgumentCompleter -Native -CommandName lading -ScriptBlock {
	param($wordToComplete, $commandAst, $cursorPosition)
	$words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
	if ($wordToComplete -eq '') { $words += '""' }
	lading __complete @words 2>$null | ForEach-Object {
		$parts = $_ -split "\`t", 2
		[System.Management.Automation.CompletionResult]::new($parts[0], $parts[0], 'ParameterValue', $parts[1])
	}
}
`,
}
