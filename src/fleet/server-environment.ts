/** What a server's environment holds: an allow-list of the supervisor's, the launch's own, and our mark. */

/** Our mark. Children inherit it, so whatever a server leaves behind can be found by it. */
export const SERVER_ID_VARIABLE = "SLIPWAY_SERVER_ID";

/**
 * What a server needs to run as it would from the operator's shell: programs and libraries, home and
 * language, where models and caches lie, certificates to fetch them by. Nothing that unlocks
 * anything: a server answers whoever reaches its port, writes logs, and may run a model's own code.
 * A preset that needs HF_TOKEN names it in its `env`.
 */
const INHERITED_NAMES: ReadonlySet<string> = new Set([
  ...["PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"],
  ...["HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "LANGUAGE", "TZ"],
  ...["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"],
  ...["HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "OLLAMA_MODELS"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"],
]);

/** Families that hold no secrets: locale, and the choice and tuning of devices. */
const INHERITED_PREFIXES: readonly string[] = ["LC_", "CUDA_"];

/** No such word is passed on by a prefix, whatever a later release makes of it. */
const SECRET_WORDS = /TOKEN|KEY|SECRET|PASS|CREDENTIAL|AUTH|COOKIE/i;

/** The whole environment of a server; the launch's own variables win, and the mark stands above all. */
export function serverEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  launchEnv: Readonly<Record<string, string>>,
  serverId: string,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(own))
    if (value !== undefined && isInherited(name)) environment[name] = value;
  return { ...environment, ...launchEnv, [SERVER_ID_VARIABLE]: serverId };
}

function isInherited(name: string): boolean {
  if (INHERITED_NAMES.has(name)) return true;
  return INHERITED_PREFIXES.some((prefix) => name.startsWith(prefix)) && !SECRET_WORDS.test(name);
}
