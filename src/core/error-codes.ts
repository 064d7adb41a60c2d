/**
 * Every operator error, its exit code and what it means. `docs/errors.md` lists the same codes
 * with causes and remedies; a test holds the two together.
 */
export interface ErrorEntry {
  /** 2 bad usage or configuration, 3 the environment does not allow it. */
  readonly exitCode: 2 | 3;
  readonly meaning: string;
}

const usage = (meaning: string): ErrorEntry => ({ exitCode: 2, meaning });
const environment = (meaning: string): ErrorEntry => ({ exitCode: 3, meaning });

export const ERROR_CATALOGUE = {
  // usage and configuration
  CONFIG_INVALID: usage("a configuration or scenario file breaks its schema"),
  YAML_SYNTAX: usage("a YAML file cannot be parsed"),
  FILE_NOT_FOUND: usage("a file that was named does not exist or cannot be read"),
  FLAG_INVALID: usage("a command-line flag or argument has a bad value"),
  SCENARIO_UNKNOWN: usage("no shipped scenario or file has this name"),
  PRESET_UNKNOWN: usage("no preset has this name"),
  MODE_UNKNOWN: usage("no mode has this name"),
  ROLE_UNKNOWN: usage("no shipped role and no file has this name"),
  MIX_INVALID: usage("a mix of roles cannot be read"),
  TASK_GRAPH_INVALID: usage("the dependencies of a job's tasks cannot be followed"),
  TASK_INFEASIBLE: usage("no model that fits the memory can do a task"),
  ESTIMATE_MISSING: usage("a plan needs a figure of a model that nobody has given or measured"),
  AGENT_DUPLICATE: usage("a scenario names an agent twice"),
  ENDPOINT_URL_INVALID: usage("an endpoint is not an http or https URL"),
  CREDENTIAL_INLINE: usage("a credential was written where only a reference is allowed"),
  CREDENTIAL_MISSING: usage("a credential reference points at nothing"),
  MODEL_UNSPECIFIED: usage("the endpoint serves no or several models and none was chosen"),
  RUN_NOT_FOUND: usage("no run directory has this name"),
  RUN_EXISTS: usage("a run directory of this name exists already"),
  RESUME_MISMATCH: usage("a run cannot be resumed with this specification"),
  IMPORT_INVALID: usage("a file of foreign results breaks its form"),
  FIGURE_UNKNOWN: usage("a hypothesis, target or price names a figure the data do not have"),
  GGUF_INVALID: usage("a model file breaks the GGUF format or is cut short"),
  GGUF_UNSUPPORTED: usage("a model file is a GGUF of a kind that is not read"),
  CALIBRATION_INVALID: usage("a stored calibration breaks its form or is of another version"),
  PROFILE_FORMAT_UNKNOWN: usage("a file is of no kind of profile that is read"),
  PROFILE_DAMAGED: usage("a profile breaks its format or is cut short"),
  PROFILE_TOO_LARGE: usage("a profile is larger than what is read at a time"),
  PROFILE_CONFLICT: usage("two files cannot be parts of one profile"),
  REQUEST_MALFORMED: usage("a request to the supervisor is not of the control protocol"),
  // the environment: servers
  ENDPOINT_REFUSED: environment("nothing listens at the endpoint"),
  ENDPOINT_DNS: environment("the endpoint's host name does not resolve"),
  MODEL_NOT_FOUND: environment("the server does not have the model"),
  UNAUTHORIZED: environment("the server refused the credentials"),
  RATE_LIMITED: environment("the server answered 429"),
  SERVER_ERROR: environment("the server answered with an error status"),
  SERVER_LOADING: environment("the server was still loading when the limit ended"),
  SERVER_OUT_OF_MEMORY: environment("the server says it is out of memory"),
  CONTEXT_EXCEEDED: environment("prompt and output do not fit the context"),
  CONNECTION_RESET: environment("the connection broke"),
  STREAM_STALLED: environment("no byte arrived within the gap limit"),
  REQUEST_TIMEOUT: environment("the request did not end within the total limit"),
  STREAM_MALFORMED: environment("the response is not what its protocol says"),
  LINE_TOO_LONG: environment("one line of the response exceeds the limit"),
  STREAM_TRUNCATED: environment("the stream ended without its closing event"),
  REDIRECT_REFUSED: environment("the server answered with a redirect"),
  ENGINE_UNSUPPORTED: environment("the engine cannot do what was asked"),
  GPU_UNKNOWN: environment("no GPU was named, and this machine has none whose figures are known"),
  // the environment: this machine
  DISK_FULL: environment("the disk is full"),
  DIRECTORY_UNWRITABLE: environment("a directory cannot be written"),
  RUN_LOCKED: environment("another process writes this run"),
  RUN_DAMAGED: environment("a run directory cannot be read"),
  RUN_VERSION_UNKNOWN: environment("a run directory has a format this version does not know"),
  PORT_IN_USE: environment("a port is taken"),
  SUPERVISOR_ABSENT: environment("no supervisor runs on the state directory"),
  SUPERVISOR_RUNNING: environment("another supervisor runs on the state directory"),
  SUPERVISOR_FOREIGN: environment("the supervisor belongs to another user"),
  SUPERVISOR_BUSY: environment("the supervisor has too many connections"),
  SUPERVISOR_LOST: environment("the supervisor did not finish its answer"),
  UNIT_FOREIGN: environment("a systemd unit of our name was written by somebody else"),
  LOG_ABSENT: environment("a preset has no log yet"),
  PROTOCOL_MISMATCH: environment("the supervisor and the command are of different versions"),
  SWITCH_UNDER_WAY: environment("the supervisor is in the middle of another change"),
  SWITCH_ABORTED: environment("a switch was called off before it was done"),
  FLEET_LENT: environment("somebody measures on this machine, and nothing else changes meanwhile"),
  LOAN_OVER: environment("a loan of the machine has ended"),
  PREFLIGHT_FAILED: environment("a check before a switch failed, and nothing was touched"),
  PRESET_NEEDED: environment("presets that run depend on one that is to be stopped"),
  LEASE_REFUSED: environment("a preset lets nobody in now"),
  START_TIMEOUT: environment("a server was not healthy within its start limit"),
  SERVER_STALLED: environment("a server answers health but produces no token"),
  MODEL_STILL_LOADED: environment("a model stays in the memory of a server that somebody else keeps"),
  SERVER_STUCK: environment("a server does not end, not even by SIGKILL"),
  MODEL_LOAD_FAILED: environment("a resident server could not load the model"),
  WAKE_FAILED: environment("a sleeping server does not wake"),
  MEMORY_NOT_FREED: environment("memory of stopped servers did not come free"),
  MEMORY_SHORT: environment("too little memory is left"),
  PROCESS_FAILED: environment("a child process could not be started or failed"),
  GPU_OUT_OF_MEMORY: environment("a server could not get the GPU memory it asked for"),
  HOST_OUT_OF_MEMORY: environment(
    "a server could not get the host memory it asked for, or was killed for it",
  ),
  MODEL_DAMAGED: environment("a model file is not what its format says"),
  MODEL_UNSUPPORTED: environment("a server does not know this kind of model"),
  LAUNCH_REFUSED: environment("a server refused its own command line"),
  DRIVER_MISMATCH: environment("the GPU driver and the server's CUDA do not go together"),
  PERMISSION_DENIED: environment("a server may not read or write what it needs"),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
