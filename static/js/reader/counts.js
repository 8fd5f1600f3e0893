// The numbers of unread posts: in the header, beside categories and sources.

import { find, findAll, formatNumber } from "./page.js";

function change(element, by) {
  const count = Math.max(0, Number(element.dataset.count) + by);
  element.dataset.count = count;
  const isTotal = "total" in element.dataset || element.id === "unread";
  element.textContent = count || isTotal ? formatNumber(count) : "";
  return count;
}

/** One post of the source became unread (by = 1) or read (by = -1). */
export function changeCounts(sourceId, by) {
  const left = change(find("#unread"), by);
  find(".status-some").hidden = left === 0;
  find(".status-none").hidden = left !== 0;
  findAll("[data-total]").forEach((element) => change(element, by));
  const source = find(`.count[data-source="${CSS.escape(sourceId)}"]`);
  if (!source) return;
  change(source, by);
  const category = find(`.count[data-category="${CSS.escape(source.dataset.of)}"]`);
  if (category) change(category, by);
}
