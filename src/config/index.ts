export { CONFIG_FILE, configSchema, isClusterName, isDnsLabel, readConfig } from './config.ts'
export type { Config } from './config.ts'
export { environmentVariables } from './environment.ts'
export type { EnvironmentVariable } from './environment.ts'
export { readRegistrySettings, registrySettingsSchema } from './registry-settings.ts'
export type {
	Anonymous,
	AuthSettings,
	EventAction,
	EventEndpointSettings,
	LimitSettings,
	ListenSettings,
	LogSettings,
	RegistrySettings,
	RetentionRuleSettings,
	RetentionSettings,
	TlsSettings,
} from './registry-settings.ts'
