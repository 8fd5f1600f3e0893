// Forms of the browsable API that a browser cannot send by itself: other methods, raw bodies.
"use strict";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.method) return;
  event.preventDefault();
  const headers = { Accept: "text/html", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  let body;
  if ("raw" in form.dataset) {
    headers["Content-Type"] = form.elements._content_type.value;
    body = form.elements._content.value;
  } else if (form.dataset.method !== "DELETE") {
    body = new FormData(form);
  }
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: form.dataset.method, headers, body });
    show(answer, await answer.text());
  } catch (error) {
    show(null, String(error));
  } finally {
    form.removeAttribute("aria-busy");
  }
});

function show(answer, text) {
  const api = document.getElementById("api");
  const isPage = answer && (answer.headers.get("Content-Type") || "").startsWith("text/html");
  const fresh = isPage && new DOMParser().parseFromString(text, "text/html").getElementById("api");
  if (fresh) {
    api.replaceWith(fresh);
  } else {
    const body = api.querySelector(".api-body");
    const status = api.querySelector(".api-status");
    status.textContent = answer ? `${answer.status} ${answer.statusText}` : "No answer";
    status.className = `api-status ${answer && answer.ok ? "good" : "bad"}`;
    body.textContent = text;
  }
  document.getElementById("answer").scrollIntoView();
}
