// The page as the other modules see it: its parts, its addresses, and how the server is spoken to.

export const home = document.body.dataset.home;

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

const panesSheet = find("#panes-sheet");
const panesMedia = panesSheet ? matchMedia(panesSheet.media) : null;

/** Whether list and post stand side by side. */
export const isPanes = () => panesMedia !== null && panesMedia.matches;

export const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export const list = () => find("#list");
export const article = () => find("#post");

/** An address with another parameter in its query. */
export function withParameter(href, name, value) {
  const url = new URL(href, location.href);
  if (value === null) url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  return url.pathname + url.search;
}

function csrfToken() {
  // The cookie is the newest there is; the page may come from the cache of the service worker.
  const cookie = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
  return cookie ? cookie[1] : JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
}

export class SignedOut extends Error {}
export class Refused extends Error {
  constructor(status) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** The answer of the server; throws TypeError when it cannot be reached, SignedOut, or Refused. */
export async function ask(href, { values = null, signal = null } = {}) {
  const headers = { "X-Requested-With": "fetch" };
  const options = { headers, signal, credentials: "same-origin" };
  if (values !== null) {
    options.method = "POST";
    options.body = new URLSearchParams(values);
    options.keepalive = true; // also when the page is left in this moment
    headers["X-CSRFToken"] = csrfToken();
  }
  const answer = await fetch(href, options);
  if (answer.redirected && !answer.headers.has("X-Reader-Key")) throw new SignedOut();
  if (answer.status === 403) throw new SignedOut(); // or signed in anew elsewhere: the page has an old token
  if (!answer.ok) throw new Refused(answer.status);
  return answer;
}

export const formatNumber = (number) => number.toLocaleString("en-GB");
