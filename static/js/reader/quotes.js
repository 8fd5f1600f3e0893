// A "?" at long quotes: what they say, in short, above them.

import { findAll } from "./page.js";

const MIN_WORDS = 75;
const known = new Map(); // explanations of this page view, by post and text

const textOf = (quote) => quote.textContent.replace(/\s+/g, " ").trim();

export function decorateQuotes(post) {
  for (const quote of findAll(".prose blockquote", post)) {
    const text = textOf(quote);
    if (quote.parentElement.closest("blockquote") || text.split(" ").length <= MIN_WORDS) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quote-help";
    button.textContent = "?";
    button.title = "Explain this quote";
    button.setAttribute("aria-label", "Explain this quote");
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => toggle(button, quote, text, post));
    const frame = document.createElement("div");
    frame.className = "quote-frame";
    quote.replaceWith(frame);
    frame.append(button, quote);
  }
}

function toggle(button, quote, text, post) {
  const open = button.parentElement.querySelector(".explanation-place");
  if (open) {
    open.remove();
    button.setAttribute("aria-expanded", "false");
    return;
  }
  const place = document.createElement("div");
  place.className = "explanation-place";
  place.setAttribute("aria-live", "polite");
  button.setAttribute("aria-expanded", "true");
  quote.before(place);
  const key = `${post.dataset.id} ${text}`;
  if (known.has(key)) place.innerHTML = known.get(key);
  else fetchInto(place, key, text, post, button);
}

async function fetchInto(place, key, text, post, button) {
  place.innerHTML = '<span class="bone"></span><span class="bone half"></span>';
  const href = post.querySelector("#post-content").dataset.quote;
  await window.htmx.ajax("POST", href, { values: { quote: text }, target: place, swap: "innerHTML" });
  if (place.querySelector(".explanation")) known.set(key, place.innerHTML);
  else {
    place.remove(); // a toast has said why
    button.setAttribute("aria-expanded", "false");
  }
}
