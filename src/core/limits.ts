/** Everything has a limit. Each is named with its unit, and the reason stands above it. */

/** A single line of a stream. Real servers send under 1 MB; more is a broken or hostile server. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** An error body is read this far: enough for any message, too little to fill memory. */
export const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** A control-plane answer (model lists, props). Ollama's /api/show carries whole licences. */
export const MAX_CONTROL_BODY_BYTES = 32 * 1024 * 1024;

/** Arrival stamps kept per stream; 8 bytes each. The longest role output of the studies is 8,000 tokens. */
export const MAX_CHUNK_STAMPS = 262_144;

/** Agents of one scenario. The largest self-test has 512 streams; beyond this a machine measures itself. */
export const MAX_AGENTS = 10_000;

/** Repeats of a cell, and requests of an agent in a trial: a week of continuous measuring stays below. */
export const MAX_REPEATS = 1_000_000;

/** The set time of one trial: a week, as of MAX_REPEATS. */
export const MAX_DURATION_MS = 7 * 24 * 3_600_000;

/** Tokens of one prompt or answer. The largest context offered by an open model in 2026 is ten million. */
export const MAX_TOKENS = 10_000_000;

/** Longest silence inside a stream, first token included: a cold 70 B model prefilled on a CPU is slower than one expects. */
export const DEFAULT_GAP_LIMIT_MS = 120_000;

/** Longest whole request. Study 003's slowest turn took 293 s. */
export const DEFAULT_TOTAL_LIMIT_MS = 900_000;

/** Longest life of an external agent in one trial: study agents took a minute, coding agents take many. */
export const DEFAULT_AGENT_LIMIT_MS = 3_600_000;

/** How long a server that answers "loading" is waited for. Its Phase 1 boots took up to 20 s from a warm page cache. */
export const DEFAULT_LOADING_LIMIT_MS = 300_000;

/** A control-plane call other than load. */
export const CONTROL_TIMEOUT_MS = 10_000;

/** Asking whether something listens, during detection: loopback answers in under 1 ms. */
export const DETECT_TIMEOUT_MS = 1_500;

/** A child that was asked to end gets this long before SIGKILL. */
export const CHILD_GRACE_MS = 5_000;

/** Text kept from a child's stderr for an error message. */
export const MAX_CHILD_TAIL_BYTES = 16 * 1024;

/**
 * One line of a run directory's record files. The longest that is written is a chunk line of
 * MAX_CHUNK_STAMPS gaps and token counts, under 5 MB; more is not ours, and would have to be held whole.
 */
export const MAX_RECORD_LINE_BYTES = 16 * 1024 * 1024;

/** manifest.json, summary.json or a file to import: a study of 10,000 cells takes about 5 MB. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** Nesting of a document or of an event's data. A specification nests about 8 deep; thousands overflow the stack of whoever prints it. */
export const MAX_JSON_DEPTH = 64;
