export type ToolName = 'docker' | 'kind'

/** How a missing program is installed, as its makers say. @see https://kind.sigs.k8s.io/docs/user/quick-start/#installation */
export function installHint(tool: ToolName, platform: string): string {
	switch (platform) {
		case 'darwin':
			return tool === 'kind' ? 'brew install kind' : 'brew install --cask docker'
		case 'win32':
			return tool === 'kind' ? 'winget install Kubernetes.kind' : 'winget install Docker.DockerDesktop'
		default:
			return tool === 'kind'
				? 'go install sigs.k8s.io/kind@latest, or see https://kind.sigs.k8s.io/docs/user/quick-start/#installation'
				: 'curl -fsSL https://get.docker.com | sh, or see https://docs.docker.com/engine/install/'
	}
}

/** How a Docker that is installed is started. */
export function startDockerHint(platform: string): string {
	switch (platform) {
		case 'darwin':
			return 'open -a Docker'
		case 'win32':
			return 'Start Docker Desktop.'
		default:
			return 'sudo systemctl start docker'
	}
}
