/* What the page asks the server, and how it notices that the service is back after an outage. */

const POLL = 400; // milliseconds between two questions whether the service is back
const PIXELS = "application/x-numeral-pixels";
const PATIENCE = 8000; // milliseconds after which an answer is given up

/** The server has refused, or the service is away. `kind` is the class of the error. */
export class Refusal extends Error {
  constructor(status, kind, sentence) {
    super(sentence);
    Object.assign(this, { status, kind });
  }

  /** Whether the service cannot answer now, and will later. */
  get away() {
    return [0, 502, 503, 504].includes(this.status) && !this.busy && this.kind !== "ServiceError";
  }

  get busy() {
    return this.status === 429 || this.kind === "BusyError";
  }
}

/** POST a picture; its media type is that of the blob. Throws a Refusal, or an AbortError if `signal` says so. */
export async function ask(path, picture, signal) {
  const known = picture.type.startsWith("image/") || picture.type === PIXELS;
  const body = known ? picture : new Blob([picture], { type: "application/octet-stream" });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE);
  const stop = () => late.abort();
  signal?.addEventListener("abort", stop);
  try {
    const response = await fetch(path, { method: "POST", body, headers: { "Content-Type": body.type }, signal: late.signal });
    const value = await response.json().catch(() => ({})); // what stands between may answer anything
    if (response.ok && !value.error) return value;
    throw new Refusal(response.ok ? 400 : response.status, value.kind ?? "", value.error ?? "");
  } catch (error) {
    if (error instanceof Refusal) throw error;
    signal?.throwIfAborted();
    throw new Refusal(0, "UnreachableError", String(error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** The 28 × 28 pixels that a network sees, as a picture. */
export const pixelsAsPicture = (pixels) => new Blob([pixels], { type: PIXELS });

/** Bytes that came as base64. */
export const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** Resolves once the service answers again. */
export async function serviceIsBack() {
  for (;;) {
    await new Promise((done) => setTimeout(done, POLL));
    try {
      const response = await fetch("/page/status");
      if (response.ok && (await response.json()).serving) return;
    } catch {
      // the web server itself is away
    }
  }
}
