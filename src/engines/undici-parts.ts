/**
 * The two parts of undici that the data plane is made of, without the rest of it: caches, mocks,
 * fetch and WebSocket are loaded with its front door, and take 7 MB of a supervisor that stays for
 * months. The paths are undici's own business, so a new version of it has to be looked at; the
 * version is exact in package.json.
 */
import { createRequire } from "node:module";
import type { Client as UndiciClient, buildConnector } from "undici";

const load = createRequire(import.meta.url);

export type Client = UndiciClient;
export const Client = load("undici/lib/dispatcher/client.js") as typeof UndiciClient;
export const makeConnector = load("undici/lib/core/connect.js") as typeof buildConnector;
