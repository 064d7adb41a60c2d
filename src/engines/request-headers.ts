/** `identity`: unpacking would delay stamps, and a packed stream arrives in larger pieces. */
export function requestHeaders(hasBody: boolean): Readonly<Record<string, string>> {
  return hasBody ? WITH_BODY : WITHOUT_BODY;
}

const WITHOUT_BODY = { "accept-encoding": "identity" };
const WITH_BODY = { ...WITHOUT_BODY, "content-type": "application/json" };
