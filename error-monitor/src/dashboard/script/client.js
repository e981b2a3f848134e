// The one way to the endpoints. The token is here and nowhere else: no storage, no cookie, no address.

const BASE = new URL(document.documentElement.dataset.api, document.baseURI);

let token = null;
/** How far the service's clock is ahead of this one. Ranges go by the service's. */
let ahead = 0;

const now = () => Date.now() + ahead;

/** What an endpoint answered instead. */
class Refusal extends Error {
  constructor(status, error, wait) {
    const text = (value) => (typeof value === "string" ? value : null);
    super(text(error?.message) ?? (status === 200 ? "the answer was no JSON" : `the answer was ${status}`));
    this.status = status;
    this.code = text(error?.code);
    this.requestId = text(error?.request_id);
    this.wait = wait;
  }
}

/** No answer at all. */
class Silence extends Error {}

/** An answer, a `Refusal`, or a `Silence`. */
async function ask(method, path, { query, body, signal } = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  const headers = { Accept: "application/json" };
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const limit = AbortSignal.timeout(30 * SECOND);
  const request = {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    redirect: "error",
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  };
  const silent = (error) => {
    if (error.name === "AbortError") throw error;
    throw new Silence(error.name === "TimeoutError" ? "the service took more than 30 s to answer" : "the service does not answer");
  };
  const response = await fetch(url, request).catch(silent);
  const date = Date.parse(response.headers.get("Date") ?? "");
  // The header has whole seconds: what is within is no difference.
  if (!Number.isNaN(date) && Math.abs(date - now()) > 2 * SECOND) ahead = date - Date.now();
  const text = await response.text().catch(silent);
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // A proxy's page, say.
  }
  if (response.ok && answer !== null && typeof answer === "object") return answer;
  const wait = Number(response.headers.get("Retry-After"));
  throw new Refusal(response.status, answer?.error, Number.isFinite(wait) ? wait : null);
}

const get = (path, query, signal) => ask("GET", path, { query, signal });
const post = (path, body) => ask("POST", path, { body: body ?? {} });

/** A part of a path, whatever is in it. */
const part = encodeURIComponent;

/** What went wrong, for the reader. */
function said(error) {
  if (error instanceof Refusal) {
    const wait = error.wait ? ` Try again in ${error.wait} s.` : "";
    const id = error.requestId ? ` (request ${error.requestId})` : "";
    return `${error.message}.${wait}${id}`;
  }
  if (error instanceof Silence) return `${error.message}.`;
  return "the answer is not what was expected.";
}
