// Signing out: nothing that was kept for reading offline stays behind, also where the server's own order to forget
// (Clear-Site-Data) is not understood.

async function forgetAll() {
  localStorage.removeItem("reader-marks");
  if (!("caches" in window)) return;
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("reader-")).map((name) => caches.delete(name)));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-sign-out]") || form.dataset.left) return;
  event.preventDefault();
  form.dataset.left = "1";
  const patience = new Promise((resolve) => setTimeout(resolve, 1000));
  Promise.race([forgetAll(), patience]).finally(() => form.requestSubmit());
});
