// A link with `data-drawer` shows its page beside the table instead of leaving it; without this script it is a link.
"use strict";

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-drawer]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const answer = await fetch(link.href, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) return location.assign(link.href);
  document.getElementById("drawer-content").innerHTML = await answer.text();
  document.getElementById("drawer").showModal();
});
