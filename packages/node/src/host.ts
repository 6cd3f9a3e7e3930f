export { type ConfigSources, loadConfig, variableName } from './host/config.ts';
export { attachLog, type Log, openLog } from './host/log.ts';
export { type HostOptions, hostParts } from './host/parts.ts';
export { type PassphraseTarget, readConfiguredPassphrase } from './host/passphrase.ts';
