/**
 * A copy of an answer, unpacked. A compressed answer passes through to the client as it is; only
 * the copy that is decoded is unpacked, and what came out of a read carries that read's stamp.
 */
import { BodyUnpacker } from "../../engines/body-unpacker.ts";

export type ReadBytes = (bytes: Uint8Array, atNs: number, sharesStamp: boolean) => void;

export interface BodyCopy {
  readonly push: ReadBytes;
  /** Resolves when all that was pushed has been read, with what was wrong with the packing. */
  end(): Promise<string | undefined>;
}

/** `contentEncoding` is the response's header; absent or `identity` is plain. */
export function bodyCopy(contentEncoding: string | undefined, read: ReadBytes): BodyCopy {
  const encoding = contentEncoding?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "")
    return { push: read, end: () => Promise.resolve(undefined) };
  let packingFault: string | undefined;
  let ended = (): void => undefined;
  const allRead = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const unpacker = BodyUnpacker.for(encoding, {
    push: read,
    end: (error) => {
      if (error !== undefined) packingFault = `the compressed body cannot be unpacked: ${error.message}`;
      ended();
    },
  });
  if (unpacker === undefined)
    return {
      push: () => undefined,
      end: () => Promise.resolve(`the body has an unknown content-encoding "${encoding}"`),
    };
  return {
    push: (bytes, atNs) => unpacker.write(bytes, atNs),
    end: () => {
      unpacker.end();
      return allRead.then(() => packingFault);
    },
  };
}
