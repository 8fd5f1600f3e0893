// The service worker of /reader/: pages and posts that were loaded can be read without a network.
// SHELL (addresses to keep from the start) and VERSION stand before this text; the server writes them.
// What belongs to a reader is kept under their key, and forgotten as soon as an answer shows another one or none.

const ASSETS = `reader-assets-${VERSION}`;
const PAGES = "reader-pages";
const ICONS = "reader-icons";
const KEY = "/reader/kept-for";
const MOST_PAGES = 250;

self.addEventListener("install", (event) => {
  const fresh = SHELL.map((address) => new Request(address, { cache: "reload" }));
  event.waitUntil(caches.open(ASSETS).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith("reader-assets-") && name !== ASSETS;
  const clearing = caches.keys().then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))));
  event.waitUntil(clearing.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (isPage(url)) event.respondWith(page(event, url));
  else if (url.pathname.startsWith(STATIC)) event.respondWith(file(request, ASSETS));
  else if (url.pathname.startsWith(`${HOME}icons/`)) event.respondWith(file(request, ICONS));
});

/** The list and posts; not what manages sources, and no actions. */
function isPage(url) {
  const rest = url.pathname.startsWith(HOME) ? url.pathname.slice(HOME.length) : null;
  return rest === "" || (rest !== null && /^posts\/\d+$/.test(rest));
}

async function page(event, url) {
  const { request } = event;
  let answer = null;
  try {
    answer = await fetch(request);
  } catch {
    return fromStore(event, url);
  }
  const key = answer.headers.get("X-Reader-Key");
  if (key === null) {
    // Led elsewhere: to sign in. Errors of the server say nothing about who is reading.
    if (answer.type === "opaqueredirect" || answer.redirected) await forget();
    return answer;
  }
  if (answer.ok) await keep(key, url, answer.clone());
  return answer;
}

const forget = () => Promise.all([caches.delete(PAGES), caches.delete(ICONS)]);

async function keep(key, url, answer) {
  let store = await caches.open(PAGES);
  const kept = await store.match(KEY);
  if (kept && (await kept.text()) !== key) {
    await forget();
    store = await caches.open(PAGES);
  }
  await store.put(KEY, new Response(key));
  await store.put(nameOf(url), answer);
  const names = await store.keys();
  const extra = names.filter((name) => new URL(name.url).pathname !== KEY).slice(0, Math.max(0, names.length - 1 - MOST_PAGES));
  await Promise.all(extra.map((name) => store.delete(name)));
}

/** The address without what matters once only; a post is the same from whatever list it was opened. */
function nameOf(url) {
  const name = new URL(url);
  name.searchParams.delete("undo");
  if (name.pathname !== HOME) name.search = name.searchParams.get("part") === "post" ? "?part=post" : "";
  return name.href;
}

async function fromStore(event, url) {
  const store = await caches.open(PAGES);
  const isVisit = event.request.mode === "navigate";
  const found = (await store.match(nameOf(url))) || (isVisit ? await store.match(new URL(HOME, url).href) : null);
  if (isVisit) tell(event.resultingClientId);
  if (found) return found;
  const words = "You are offline, and this page was not loaded before.";
  return new Response(words, { status: 503, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}

async function tell(clientId) {
  const client = await self.clients.get(clientId);
  client?.postMessage("reader:from-cache");
}

async function file(request, name) {
  const store = await caches.open(name);
  try {
    const answer = await fetch(request);
    if (answer.ok) await store.put(request, answer.clone());
    return answer;
  } catch (error) {
    const found = await store.match(request);
    if (found) return found;
    throw error;
  }
}
