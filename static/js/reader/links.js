// f: the links of the open post get numbers; one or two digits open one.

import { article, findAll } from "./page.js";

const MOST = 99;
const WAIT_MS = 400;

let links = [];
let typed = "";
let timer = null;

export const isNumbering = () => links.length > 0;

export function numberLinks() {
  stopNumbering();
  links = findAll(".prose a[href]", article()).filter((link) => link.offsetParent !== null).slice(0, MOST);
  links.forEach((link, index) => {
    const number = document.createElement("span");
    number.className = "link-number";
    number.textContent = index + 1;
    link.append(number);
  });
  return links.length;
}

export function stopNumbering() {
  clearTimeout(timer);
  for (const number of findAll(".link-number")) number.remove();
  links = [];
  typed = "";
}

/** A key while numbers are shown; whether it was a digit. */
export function typeDigit(key) {
  if (!/^[0-9]$/.test(key)) return false;
  clearTimeout(timer);
  typed += key;
  const couldGoOn = typed.length === 1 && Number(typed) * 10 <= links.length && typed !== "0";
  if (couldGoOn) timer = setTimeout(openTyped, WAIT_MS);
  else if (typed !== "0") openTyped();
  else typed = "";
  return true;
}

function openTyped() {
  const link = links[Number(typed) - 1];
  stopNumbering();
  if (link) window.open(link.href, "_blank", "noopener");
}
