// The one way to the endpoints. The token is here and nowhere else: no storage, no cookie, no address.

const BASE = new URL(document.documentElement.dataset.api, document.baseURI);

let token = null;
/** How far the service's clock is ahead of this one. Ranges go by the service's. */
let ahead = 0;

const now = () => Date.now() + ahead;

/** What an endpoint answered instead. */
class Refusal extends Error {
  constructor(status, error, wait) {
    super(error?.message ?? `the answer was ${status}`);
    this.status = status;
    this.code = error?.code ?? null;
    this.requestId = error?.request_id ?? null;
    this.wait = wait;
  }
}

/** An answer, or a `Refusal`; without any answer a `TypeError`, as `fetch` has it. */
async function ask(method, path, { query, body, signal } = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  const headers = { Accept: "application/json" };
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const limit = AbortSignal.timeout(30 * SECOND);
  const response = await fetch(url, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    redirect: "error",
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  });
  const date = Date.parse(response.headers.get("Date") ?? "");
  // The header has whole seconds: what is within is no difference.
  if (!Number.isNaN(date) && Math.abs(date - now()) > 2 * SECOND) ahead = date - Date.now();
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
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
  if (error.name === "TimeoutError") return "the service took more than 30 s to answer.";
  return "the service does not answer.";
}
