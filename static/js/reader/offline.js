// Posts that were loaded stay readable without a network; the service worker keeps them, for this reader only.

import { find, home } from "./page.js";

function show(isOffline) {
  find("#offline-notice").hidden = !isOffline;
}

export function startOffline() {
  window.addEventListener("offline", () => show(true));
  window.addEventListener("online", () => show(false));
  show(!navigator.onLine);
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("message", (event) => event.data === "reader:from-cache" && show(true));
  navigator.serviceWorker.register(document.body.dataset.worker, { scope: home }).catch(() => {
    // Private windows and some settings forbid it; reading works without.
  });
}
