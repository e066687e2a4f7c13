// What every page may use. Nothing here is needed to read a page or to send a form.
// First in the head and not deferred: the theme and the clock must be right before anything is shown.
"use strict";

// Theme: the chosen one, by default the system's.
const root = document.documentElement;
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) root.dataset.theme = chosen;
} catch { /* storage is blocked: the system's theme stays */ }

// Times are shown in the reader's zone from the next page on; a page with `data-own-clock` becomes that next page.
const zone = `zone=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}`;
const zoneIsKnown = () => document.cookie.split("; ").includes(zone);
const wasKnown = zoneIsKnown();
document.cookie = `${zone}; path=/; max-age=31536000; samesite=lax`;
const ownClock = "ownClock" in document.currentScript.dataset && !new URLSearchParams(location.search).has("timezone");
if (ownClock && !wasKnown && zoneIsKnown()) location.reload();

// The switch goes from the system's theme to light, to dark, and round again.
const themes = ["system", "light", "dark"];
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    const show = (theme) => {
      button.setAttribute("aria-label", button.dataset[theme]);
      button.title = button.dataset[theme];
    };
    button.hidden = false;
    show(root.dataset.theme ?? "system");
    button.addEventListener("click", () => {
      const theme = themes[(themes.indexOf(root.dataset.theme ?? "system") + 1) % themes.length];
      if (theme === "system") delete root.dataset.theme;
      else root.dataset.theme = theme;
      show(theme);
      try {
        if (theme === "system") localStorage.removeItem("theme");
        else localStorage.setItem("theme", theme);
      } catch { /* storage is blocked: the choice lasts for this page */ }
    });
  }
});

// Where the address leads to a place in the page the focus is there; a message put in once more is then read aloud.
window.addEventListener("load", () => {
  const message = location.hash && document.querySelector(".flash .text");
  if (message) message.replaceChildren(...message.childNodes);
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".notice, .toast")?.remove();
});

// A button with data-busy sends its form once and says so; it is itself again when the browser comes back to the page.
const busy = [];
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.busy || event.defaultPrevented) return;
  if (button.getAttribute("aria-disabled") === "true") return event.preventDefault();
  busy.push([button, [...button.childNodes]]);
  button.style.minInlineSize = `${button.offsetWidth}px`;
  button.setAttribute("aria-disabled", "true");
  button.replaceChildren(button.dataset.busy);
});
window.addEventListener("pageshow", () => {
  for (const [button, content] of busy.splice(0)) {
    button.removeAttribute("aria-disabled");
    button.replaceChildren(...content);
  }
});

// A request that failed on our side leaves the page as it was and says so.
function trouble() {
  const toast = document.getElementById("trouble").content.cloneNode(true);
  document.getElementById("toasts").replaceChildren(toast);
}
document.addEventListener("htmx:error", trouble);
document.addEventListener("htmx:response:error", (event) => {
  if (event.detail.ctx.response.status >= 500) trouble();
});
