/** Addresses that a server listens on, and the ones it is reached at. */

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The URL at which this machine reaches a server that listens on `host`: "all addresses" is none to connect to. */
export function urlOf(host: string, port: number): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${hostInUrl(reached)}:${port}`;
}

/** An IPv6 address stands in brackets wherever a port follows. */
export function hostInUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
